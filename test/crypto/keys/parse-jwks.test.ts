import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AuthError } from "../../../src/core/errors.ts";
import { toJwks } from "../../../src/crypto/keys/jwks.ts";
import { toPublicJwk } from "../../../src/crypto/keys/key-material.ts";
import { parseJwks } from "../../../src/crypto/keys/parse-jwks.ts";
import { algorithms, materials, toAccessKey } from "./sample-keys.ts";

type Jwk = Readonly<Record<string, unknown>>;

const es256 = toPublicJwk(materials.ES256) as unknown as Jwk;
const rs256 = toPublicJwk(materials.RS256) as unknown as Jwk;
const ed25519 = toPublicJwk(materials.EdDSA) as unknown as Jwk;
const parse = (...keys: readonly unknown[]) => parseJwks(JSON.stringify({ keys }));

describe("the keys of a JWK Set", () => {
  it.each(algorithms)("of %s verify what the private key has signed, and nothing else", (algorithm) => {
    const [key, ...more] = parseJwks(toJwks([materials[algorithm]]).body);
    const signed = toAccessKey(algorithm);
    expect(more).toEqual([]);
    expect(key).toMatchObject({ kid: materials[algorithm].kid, algorithm, use: "access" });
    expect(key?.verify("a.b", signed.sign("a.b"))).toBe(true);
    expect(key?.verify("a.c", signed.sign("a.b"))).toBe(false);
  });

  it("are all that the issuer publishes", () => {
    const body = toJwks([materials.ES256, materials.EdDSA, materials.RS256]).body;
    expect(new Set(parseJwks(body).map(({ kid }) => kid))).toEqual(
      new Set([materials.ES256.kid, materials.EdDSA.kid, materials.RS256.kid]),
    );
  });

  it("may have the newer name of EdDSA", () => {
    expect(parse({ ...ed25519, alg: "Ed25519" })[0]?.algorithm).toBe("EdDSA");
  });

  it("don't include two with the same kid: a token can't say which one it means", () => {
    const twins = [es256, { ...rs256, kid: es256["kid"] }];
    expect(parse(...twins, ed25519).map(({ algorithm }) => algorithm)).toEqual(["EdDSA"]);
    expect(parse(...twins)).toEqual([]);
  });

  it("are none in an empty set, and in one of an HMAC secret", () => {
    expect(parse()).toEqual([]);
    expect(parse({ kty: "oct", k: "AAAA", alg: "HS256", kid: "1" })).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["something that is no object", "key"],
    ["null", null],
    ["a key without kid", { ...es256, kid: undefined }],
    ["a key without alg, because a token must not choose it", { ...es256, alg: undefined }],
    ["a key with an empty kid", { ...es256, kid: "" }],
    ["a key for encryption", { ...es256, use: "enc" }],
    ["a key whose operations are others", { ...es256, key_ops: ["sign"] }],
    ["a key whose alg doesn't fit its curve", { ...es256, alg: "ES384" }],
    ["a key whose alg doesn't fit its type", { ...rs256, alg: "ES256" }],
    ["a key with an HMAC algorithm", { ...es256, alg: "HS256" }],
    ["a key with an algorithm of encryption", { ...rs256, alg: "RSA-OAEP" }],
    ["a key of an unknown type", { ...es256, kty: "AKP" }],
    ["a key on an unknown curve", { ...es256, crv: "secp256k1" }],
    ["a key whose number is shorter than its curve", { ...es256, x: "AAAA" }],
    ["a key whose number isn't canonical base64url", { ...es256, x: `${es256["x"]}=` }],
    ["a key that is no point on its curve", { ...es256, y: es256["x"] }],
    ["an RSA key whose modulus has a leading zero", { ...rs256, n: `AAAA${rs256["n"]}` }],
    ["an RSA key with the exponent 1, which would accept any signature", { ...rs256, e: "AQ" }],
    ["an RSA key of 1,024 bits", { ...shortRsa(), kid: "short", alg: "RS256" }],
  ])("leave out %s, and keep the others", (_, bad) => {
    expect(parse(bad, ed25519).map(({ algorithm }) => algorithm)).toEqual(["EdDSA"]);
  });

  it("don't exist for a text that isn't a JWK Set", () => {
    expect(() => parseJwks("<html>")).toThrow(AuthError);
    expect(() => parseJwks('{"keys":[],"keys":[]}')).toThrow(AuthError);
    expect(() => parseJwks("{}")).toThrow(TypeError);
    expect(() => parseJwks('{"keys":{}}')).toThrow(TypeError);
  });
});

function shortRsa(): Jwk {
  return { ...generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey.export({ format: "jwk" }) };
}
