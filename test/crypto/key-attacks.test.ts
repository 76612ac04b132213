import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Revocation } from "../../src/core/revocation.ts";
import type { Algorithm } from "../../src/core/settings/session-settings.ts";
import { defaultSettings } from "../../src/core/settings/settings.ts";
import { createHmacKey } from "../../src/crypto/keys/hmac-key.ts";
import { toPublicJwk } from "../../src/crypto/keys/key-material.ts";
import { createKeySet, type KeySet } from "../../src/crypto/keys/key-set.ts";
import type { SigningKey } from "../../src/crypto/keys/signing-key.ts";
import { createTokens, type Tokens } from "../../src/crypto/tokens/tokens.ts";
import { createRevocationIndex } from "../../src/revocation/revocation-index.ts";
import { toCode } from "./forge.ts";
import { algorithms, materials, rsaKey, toAccessKey } from "./keys/sample-keys.ts";

const now = 1_800_000_000;
const clock = { now: () => now, wall: () => now * 1_000, monotonic: () => 0 };
const secret = "a secret that a service once shared with us";
const r1 = createHmacKey({
  algorithm: "HS256",
  secret: "a secret from which refresh keys derive",
  kid: "r1",
  use: "refresh",
});
const session = { userId: "42", sessionId: "0198c1a2-0000-7000-8000-000000000001", userEpoch: 3 };
const times = { issuedAt: now, expiresAt: now + 1_800 };

const newAccess = { ...session, ...times, globalEpoch: 1, claims: {} };
const newRefresh = { ...session, ...times, generation: 7, secret: new Uint8Array(32).fill(7) };

const toTokens = (keys: () => KeySet, settings = {}) =>
  createTokens({ keys, clock, settings: { ...defaultSettings, ...settings } });

/** A key set of one asymmetric key and the key of refresh tokens. */
function setUp(algorithm: Algorithm, others: readonly SigningKey[] = []): Tokens {
  const keys = createKeySet({ access: toAccessKey(algorithm), refresh: r1, others });
  return toTokens(() => keys);
}

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url");
const toParts = (token: string) => token.split(".") as [string, string, string];

/** The payload of a genuine access token. */
const payload = JSON.parse(
  Buffer.from(toParts(setUp("ES256").mintAccess(newAccess))[1], "base64url").toString(),
) as Record<string, unknown>;

/** Returns a token with any header and signature. */
function forge(
  header: object,
  toSignature: (signingInput: string) => Uint8Array | string,
  claims: object = payload,
): string {
  const signingInput = `${encode(header)}.${encode(claims)}`;
  const signature = toSignature(signingInput);
  return `${signingInput}.${typeof signature === "string" ? signature : Buffer.from(signature).toString("base64url")}`;
}

const hmac =
  (key: string | Uint8Array, hash = "sha256") =>
  (text: string) =>
    createHmac(hash, key).update(text).digest();

function expectRefused(tokens: Tokens, token: string, what?: string): void {
  for (const verify of [tokens.verifyAccess, tokens.verifyRefresh, tokens.verifyAny]) {
    expect(
      toCode(() => verify(token)),
      what,
    ).toBe("token_invalid");
  }
}

