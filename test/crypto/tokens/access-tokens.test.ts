import { describe, expect, it } from "vitest";
import { defaultSettings, type Settings } from "../../../src/core/settings/settings.ts";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";
import { toJwks } from "../../../src/crypto/keys/jwks.ts";
import { createKeySet, createVerifyingKeys, type VerifyingKeys } from "../../../src/crypto/keys/key-set.ts";
import { parseJwks } from "../../../src/crypto/keys/parse-jwks.ts";
import { createAccessTokens } from "../../../src/crypto/tokens/access-tokens.ts";
import { signCompact } from "../../../src/crypto/tokens/jws.ts";
import { createTokens } from "../../../src/crypto/tokens/tokens.ts";
import { toCode } from "../forge.ts";
import { materials, toAccessKey } from "../keys/sample-keys.ts";

const now = 1_800_000_000;
const clock = { now: () => now, wall: () => now * 1_000, monotonic: () => 0 };
const settings = { ...defaultSettings, issuer: "https://id.example", audience: "api" };
const refresh = createHmacKey({ algorithm: "HS256", secret: "s".repeat(32), kid: "r1", use: "refresh" });
const issuer = createTokens({
  keys: () => keySet,
  clock,
  settings,
});
const keySet = createKeySet({ access: toAccessKey("ES256"), refresh });
const session = { userId: "42", sessionId: "0198c1a2-0000-7000-8000-000000000001", userEpoch: 3 };
const newAccess = { ...session, issuedAt: now, expiresAt: now + 1_800, globalEpoch: 1, claims: {} };
const payload = JSON.parse(Buffer.from(issuer.mintAccess(newAccess).split(".")[1] ?? "", "base64url").toString());

const published = createVerifyingKeys(parseJwks(toJwks([materials.ES256]).body), () => null);

/** What a service knows: the public keys. */
const verifier = (keys: VerifyingKeys = published, changes: Partial<Settings> = {}) =>
  createAccessTokens({ keys: () => keys, clock, settings: { ...settings, ...changes } });

/** A genuine token with other claims; `undefined` leaves a claim out. */
const sign = (claims: object) => signCompact({ ...payload, ...claims }, toAccessKey("ES256"));

describe("an access token at a service with the public keys alone", () => {
  it("is accepted", () => {
    expect(verifier().verify(issuer.mintAccess(newAccess))).toMatchObject({
      ...session,
      globalEpoch: 1,
      issuedAt: now,
    });
  });

  it.each<[string, object]>([
    ["iat", { iat: undefined }],
    ["ue", { ue: undefined }],
    ["ge", { ge: undefined }],
    ["sid", { sid: undefined }],
  ])("needs %s", (_, claims) => {
    expect(toCode(() => verifier().verify(sign(claims)))).toBe("token_invalid");
  });

  it.each<[string, object]>([
    ["a user's epoch that the database can't hold", { ue: 2 ** 31 }],
    ["a global epoch that a frame can't hold", { ge: 2 ** 32 }],
    ["a number as the user's id", { user_id: 42 }],
    ["another issuer", { iss: "https://other.example" }],
    ["another audience", { aud: "other" }],
    ["a list of other audiences", { aud: ["other", "third"] }],
    ["no issuer", { iss: undefined }],
    ["an iat in the future", { iat: now + 61 }],
  ])("is refused with %s", (_, claims) => {
    expect(toCode(() => verifier().verify(sign(claims)))).toBe("token_invalid");
  });

  it("is accepted with the largest epochs, and a list with its audience", () => {
    const claims = { ue: 2 ** 31 - 1, ge: 2 ** 32 - 1, aud: ["other", "api"] };
    expect(verifier().verify(sign(claims))).toMatchObject({ userEpoch: 2 ** 31 - 1, globalEpoch: 2 ** 32 - 1 });
  });

  it("expires when the leeway is over", () => {
    const token = sign({ exp: now - 29 });
    expect(verifier(published, { leeway: 30 }).verify(token).expiresAt).toBe(now - 29);
    expect(toCode(() => verifier(published, { leeway: 29 }).verify(token))).toBe("token_expired");
  });

  it("can't be a refresh token", () => {
    const token = issuer.mintRefresh({ ...newAccess, generation: 1, secret: new Uint8Array(32) });
    expect(toCode(() => verifier().verify(token))).toBe("token_invalid");
    expect(toCode(() => verifier().verify(sign({ token_type: "refresh" })))).toBe("token_wrong_type");
  });

  it("of the profile of RFC 9068 needs that profile here too", () => {
    const profiled = createTokens({
      keys: () => keySet,
      clock,
      settings: { ...settings, accessTokenProfile: "rfc9068" },
    });
    const token = profiled.mintAccess(newAccess);
    expect(toCode(() => verifier().verify(token))).toBe("token_invalid");
    expect(verifier(published, { accessTokenProfile: "rfc9068" }).verify(token)).toMatchObject(session);
  });

  it("is refused as soon as its key is gone, also if it was verified before", () => {
    let keys = published;
    const tokens = createAccessTokens({ keys: () => keys, clock, settings });
    const token = issuer.mintAccess(newAccess);
    expect(tokens.verify(token)).toBe(tokens.verify(token));
    keys = createVerifyingKeys([], () => null);
    expect(toCode(() => tokens.verify(token))).toBe("token_invalid");
  });

  it("is not judged before a key is known", () => {
    const unknown = new Error("not yet");
    const keys = createVerifyingKeys([], () => {
      throw unknown;
    });
    expect(() => verifier(keys, { accessTokenProfile: "rfc9068" }).verify(issuer.mintAccess(newAccess))).toThrow(
      unknown,
    );
    expect(toCode(() => verifier(keys).verify("garbage"))).toBe("token_invalid");
  });
});
