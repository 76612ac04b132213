import { describe, expect, it } from "vitest";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";
import { createKeySet, type KeySet } from "../../../src/crypto/keys/key-set.ts";
import { createTokens, type Tokens, type TokensSettings } from "../../../src/crypto/tokens/tokens.ts";
import { forge, key, keys, toRefusal } from "../forge.ts";

const start = 1_800_000_000;
const payload = { token_type: "access", exp: start + 60, iat: start, jti: "j", user_id: "42", sid: "s", ue: 0 };

/** Tokens with a clock that a test can set. */
function setUp(settings: Partial<TokensSettings> = {}, keySet: KeySet = keys) {
  let now = start;
  const tokens = createTokens({
    keys: () => keySet,
    clock: { now: () => now, wall: () => now * 1_000, monotonic: () => 0 },
    settings: { ...defaultSettings, ...settings },
  });
  return {
    tokens,
    setClock: (time: number) => {
      now = time;
    },
  };
}

const toOutcome = (tokens: Tokens, token: string) => toRefusal(() => tokens.verifyAccess(token))?.message ?? "accepted";

describe("a token that has been verified before", () => {
  it("returns the cached claims, unless verifyCacheSize is 0", () => {
    const { tokens } = setUp();
    const token = forge(payload);
    expect(tokens.verifyAccess(token)).toBe(tokens.verifyAccess(token));
    const { tokens: uncached } = setUp({ verifyCacheSize: 0 });
    expect(uncached.verifyAccess(token)).not.toBe(uncached.verifyAccess(token));
    expect(uncached.verifyAccess(token)).toEqual(tokens.verifyAccess(token));
  });

  it.each([0, 30])("is checked against the clock each time, like a new one, with a leeway of %i", (leeway) => {
    const token = forge({ ...payload, nbf: start - 10 });
    const { tokens, setClock } = setUp({ leeway });
    expect(toOutcome(tokens, token)).toBe("accepted");
    const outcomes = new Set<string>();
    for (let time = start - 100; time <= start + 200; time++) {
      const fresh = setUp({ leeway, verifyCacheSize: 0 });
      for (const { setClock: set } of [{ setClock }, fresh]) set(time);
      outcomes.add(toOutcome(tokens, token));
      expect(toOutcome(tokens, token), `at ${time - start}`).toBe(toOutcome(fresh.tokens, token));
    }
    expect([...outcomes].sort()).toEqual([
      "accepted",
      "token_expired: exp is in the past",
      "token_invalid: iat is in the future",
    ]);
  });

  it("is refused before its nbf after the clock was set back", () => {
    const { tokens, setClock } = setUp({ clockTolerance: 60 });
    const token = forge({ ...payload, iat: start - 100, nbf: start });
    expect(toOutcome(tokens, token)).toBe("accepted");
    setClock(start - 60);
    expect(toOutcome(tokens, token)).toBe("accepted");
    setClock(start - 61);
    expect(toOutcome(tokens, token)).toBe("token_invalid: nbf is in the future");
  });

  it("has claims that one caller can't change for others", () => {
    const { tokens } = setUp();
    const token = forge({ ...payload, roles: ["user"] });
    const claims = tokens.verifyAccess(token);
    expect(() => Object.assign(claims, { userId: "root" })).toThrow(TypeError);
    expect(() => (claims.payload["roles"] as string[]).push("admin")).toThrow(TypeError);
    expect(tokens.verifyAccess(token)).toMatchObject({ userId: "42", payload: { roles: ["user"] } });
  });

  it("is accepted only with its own key, and not in the cache of other keys", () => {
    const next = createHmacKey({ algorithm: "HS256", secret: "another secret of 32 bytes or more", kid: "k2" });
    const token = forge(payload);
    expect(toOutcome(setUp().tokens, token)).toBe("accepted");
    expect(toOutcome(setUp({}, createKeySet({ access: next, others: [key] })).tokens, token)).toBe("accepted");
    expect(toOutcome(setUp({}, createKeySet({ access: next })).tokens, token)).toMatch("token_invalid");
  });

  it("doesn't make a similar token accepted", () => {
    const { tokens } = setUp();
    const token = forge(payload);
    const [header = "", body = "", signature = ""] = token.split(".");
    const other = Buffer.from(JSON.stringify({ ...payload, user_id: "1" })).toString("base64url");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    expect(toOutcome(tokens, token)).toBe("accepted");
    for (const hostile of [
      `${header}.${other}.${signature}`,
      `${none}.${body}.${signature}`,
      `${none}.${body}.`,
      `${token}.${signature}`,
      `.${token}`,
      ` ${token}`,
      signature,
    ]) {
      expect(toOutcome(tokens, hostile)).toMatch("token_invalid");
      expect(toOutcome(tokens, hostile)).toMatch("token_invalid");
    }
  });
});

describe("a token that was refused before", () => {
  it.each([
    ["a forged token", `${forge(payload).slice(0, -2)}AA`, "token_invalid"],
    ["a token of the wrong type", forge({ ...payload, token_type: "refresh" }), "token_wrong_type"],
    ["a token without an id", forge({ ...payload, jti: undefined }), "token_without_id"],
    ["a token with a claim twice", forge('{"token_type":"access","exp":1900000000,"exp":1900000001}'), "token_invalid"],
    ["a token whose ue is a string", forge({ ...payload, ue: "0" }), "token_invalid"],
  ])("is refused again: %s", (_, token, code) => {
    const { tokens } = setUp();
    for (let i = 0; i < 3; i++) expect(toOutcome(tokens, token)).toMatch(code);
  });

  it("is accepted when its nbf has come", () => {
    const { tokens, setClock } = setUp({ clockTolerance: 0 });
    const token = forge({ ...payload, nbf: start + 5 });
    expect(toOutcome(tokens, token)).toBe("token_invalid: nbf is in the future");
    setClock(start + 5);
    expect(toOutcome(tokens, token)).toBe("accepted");
  });
});