describe.each(algorithms)("a token for a key of %s", (algorithm) => {
  const { kid, publicKey } = materials[algorithm];
  const tokens = setUp(algorithm);

  it("is accepted if the key signed it", () => {
    expect(tokens.verifyAccess(tokens.mintAccess(newAccess))).toMatchObject({ ...session, globalEpoch: 1 });
  });

  it("is refused with an HMAC by anything that is public", () => {
    const key = publicKey as KeyObject;
    const jwk: Readonly<Record<string, string>> = toPublicJwk(materials[algorithm]) ?? {};
    const pem = key.export({ type: "spki", format: "pem" }).toString();
    const known: (string | Uint8Array)[] = [
      pem,
      pem.trimEnd(),
      pem.replaceAll("\n", ""),
      key.export({ type: "spki", format: "der" }),
      JSON.stringify(jwk),
      kid,
      "",
      ...Object.values(jwk).flatMap((value) => [value, Buffer.from(value, "base64url")]),
    ];
    for (const [alg, hash] of [
      ["HS256", "sha256"],
      ["HS384", "sha384"],
      ["HS512", "sha512"],
      [algorithm, "sha256"],
    ] as const) {
      for (const text of known) {
        for (const header of [
          { alg, typ: "JWT", kid },
          { alg, typ: "JWT" },
          { alg, kid: "r1" },
        ]) {
          expectRefused(tokens, forge(header, hmac(text, hash)), `${alg} ${String(text).slice(0, 20)}`);
        }
      }
    }
  });

  it("is refused without a signature, or with the alg none", () => {
    const genuine = toParts(tokens.mintAccess(newAccess));
    for (const alg of ["none", "None", "NONE", "", "null"]) {
      expectRefused(
        tokens,
        forge({ alg, typ: "JWT", kid }, () => ""),
      );
      expectRefused(
        tokens,
        forge({ alg, typ: "JWT", kid }, () => genuine[2]),
      );
    }
    expectRefused(tokens, `${genuine[0]}.${genuine[1]}.`);
    expectRefused(tokens, `${genuine[0]}.${genuine[1]}`);
  });

  it("is refused with a key that it brings along", () => {
    const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwk = own.publicKey.export({ format: "jwk" });
    const toSignature = (text: string) =>
      sign("sha256", Buffer.from(text), { key: own.privateKey, dsaEncoding: "ieee-p1363" });
    for (const extra of [
      { jwk },
      { jku: "https://evil.example/jwks.json" },
      { x5u: "https://evil.example/cert.pem" },
      { x5c: ["MIIB"] },
      { jwk, x5c: ["MIIB"], jku: "https://evil.example/jwks.json" },
    ]) {
      for (const header of [
        { alg: "ES256", ...extra },
        { alg: algorithm, kid, ...extra },
      ]) {
        expectRefused(tokens, forge(header, toSignature));
        // Neither may a genuine signature bring one.
        const key = toAccessKey(algorithm);
        expectRefused(
          tokens,
          forge(header, (text) => key.sign(text)),
        );
      }
    }
  });

  it("is refused with a kid that isn't the key's own name", () => {
    const key = toAccessKey(algorithm);
    const kids: readonly unknown[] = [
      "__proto__",
      "constructor",
      "toString",
      "",
      " ",
      `${kid} `,
      `${kid}\0`,
      kid.toLowerCase() === kid ? kid.toUpperCase() : kid.toLowerCase(),
      kid.slice(0, -1),
      "../../../../dev/null",
      "/dev/null",
      "file:///dev/null",
      `' OR '1'='1`,
      "https://evil.example/key",
      0,
      1,
      true,
      null,
      [kid],
      [[kid]],
      { kid },
      { toString: kid },
    ];
    for (const name of kids) {
      const token = forge({ alg: algorithm, typ: "JWT", kid: name }, (text) => key.sign(text));
      expectRefused(tokens, token, JSON.stringify(name));
    }
    const polluting = `{"alg":"${algorithm}","__proto__":{"kid":"${kid}"},"kid":"x"}`;
    const signingInput = `${Buffer.from(polluting).toString("base64url")}.${encode(payload)}`;
    expectRefused(tokens, `${signingInput}.${key.sign(signingInput)}`);
  });

  it("is refused with another algorithm than the key's, though the key could have it", () => {
    const key = toAccessKey(algorithm);
    for (const alg of [...algorithms, "HS256", "ES256K", "Ed448", "RSA1_5", "dir"]) {
      if (alg === algorithm) continue;
      expectRefused(
        tokens,
        forge({ alg, typ: "JWT", kid }, (text) => key.sign(text)),
        alg,
      );
    }
  });

  it("is refused without ge, which a service needs to compare", () => {
    const key = toAccessKey(algorithm);
    const header = { alg: algorithm, typ: "JWT", kid };
    for (const ge of [undefined, null, -1, 0.5, "1", 2 ** 32]) {
      const token = forge(header, (text) => key.sign(text), { ...payload, ge });
      expect(toCode(() => tokens.verifyAccess(token))).toBe("token_invalid");
    }
    const most = forge(header, (text) => key.sign(text), { ...payload, ge: 2 ** 32 - 1 });
    expect(tokens.verifyAccess(most).globalEpoch).toBe(2 ** 32 - 1);
  });
});

