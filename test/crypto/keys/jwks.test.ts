import { createHash, createPublicKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toJwks } from "../../../src/crypto/keys/jwks.ts";
import { generateKeyMaterial, toPublicJwk } from "../../../src/crypto/keys/key-material.ts";
import { parseSigningKey } from "../../../src/crypto/keys/parse-signing-key.ts";
import { toThumbprint } from "../../../src/crypto/keys/public-jwk.ts";
import { algorithms, materials } from "./sample-keys.ts";

describe("the thumbprint of a public key", () => {
  it("is that of RFC 7638 §3.1", () => {
    const n =
      "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn6" +
      "4tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91" +
      "CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    const key = createPublicKey({ key: { kty: "RSA", n, e: "AQAB" }, format: "jwk" });
    expect(toThumbprint(key)).toBe("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  });

  it("is that of RFC 8037 appendix A.3", () => {
    const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    expect(toThumbprint(key)).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  });

  it("is not made of a private key", () => {
    expect(() => toThumbprint(materials.ES256.key)).toThrow(TypeError);
  });
});

describe("the public JWK of a key", () => {
  it("has its members in a fixed order, and no other", () => {
    const orders = Object.fromEntries(
      algorithms.map((name) => [name, Object.keys(toPublicJwk(materials[name]) ?? {})]),
    );
    expect(orders).toMatchObject({
      ES256: ["kty", "crv", "x", "y", "use", "alg", "kid"],
      ES384: ["kty", "crv", "x", "y", "use", "alg", "kid"],
      EdDSA: ["kty", "crv", "x", "use", "alg", "kid"],
      RS256: ["kty", "e", "n", "use", "alg", "kid"],
      PS512: ["kty", "e", "n", "use", "alg", "kid"],
    });
  });

  it("says what the key is for", () => {
    for (const algorithm of algorithms) {
      const { kid } = materials[algorithm];
      expect(toPublicJwk(materials[algorithm])).toMatchObject({ use: "sig", alg: algorithm, kid });
    }
  });

  it("doesn't exist for a secret", () => {
    expect(toPublicJwk(generateKeyMaterial("HS256"))).toBeNull();
  });
});

describe("a JWK Set", () => {
  const several = [materials.ES256, materials.EdDSA, materials.RS256];

  it("is the same for the same keys, in whatever order a node has them", () => {
    const { body } = toJwks(several);
    expect(toJwks([...several].reverse()).body).toBe(body);
    expect(toJwks([...several, materials.EdDSA]).body).toBe(body);
    const kids = JSON.parse(body).keys.map(({ kid }: { readonly kid: string }) => kid);
    expect(kids).toEqual(several.map(({ kid }) => kid).sort());
  });

  it("has an ETag and a version that are made of its bytes", () => {
    const { body, etag, version } = toJwks(several);
    const hash = createHash("sha256").update(body).digest();
    expect(etag).toBe(`"${hash.toString("base64url").slice(0, 22)}"`);
    expect(version).toBe(hash.subarray(0, 4).toString("hex"));
    expect(toJwks([materials.ES256])).not.toMatchObject({ version });
  });

  it("is an empty list of keys if there are only secrets", () => {
    expect(toJwks([generateKeyMaterial("HS256"), generateKeyMaterial("HS512")]).body).toBe('{"keys":[]}');
    expect(toJwks([]).body).toBe('{"keys":[]}');
  });

  it("has neither secrets nor a private member, even if the key was a JWK with more members", () => {
    const private_ = materials.RS256.key.export({ format: "jwk" });
    const imported = parseSigningKey(JSON.stringify({ ...private_, planted: "planted", kid: "planted" }));
    const secret = generateKeyMaterial("HS256");
    const { body } = toJwks([...several, imported, secret]);
    const { keys } = JSON.parse(body) as { readonly keys: readonly object[] };
    const names = new Set(keys.flatMap((key) => Object.keys(key)));
    expect([...names].sort()).toEqual(["alg", "crv", "e", "kid", "kty", "n", "use", "x", "y"]);
    for (const name of ["d", "p", "q", "dp", "dq", "qi"] as const) expect(body).not.toContain(private_[name]);
    for (const planted of ["planted", secret.kid, '"k"']) expect(body).not.toContain(planted);
  });
});
