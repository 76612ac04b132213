import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AuthError, type AuthErrorCode } from "../../../src/core/errors.ts";
import { resolveSettings } from "../../../src/core/settings/resolve.ts";
import type { Settings } from "../../../src/core/settings/settings.ts";
import { toLegacyTokens } from "../../../src/crypto/legacy/from-settings.ts";
import { isOfPassword, type LegacyClaims } from "../../../src/crypto/legacy/legacy-tokens.ts";
import { createTestClock, testStart } from "../../support/auth.ts";
import { djangoSecret, legacyPayload, legacyToken, signLegacy } from "../../support/simplejwt.ts";

const until = testStart + 10 * 86_400;

function setUp(settings: Partial<Settings> = {}, key: string | undefined = djangoSecret) {
  const clock = createTestClock();
  const resolved = resolveSettings({ legacyRefreshUntil: "2026-01-11", ...settings });
  const tokens = toLegacyTokens({ key, settings: resolved, clock });
  if (tokens === null) throw new Error("no key");
  return { clock, ...tokens };
}

describe("a refresh token of simplejwt", () => {
  it.each([
    ["a number", 7, "7"],
    ["a text", "7", "7"],
    ["a UUID", "0b1cfb3e-6f8e-4b4f-8c62-6c1f5f1f2a10", "0b1cfb3e-6f8e-4b4f-8c62-6c1f5f1f2a10"],
  ])("yields its claims if its user is %s", (_, user_id, userId) => {
    const payload = legacyPayload({ user_id, name: "Alice" });
    expect(setUp().verify(signLegacy(payload))).toEqual({
      type: "legacy",
      userId,
      tokenId: payload["jti"],
      issuedAt: testStart - 60,
      expiresAt: testStart + 86_400,
      passwordMark: null,
      secret: expect.any(Uint8Array),
    });
  });

  it("yields a secret of 32 bytes that depends on the whole token, and not on the claims alone", () => {
    const { verify } = setUp();
    const payload = legacyPayload();
    const secretOf = (token: string) => Buffer.from(verify(token)?.secret ?? []).toString("hex");
    const secret = secretOf(signLegacy(payload));
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(secretOf(signLegacy(payload))).toBe(secret);
    expect(secretOf(signLegacy(payload, { header: { typ: "JWT", alg: "HS256" } }))).not.toBe(secret);
  });

  it("may be signed with the algorithm of the setting and no other", () => {
    const payload = legacyPayload();
    const token = signLegacy(payload, { header: { alg: "HS512", typ: "JWT" }, hash: "sha512" });
    expect(setUp({ legacyRefreshAlgorithm: "HS512" }).verify(token)).not.toBeNull();
    expect(setUp().verify(token)).toBeNull();
    expect(setUp({ legacyRefreshAlgorithm: "HS512" }).verify(signLegacy(payload))).toBeNull();
  });

  it("may be signed with RSA and ECDSA, and never with HMAC under the public key", () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const pem = String(publicKey.export({ type: "spki", format: "pem" }));
    const { verify } = setUp({}, pem);
    const payload = legacyPayload();
    expect(verify(signLegacy(payload, { header: { alg: "RS256", typ: "JWT" }, privateKey }))).not.toBeNull();
    for (const alg of ["HS256", "RS256", "none"]) {
      for (const secret of [pem, pem.trim()]) {
        expect(verify(signLegacy(payload, { header: { alg, typ: "JWT" }, secret }))).toBeNull();
      }
    }
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const signed = signLegacy(payload, { header: { alg: "ES256", typ: "JWT" }, privateKey: ec.privateKey });
    expect(setUp({}, String(ec.publicKey.export({ type: "spki", format: "pem" }))).verify(signed)).not.toBeNull();
  });

  it.each([
    ["another secret's signature", signLegacy(legacyPayload(), { secret: "another secret, which has 32 bytes too" })],
    ["no signature", `${legacyToken().split(".").slice(0, 2).join(".")}.`],
    ["alg none", signLegacy(legacyPayload(), { header: { alg: "none", typ: "JWT" } })],
    [
      "a kid, which simplejwt doesn't write",
      signLegacy(legacyPayload(), { header: { alg: "HS256", typ: "JWT", kid: "" } }),
    ],
    ["crit in the header", signLegacy(legacyPayload(), { header: { alg: "HS256", typ: "JWT", crit: ["exp"] } })],
    ["another typ", signLegacy(legacyPayload(), { header: { alg: "HS256", typ: "at+jwt" } })],
    ["duplicate members", signLegacy(JSON.stringify(legacyPayload()).replace("{", '{"user_id":2,'))],
    ["a payload that is no object", signLegacy("[1]")],
    ["padding", `${legacyToken()}=`],
    ["a session, as tokenpair's tokens", legacyToken({ sid: "s" })],
    ["a generation, as tokenpair's tokens", legacyToken({ gen: 0 })],
    ["a secret, as tokenpair's tokens", legacyToken({ secret: "s" })],
  ])("is not one of simplejwt with %s", (_, token) => {
    expect(setUp().verify(token)).toBeNull();
  });

  it.each<[title: string, changes: Record<string, unknown>, code: AuthErrorCode]>([
    ["an exp in the past", { exp: testStart }, "token_expired"],
    ["no exp", { exp: undefined }, "token_without_exp"],
    ["an exp with a fraction", { exp: testStart + 0.5 }, "token_invalid"],
    ["an iat in the future", { iat: testStart + 61 }, "token_invalid"],
    ["an nbf in the future", { nbf: testStart + 61 }, "token_invalid"],
    ["no jti", { jti: undefined }, "token_without_id"],
    ["an empty jti", { jti: "" }, "token_invalid"],
    ["a jti that is a number", { jti: 7 }, "token_invalid"],
    ["a jti with NUL", { jti: "a\0" }, "token_invalid"],
    ["a jti that is too long", { jti: "a".repeat(256) }, "token_invalid"],
    ["no type", { token_type: undefined }, "token_without_type"],
    ["the type of an access token", { token_type: "access" }, "token_wrong_type"],
    ["the type of a sliding token", { token_type: "sliding" }, "token_wrong_type"],
    ["no user", { user_id: undefined }, "token_without_user"],
    ["a user that is null", { user_id: null }, "token_invalid"],
    ["a user that is a list", { user_id: [1] }, "token_invalid"],
    ["a user with a fraction", { user_id: 1.5 }, "token_invalid"],
    ["a negative user", { user_id: -1 }, "token_invalid"],
    ["an issuer that is no text", { iss: 7 }, "token_invalid"],
  ])("is refused with %s", (_, changes, code) => {
    expect(() => setUp().verify(legacyToken(changes))).toThrow(expect.objectContaining({ name: "AuthError", code }));
  });

  it("may lack the issuer and audience that are configured, and must not have others", () => {
    const { verify } = setUp({ issuer: "https://id.example", audience: "api" });
    expect(verify(legacyToken())).not.toBeNull();
    expect(verify(legacyToken({ iss: "https://id.example", aud: ["api", "web"] }))).not.toBeNull();
    expect(() => verify(legacyToken({ iss: "https://other.example" }))).toThrow("token_invalid");
    expect(() => verify(legacyToken({ aud: "other" }))).toThrow("token_invalid");
  });

  it("has the claims under the names that simplejwt's settings give them", () => {
    const { verify } = setUp({ userIdClaim: "uid", tokenTypeClaim: "kind", jtiClaim: "id" });
    const { user_id: uid, token_type: kind, jti: id, ...rest } = legacyPayload();
    expect(verify(signLegacy({ ...rest, uid, kind, id }))).toMatchObject({ userId: "1", tokenId: id });
    expect(() => verify(legacyToken())).toThrow("token_without_id");
  });

  it("never makes the verifier fail with another error than a refusal, whatever it is", () => {
    const { verify } = setUp();
    const claim = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.integer(), fc.string());
    const changes = fc.dictionary(
      fc.constantFrom("exp", "iat", "nbf", "jti", "token_type", "user_id", "iss", "aud"),
      claim,
    );
    const header = fc.record({ alg: fc.constantFrom("HS256", "none", 7), typ: claim }, { requiredKeys: ["alg"] });
    fc.assert(
      fc.property(changes, header, fc.string(), (changed, head, tail) => {
        const token = signLegacy(legacyPayload(changed), { header: head }) + tail;
        try {
          verify(token);
        } catch (error) {
          expect(error).toBeInstanceOf(AuthError);
        }
      }),
    );
  });

  it("is nothing any more when the time is over", () => {
    const { verify, clock } = setUp();
    const token = legacyToken({ exp: until + 100 });
    clock.advance(10 * 86_400 - 1);
    expect(verify(token)).not.toBeNull();
    clock.advance(1);
    expect(verify(token)).toBeNull();
  });
});

