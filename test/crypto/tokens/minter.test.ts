import { describe, expect, it } from "vitest";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";
import { createKeySet, type KeySet } from "../../../src/crypto/keys/key-set.ts";
import type { SigningKey } from "../../../src/crypto/keys/signing-key.ts";
import { createTokens, type TokensSettings } from "../../../src/crypto/tokens/tokens.ts";
import { toCode } from "../forge.ts";
import { toAccessKey } from "../keys/sample-keys.ts";

const now = 1_800_000_000;
const clock = { now: () => now, wall: () => now * 1_000, monotonic: () => 0 };
const secret = "a secret of this test only, of at least 32 bytes";
const r1 = createHmacKey({ algorithm: "HS256", secret: `derived from ${secret}`, kid: "r1", use: "refresh" });
const former = createHmacKey({ algorithm: "HS256", secret });
const es256 = createKeySet({ access: toAccessKey("ES256"), refresh: r1 });
const issuer = "https://id.example";
const configured = { issuer, audience: "api" };
const rfc9068 = { ...configured, accessTokenProfile: "rfc9068", clientId: "web" } as const;

const toTokens = (keys: KeySet | (() => KeySet), settings: Partial<TokensSettings> = {}) =>
  createTokens({
    keys: typeof keys === "function" ? keys : () => keys,
    clock,
    settings: { ...defaultSettings, ...settings },
  });

const shared = {
  userId: "42",
  sessionId: "0198c1a2-0000-7000-8000-000000000001",
  userEpoch: 3,
  issuedAt: now,
  expiresAt: now + 60,
};
const access = { ...shared, globalEpoch: 5, claims: { role: "admin", naïve: "😀" } };
const refresh = { ...shared, generation: 7, secret: new Uint8Array(32).fill(7) };

const read = (token: string, part: 0 | 1) =>
  JSON.parse(Buffer.from(token.split(".")[part] ?? "", "base64url").toString()) as Record<string, unknown>;