describe("keys of several algorithms", () => {
  const shared = createHmacKey({ algorithm: "HS256", secret, use: "access" });
  const keys = createKeySet({ access: toAccessKey("ES256"), refresh: r1, others: [toAccessKey("EdDSA"), shared] });
  const tokens = toTokens(() => keys);

  it("each verify under their own kid alone", () => {
    const names: readonly (readonly [SigningKey, string])[] = [
      [toAccessKey("ES256"), materials.ES256.kid],
      [toAccessKey("EdDSA"), materials.EdDSA.kid],
      [shared, shared.kid],
    ];
    for (const [key, name] of names) {
      for (const [{ algorithm, kid }] of names) {
        for (const alg of [algorithm, key.algorithm]) {
          const token = forge({ alg, kid }, (text) => key.sign(text));
          if (kid === name && alg === key.algorithm) expect(tokens.verifyAccess(token).userId).toBe("42");
          else expectRefused(tokens, token);
        }
      }
    }
  });

  it("aren't exchanged between RSA paddings, though they are the same key", () => {
    for (const [own, other] of [
      ["RS256", "PS256"],
      ["PS256", "RS256"],
      ["RS256", "RS512"],
    ] as const) {
      const ownTokens = setUp(own);
      for (const alg of [own, other]) {
        const token = forge({ alg, kid: materials[own].kid }, (text) => toAccessKey(other).sign(text));
        expectRefused(ownTokens, token);
      }
    }
    expect(materials.RS256.kid).toBe(materials.PS256.kid);
    expect(createPublicKey(rsaKey).equals(materials.PS512.publicKey as KeyObject)).toBe(true);
  });
});

describe("a token of the other kind", () => {
  const asymmetric = setUp("ES256");
  const shared = createHmacKey({ algorithm: "HS256", secret, use: "access" });
  const hmacKeys = createKeySet({ access: shared, refresh: r1 });
  const symmetric = toTokens(() => hmacKeys);

  it.each([
    ["ES256", asymmetric],
    ["HS256", symmetric],
  ])("that is genuine has the wrong type, beside a key of %s", (_, tokens) => {
    const [access, refresh] = [tokens.mintAccess(newAccess), tokens.mintRefresh(newRefresh)];
    expect(toCode(() => tokens.verifyAccess(refresh))).toBe("token_wrong_type");
    expect(toCode(() => tokens.verifyRefresh(access))).toBe("token_wrong_type");
    expect(tokens.verifyAny(refresh)).toMatchObject({ type: "refresh", generation: 7 });
    expect(tokens.verifyAny(access)).toMatchObject({ type: "access", userId: "42" });
  });

  it("that calls itself an access token is refused if the key of refresh tokens signed it", () => {
    const token = forge({ alg: "HS256", typ: "JWT", kid: "r1" }, (text) => r1.sign(text));
    for (const tokens of [asymmetric, symmetric]) {
      expect(toCode(() => tokens.verifyAccess(token))).toBe("token_invalid");
      expect(toCode(() => tokens.verifyAny(token))).toBe("token_invalid");
      expect(toCode(() => tokens.verifyRefresh(token))).toBe("token_wrong_type");
    }
  });

  it("that calls itself a refresh token is refused if a key of access tokens signed it", () => {
    const [, text] = toParts(asymmetric.mintRefresh(newRefresh));
    const claims = JSON.parse(Buffer.from(text, "base64url").toString());
    const cases: readonly (readonly [Tokens, SigningKey])[] = [
      [asymmetric, toAccessKey("ES256")],
      [symmetric, shared],
    ];
    for (const [tokens, key] of cases) {
      const token = forge({ alg: key.algorithm, typ: "JWT", kid: key.kid }, (input) => key.sign(input), claims);
      expect(toCode(() => tokens.verifyRefresh(token))).toBe("token_invalid");
      expect(toCode(() => tokens.verifyAny(token))).toBe("token_invalid");
      expect(toCode(() => tokens.verifyAccess(token))).toBe("token_wrong_type");
    }
  });

  it("isn't accepted by a service that shares the HMAC key and looks at the signature alone", () => {
    const [header, body, signature] = toParts(symmetric.mintRefresh(newRefresh));
    expect(shared.verify(`${header}.${body}`, signature)).toBe(false);
    const [accessHeader, accessBody, accessSignature] = toParts(symmetric.mintAccess(newAccess));
    expect(shared.verify(`${accessHeader}.${accessBody}`, accessSignature)).toBe(true);
  });

  it("without kid is never found by the key of refresh tokens", () => {
    const token = forge({ alg: "HS256", typ: "JWT" }, (text) => r1.sign(text));
    expectRefused(asymmetric, token);
    expectRefused(symmetric, token);
  });
});