describe("isOfPassword", () => {
  const claims = (passwordMark: string | null) => ({ passwordMark }) as LegacyClaims;
  // hashlib.md5("pbkdf2_sha256$1$salt$hash".encode()).hexdigest().upper()
  const mark = "BC95F864A6EFB05AC2AC3A2490463C9A";

  it("knows the mark that simplejwt makes of the stored hash", () => {
    expect(isOfPassword(claims(mark), "pbkdf2_sha256$1$salt$hash")).toBe(true);
    expect(isOfPassword(claims(mark), "pbkdf2_sha256$1$salt$other")).toBe(false);
    expect(isOfPassword(claims(mark), null)).toBe(false);
    expect(isOfPassword(claims(null), null)).toBe(true);
  });

  it("reads the mark from the token, and refuses one that is no text", () => {
    expect(setUp().verify(legacyToken({ hash_password: mark }))).toMatchObject({ passwordMark: mark });
    expect(() => setUp().verify(legacyToken({ hash_password: 7 }))).toThrow("token_invalid");
  });
});

describe("toLegacyTokens", () => {
  const clock = createTestClock();
  const tryTo =
    (settings: Partial<Settings>, key: string | undefined = djangoSecret) =>
    () =>
      toLegacyTokens({ key, settings: resolveSettings(settings), clock });

  it("is off without its settings", () => {
    expect(toLegacyTokens({ key: undefined, settings: resolveSettings({}), clock })).toBeNull();
  });

  it("needs both settings, and a time that is at most 30 days ahead", () => {
    expect(tryTo({})).toThrow(
      'legacyRefreshKey needs legacyRefreshUntil too. Example: legacyRefreshUntil: "2026-09-30"',
    );
    expect(() =>
      toLegacyTokens({ key: undefined, settings: resolveSettings({ legacyRefreshUntil: "2026-01-31" }), clock }),
    ).toThrow("legacyRefreshUntil needs the key of simplejwt too");
    expect(tryTo({ legacyRefreshUntil: "2026-01-31T00:00:01Z" })).toThrow(
      'legacyRefreshUntil must be at most 30 days ahead, got "2026-01-31T00:00:01Z".',
    );
    expect(tryTo({ legacyRefreshUntil: "2026-01-31" })()).toMatchObject({ until: testStart + 30 * 86_400 });
    expect(tryTo({ legacyRefreshUntil: "2026-01-31T02:00+02:00" })()).toMatchObject({ until: testStart + 30 * 86_400 });
  });

  it("doesn't look at the key when the time is over", () => {
    const tokens = tryTo({ legacyRefreshUntil: "2025-12-31" }, "")();
    expect(tokens?.until).toBe(testStart - 86_400);
    expect(tokens?.verify(legacyToken())).toBeNull();
  });

  it.each(["2026-02-30", "2026-13-01", "2026-01-01T25:00Z"])("refuses %s, which is no time", (legacyRefreshUntil) => {
    expect(tryTo({ legacyRefreshUntil })).toThrow(
      `legacyRefreshUntil must be a day that exists, got "${legacyRefreshUntil}"`,
    );
  });
});
