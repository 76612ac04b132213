import { expect } from "vitest";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { parseJsonObject } from "../../../src/crypto/strict-json.ts";
import { createTokens } from "../../../src/crypto/tokens/tokens.ts";
import { forge, keys, signText, toCode } from "../../crypto/forge.ts";
import { mutationsOf } from "../mutations.ts";
import type { FuzzTarget } from "../target.ts";

const now = 1_767_225_600;
const tokens = createTokens({
  keys: () => keys,
  clock: { now: () => now, monotonic: () => 0, wall: () => now * 1_000 },
  settings: defaultSettings,
});
const common = { issuedAt: now, userId: "1", sessionId: "s", userEpoch: 0, expiresAt: now + 600 };
const genuine = [
  tokens.mintAccess({ ...common, globalEpoch: 0, claims: { role: "admin" } }),
  tokens.mintRefresh({ ...common, generation: 3, secret: new Uint8Array(32).fill(7) }),
];

const read = [tokens.verifyAccess, tokens.verifyRefresh, tokens.verifyAny];

/** Tokens that were not signed with the key. */
export const token: FuzzTarget = {
  name: "a token",
  inputs: mutationsOf([...genuine, forge({ token_type: "access" }), "e30.e30.e30", "..", "a.b.c.d"], [".", "..", "="]),
  check(text) {
    if (genuine.includes(text)) return;
    for (const verify of read)
      expect(
        toCode(() => verify(text)),
        "an AuthError",
      ).toBeDefined();
  },
};

const payloads = genuine.map((text) => Buffer.from(text.split(".")[1] ?? "", "base64url").toString());
const header = genuine[0]?.split(".")[0];

/** Payloads that were signed with the right key, as another system with that key may send them. */
export const payload: FuzzTarget = {
  name: "a signed payload",
  inputs: mutationsOf(payloads, ['"exp":', '"jti":"', '"sid":"', "[]", "{}", ",", '"a":1']),
  check(text) {
    const signed = signText(`${header}.${Buffer.from(text).toString("base64url")}`);
    for (const verify of read) {
      const refusal = toCode(() => verify(signed));
      // An accepted payload is one object, as JSON.parse reads it, that expires.
      if (refusal === undefined) expect(JSON.parse(text)).toMatchObject({ exp: expect.any(Number) });
    }
    if (toCode(() => parseJsonObject(text)) === undefined) expect(parseJsonObject(text)).toEqual(JSON.parse(text));
  },
};

const headers = [
  Buffer.from(header ?? "", "base64url").toString(),
  '{"alg":"HS256"}',
  '{"alg":"none"}',
  '{"alg":"HS256","crit":["b64"],"b64":false}',
];

/** Headers in front of a genuine payload, signed with the right key. */
export const protectedHeader: FuzzTarget = {
  name: "a signed header",
  inputs: mutationsOf(headers, ['"alg":', '"kid":', '"jku":', '"typ":', "HS512", "HS256"]),
  check(text) {
    const signed = signText(`${Buffer.from(text).toString("base64url")}.${genuine[0]?.split(".")[1]}`);
    if (toCode(() => tokens.verifyAccess(signed)) === undefined) {
      expect(JSON.parse(text)).toMatchObject({ alg: "HS256" });
      expect(text).not.toMatch(/"(?:crit|b64|jku|jwk|x5u|x5c)"\s*:/);
    }
  },
};
