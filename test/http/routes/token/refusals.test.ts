import { afterEach, beforeEach, describe, it } from "vitest";
import { createHmacKey } from "../../../../src/crypto/keys/hmac-key.ts";
import { signCompact } from "../../../../src/crypto/tokens/jws.ts";
import { createTestAuth, type TestAuth, testStart } from "../../../support/auth.ts";
import { expectRefusal, tokenChallenge } from "../../refusals.ts";

let t: TestAuth;
beforeEach(async () => {
  t = await createTestAuth();
});
afterEach(() => t.close());

describe("a token endpoint that gets a token that is not valid", () => {
  const claims = { exp: testStart + 60, iat: testStart, jti: "a", user_id: "1", sid: "s", ue: 0 };
  const access = { ...claims, token_type: "access" };
  const refresh = { ...claims, token_type: "refresh" };
  const without = (payload: object, name: string) => ({ ...payload, [name]: undefined });
  const otherKey = createHmacKey({ algorithm: "HS256", secret: "another signing key of at least 32 bytes" });

  const endpoints = [
    ["refresh", "refresh", refresh],
    ["verify", "token", access],
    ["blacklist", "refresh", refresh],
  ] as const;

  for (const [endpoint, field, payload] of endpoints) {
    const cases: readonly (readonly [string, () => string, string])[] = [
      ["garbage", () => "garbage", "Token is invalid"],
      ["forged", () => signCompact(payload, otherKey), "Token is invalid"],
      ["not valid yet", () => signCompact({ ...payload, iat: testStart + 61 }, t.keys.access), "Token is invalid"],
      ["of a wrong shape", () => signCompact({ ...payload, sid: 1 }, t.keys.access), "Token is invalid"],
      ["without a user", () => signCompact(without(payload, "user_id"), t.keys.access), "Token is invalid"],
      ["expired", () => signCompact({ ...payload, exp: testStart - 1 }, t.keys.access), "Token is expired"],
      ["of another type", () => signCompact({ ...payload, token_type: "x" }, t.keys.access), "Token has wrong type"],
      ["without exp", () => signCompact(without(payload, "exp"), t.keys.access), "Token has no 'exp' claim"],
      ["without type", () => signCompact(without(payload, "token_type"), t.keys.access), "Token has no type"],
      ["without id", () => signCompact(without(payload, "jti"), t.keys.access), "Token has no id"],
    ];
    it.each(cases)(`answers 401 from ${endpoint} to a token that is %s`, async (_, toToken, detail) => {
      const response = await t.send("POST", `/api/token/${endpoint}/`, { body: { [field]: toToken() } });
      const body = { detail, code: "token_not_valid" };
      await expectRefusal(response, { status: 401, body, challenge: tokenChallenge });
    });
  }

  it.each(["refresh", "blacklist"])("answers 401 from %s to an access token", async (endpoint) => {
    const { access: token } = await t.logIn();
    const response = await t.send("POST", `/api/token/${endpoint}/`, { body: { refresh: token } });
    const body = { detail: "Token has wrong type", code: "token_not_valid" };
    await expectRefusal(response, { status: 401, body, challenge: tokenChallenge });
  });
});