/** Returns a token of any header and payload, signed by `key`. */
function sign(key: SigningKey, header: object, payload: object): string {
  const signingInput = [header, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signingInput}.${key.sign(signingInput)}`;
}

describe("the minter of a key set", () => {
  it("signs access tokens with one key and refresh tokens with the other", () => {
    const { mintAccess, mintRefresh } = toTokens(es256).minter();
    expect(read(mintAccess(access), 0)).toEqual({ alg: "ES256", typ: "JWT", kid: es256.access.kid });
    expect(read(mintRefresh(refresh), 0)).toEqual({ alg: "HS256", typ: "JWT", kid: "r1" });
  });

  it("goes on with its keys when there are others", () => {
    let keys = es256;
    const tokens = toTokens(() => keys);
    const minter = tokens.minter();
    keys = createKeySet({ access: toAccessKey("EdDSA"), refresh: r1 });
    expect(read(minter.mintAccess(access), 0)["alg"]).toBe("ES256");
    expect(read(tokens.minter().mintAccess(access), 0)["alg"]).toBe("EdDSA");
    expect(read(tokens.mintAccess(access), 0)["alg"]).toBe("EdDSA");
  });

  it.each(["HS256", "ES256", "ES512", "EdDSA", "RS256", "PS512"] as const)(
    "measures tokens of %s as they are",
    (name) => {
      const key = name === "HS256" ? createHmacKey({ algorithm: name, secret, use: "access" }) : toAccessKey(name);
      for (const settings of [{}, configured, rfc9068]) {
        const minter = toTokens(createKeySet({ access: key, refresh: r1 }), settings).minter();
        expect(minter.measureAccess(access)).toBe(minter.mintAccess(access).length);
        expect(minter.measureRefresh(refresh)).toBe(minter.mintRefresh(refresh).length);
      }
    },
  );

  it("refuses the same tokens whether it measures or mints them", () => {
    const minter = toTokens(es256).minter();
    for (const claims of [{ text: "x".repeat(6_000) }, { sid: "mine" }]) {
      expect(() => minter.mintAccess({ ...access, claims })).toThrow(TypeError);
      expect(() => minter.measureAccess({ ...access, claims })).toThrow(TypeError);
    }
  });
});

describe("the iss and aud of tokens", () => {
  it("are in access tokens, and in refresh tokens only if they have no key of their own", () => {
    const own = toTokens(es256, configured);
    expect(read(own.mintAccess(access), 1)).toMatchObject({ iss: issuer, aud: "api" });
    for (const name of ["iss", "aud", "ge"]) expect(read(own.mintRefresh(refresh), 1)).not.toHaveProperty(name);
    const asBefore = toTokens(createKeySet({ access: toAccessKey("ES256"), refresh: former }), configured);
    expect(read(asBefore.mintRefresh(refresh), 1)).toMatchObject({ iss: issuer, aud: "api" });
    expect(read(asBefore.mintRefresh(refresh), 1)).not.toHaveProperty("ge");
  });

  it("may be missing in refresh tokens, and must match if they are present", () => {
    const keys = createKeySet({ access: toAccessKey("ES256"), refresh: r1, others: [former] });
    const tokens = toTokens(keys, configured);
    const payload = read(toTokens(keys).mintRefresh(refresh), 1);
    for (const key of [r1, former]) {
      const outcome = (claims: object) =>
        toCode(() => tokens.verifyRefresh(sign(key, { alg: "HS256", kid: key.kid }, { ...payload, ...claims })));
      for (const claims of [{}, { iss: issuer }, { aud: "api" }, { iss: issuer, aud: ["x", "api"] }]) {
        expect(outcome(claims)).toBeUndefined();
      }
      for (const claims of [
        { iss: "https://evil.example" },
        { aud: "x" },
        { iss: issuer, aud: [] },
        { iss: null },
        { aud: null },
      ]) {
        expect(outcome(claims), JSON.stringify(claims)).toBe("token_invalid");
      }
    }
  });

  it("must not be missing in access tokens", () => {
    const tokens = toTokens(es256, configured);
    expect(toCode(() => tokens.verifyAccess(toTokens(es256).mintAccess(access)))).toBe("token_invalid");
    for (const missing of ["issuer", "audience"] as const) {
      const without = toTokens(es256, { ...configured, [missing]: undefined });
      expect(toCode(() => tokens.verifyAccess(without.mintAccess(access)))).toBe("token_invalid");
    }
    expect(toCode(() => tokens.verifyAccess(tokens.mintAccess(access)))).toBeUndefined();
  });
});

describe("an access token with the profile of RFC 9068", () => {
  const tokens = toTokens(es256, rfc9068);
  const token = tokens.mintAccess(access);

  it("has typ at+jwt, sub and client_id", () => {
    expect(read(token, 0)).toEqual({ alg: "ES256", typ: "at+jwt", kid: es256.access.kid });
    const { iss, aud } = { iss: issuer, aud: "api" };
    expect(read(token, 1)).toMatchObject({ iss, aud, sub: "42", client_id: "web", user_id: "42", role: "admin" });
    expect(tokens.verifyAccess(token)).toMatchObject({ userId: "42", globalEpoch: 5 });
  });

  it("can have the user's id in sub alone", () => {
    const renamed = toTokens(es256, { ...rfc9068, userIdClaim: "sub" });
    const renamedToken = renamed.mintAccess(access);
    expect(read(renamedToken, 1)).not.toHaveProperty("user_id");
    expect(renamed.verifyAccess(renamedToken).userId).toBe("42");
  });

  it("takes the names sub and client_id from the application", () => {
    for (const name of ["sub", "client_id"]) {
      expect(() => tokens.mintAccess({ ...access, claims: { [name]: "mine" } })).toThrow(TypeError);
      expect(() => toTokens(es256).mintAccess({ ...access, claims: { [name]: "mine" } })).not.toThrow();
    }
    for (const settings of [{ userIdClaim: "client_id" }, { tokenTypeClaim: "sub" }, { jtiClaim: "sub" }]) {
      expect(() => toTokens(es256, { ...rfc9068, ...settings })).toThrow(TypeError);
    }
  });

  it("is accepted beside tokens from before, and by its own profile alone", () => {
    const plain = toTokens(es256, configured);
    expect(tokens.verifyAccess(plain.mintAccess(access)).userId).toBe("42");
    expect(toCode(() => plain.verifyAccess(token))).toBe("token_invalid");
  });

  it("is accepted with typ in another case, and from another key of the set", () => {
    const payload = read(token, 1);
    const eddsa = toAccessKey("EdDSA");
    const both = toTokens(createKeySet({ access: toAccessKey("ES256"), refresh: r1, others: [eddsa] }), rfc9068);
    for (const typ of ["at+jwt", "AT+JWT", "At+Jwt", "JWT"]) {
      const other = sign(eddsa, { alg: "EdDSA", typ, kid: eddsa.kid }, payload);
      expect(both.verifyAccess(other).userId).toBe("42");
    }
    for (const typ of ["application/at+jwt", "at-jwt", "at+jwt ", "", null]) {
      const other = sign(eddsa, { alg: "EdDSA", typ, kid: eddsa.kid }, payload);
      expect(toCode(() => both.verifyAccess(other))).toBe("token_invalid");
    }
  });

  it("doesn't make the type of refresh tokens another one", () => {
    expect(read(tokens.mintRefresh(refresh), 0)["typ"]).toBe("JWT");
    for (const name of ["sub", "client_id"]) expect(read(tokens.mintRefresh(refresh), 1)).not.toHaveProperty(name);
    const payload = read(tokens.mintRefresh(refresh), 1);
    const disguised = sign(r1, { alg: "HS256", typ: "at+jwt", kid: "r1" }, payload);
    expect(toCode(() => tokens.verifyRefresh(disguised))).toBe("token_invalid");
    expect(toCode(() => tokens.verifyAny(disguised))).toBe("token_invalid");
  });

  it("keeps its header if its key is also that of refresh tokens", () => {
    const one = toTokens(createKeySet({ access: former }), rfc9068);
    expect(read(one.mintAccess(access), 0)["typ"]).toBe("at+jwt");
    expect(read(one.mintRefresh(refresh), 0)["typ"]).toBe("JWT");
    expect(one.verifyAccess(one.mintAccess(access)).userId).toBe("42");
    expect(one.verifyRefresh(one.mintRefresh(refresh)).generation).toBe(7);
  });
});