describe("the second signature that everybody can make of one of ES256", () => {
  const n = 0xffffffff_00000000_ffffffff_ffffffff_bce6faad_a7179e84_f3b9cac2_fc632551n;
  const tokens = setUp("ES256");
  const token = tokens.mintAccess(newAccess);

  function toOther(text: string): string {
    const [header, body, signature] = toParts(text);
    const bytes = Buffer.from(signature, "base64url");
    const s = n - BigInt(`0x${bytes.subarray(32).toString("hex")}`);
    const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, "0"), "hex")]);
    return `${header}.${body}.${other.toString("base64url")}`;
  }

  it("makes no other claims, and is cached apart from the first", () => {
    const other = toOther(token);
    expect(other).not.toBe(token);
    const [first, second] = [tokens.verifyAccess(token), tokens.verifyAccess(other)];
    expect(second).toEqual(first);
    expect(second).not.toBe(first);
    expect(tokens.verifyAccess(other)).toBe(second);
    expect(tokens.verifyAccess(token)).toBe(first);
  });

  const { tokenId } = tokens.verifyAccess(token);

  it.each<[what: string, revocation: Revocation]>([
    ["its session", { kind: "session", sessionId: session.sessionId, at: now, until: now + 9_000 }],
    ["the token", { kind: "token", tokenId, at: now, until: now + 9_000 }],
    ["its user", { kind: "user", userId: "42", epoch: 4, at: now, until: now + 9_000 }],
    ["all tokens", { kind: "all", epoch: 2, at: now, until: now + 9_000 }],
  ])("is revoked with %s, whichever of the two was seen before", (_, revocation) => {
    for (const [seen, presented] of [
      [token, toOther(token)],
      [toOther(token), token],
    ] as const) {
      const own = setUp("ES256");
      const index = createRevocationIndex({ leeway: 0, clock });
      expect(index.isRevoked(own.verifyAccess(seen))).toBe(false);
      index.apply(revocation);
      expect(index.isRevoked(own.verifyAccess(presented))).toBe(true);
      expect(index.isRevoked(own.verifyAccess(seen))).toBe(true);
    }
  });
});

describe("a key that was removed", () => {
  const old = toAccessKey("EdDSA");
  const before = createKeySet({ access: toAccessKey("ES256"), refresh: r1, others: [old] });
  const after = createKeySet({ access: toAccessKey("ES256"), refresh: r1 });

  it("doesn't verify a token that was cached while it did, without forget() having been called", () => {
    let keys = before;
    const tokens = toTokens(() => keys);
    const token = forge({ alg: "EdDSA", kid: old.kid }, (text) => old.sign(text));
    expect(tokens.verifyAccess(token)).toBe(tokens.verifyAccess(token));
    keys = after;
    expectRefused(tokens, token);
    keys = before;
    expect(tokens.verifyAccess(token).userId).toBe("42");
  });

  it("leaves the tokens of the other keys alone", () => {
    let keys = before;
    const tokens = toTokens(() => keys);
    const token = tokens.mintAccess(newAccess);
    const claims = tokens.verifyAccess(token);
    keys = after;
    expect(tokens.verifyAccess(token)).toEqual(claims);
  });

  it("isn't in the cache after forget()", () => {
    const tokens = toTokens(() => before);
    const token = tokens.mintAccess(newAccess);
    const claims = tokens.verifyAccess(token);
    expect(tokens.verifyAccess(token)).toBe(claims);
    tokens.forget();
    expect(tokens.verifyAccess(token)).not.toBe(claims);
    expect(tokens.verifyAccess(token)).toEqual(claims);
  });
});
