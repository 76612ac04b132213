import { isUtf8 } from "node:buffer";
import { describe, expect, it } from "vitest";
import type { AsymmetricAlgorithm, HmacAlgorithm } from "../../../src/crypto/keys/algorithms.ts";
import { createVerifyingKey } from "../../../src/crypto/keys/asymmetric-key.ts";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";
import { toSigningKey } from "../../../src/crypto/keys/key-material.ts";
import { createKeySet, type KeySet } from "../../../src/crypto/keys/key-set.ts";
import { parseSigningKey } from "../../../src/crypto/keys/parse-signing-key.ts";
import type { VerifyingKey } from "../../../src/crypto/keys/signing-key.ts";
import { signCompact, verifyCompact, verifySignature } from "../../../src/crypto/tokens/jws.ts";
import { toCode } from "../forge.ts";
import { readVectors } from "../vectors.ts";

interface Jwk {
  readonly kty: string;
  readonly k?: string;
  readonly kid?: string;
  readonly alg?: string;
}

/** Returns the key of a JWK under its own name, as our parser reads it. @throws TypeError if it is refused. */
function toKey(jwk: Jwk): VerifyingKey {
  const { kid = "vector" } = jwk;
  if (jwk.kty === "oct") {
    return createHmacKey({ algorithm: jwk.alg as HmacAlgorithm, secret: Buffer.from(jwk.k ?? "", "base64url"), kid });
  }
  const { algorithm, publicKey } = parseSigningKey(JSON.stringify(jwk));
  if (publicKey === null) throw new TypeError("no public key");
  return createVerifyingKey({ algorithm: algorithm as AsymmetricAlgorithm, kid, publicKey });
}

/** Returns a set of keys that only verify. Another one signs. */
function toSet(keys: readonly VerifyingKey[]): KeySet {
  const signing = createHmacKey({ algorithm: "HS384", secret: "s".repeat(48) });
  return createKeySet({ access: signing, others: keys });
}

describe("the example of RFC 7515 appendix A.1", () => {
  const secret = Buffer.from(
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "base64url",
  );
  const token =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const key = createHmacKey({ algorithm: "HS256", secret });

  it("is verified", () => {
    expect(verifyCompact(token, createKeySet({ access: key })).payload).toEqual({
      iss: "joe",
      exp: 1_300_819_380,
      "http://example.com/is_root": true,
    });
  });

  it("has the signature that our key creates", () => {
    expect(token.endsWith(`.${key.sign(token.slice(0, token.lastIndexOf(".")))}`)).toBe(true);
  });
});

/** An example of the cookbook, for the parts that a compact JWS has. */
interface Example {
  readonly reproducible?: boolean;
  readonly input: { readonly payload: string; readonly key: Jwk; readonly alg: string };
  readonly signing: { readonly "sig-input": string; readonly sig: string };
  readonly output: { readonly compact?: string };
}

describe("the examples of RFC 7520", () => {
  it.for([
    ["§4.1", "jws/4_1.rsa_v15_signature"],
    ["§4.2", "jws/4_2.rsa-pss_signature"],
    ["§4.3", "jws/4_3.ecdsa_signature"],
    ["§4.4", "jws/4_4.hmac-sha2_integrity_protection"],
    ["and RFC 8037 appendix A.4", "curve25519/jws"],
  ])("%s are verified, and have the signature that our key creates if it is the only one", ([, path], context) => {
    const { input, signing, output, reproducible } = readVectors<Example>(`rfc7520-cookbook/${path}.json`, context);
    const jwk = { ...input.key, alg: input.alg };
    expect(verifySignature(output.compact ?? "", toSet([toKey(jwk)])).payload).toBe(input.payload);
    if (reproducible !== true) return;
    const key = toSigner(jwk);
    expect(key.sign(signing["sig-input"])).toBe(signing.sig);
  });

  it("with detached content, without a protected header, or with several signatures are refused", (context) => {
    for (const name of ["4_5.signature_with_detached_content", "4_6.protecting_specific_header_fields"]) {
      const { input, output } = readVectors<Example>(`rfc7520-cookbook/jws/${name}.json`, context);
      const token = output.compact ?? JSON.stringify(output);
      expect(toCode(() => verifySignature(token, toSet([toKey(input.key)])))).toBe("token_invalid");
    }
  });

  it.for([
    ["EC", "3_2.ec_private_key", "ES512"],
    ["RSA", "3_4.rsa_private_key", "RS256"],
  ])("of a private %s key are read", ([, name, algorithm], context) => {
    const jwk = readVectors<Jwk>(`rfc7520-cookbook/jwk/${name}.json`, context);
    expect(parseSigningKey(JSON.stringify(jwk)).algorithm).toBe(algorithm);
  });

  it.for([
    "3_1.ec_public_key",
    "3_3.rsa_public_key",
    "3_5.symmetric_key_mac_computation",
    "3_6.symmetric_key_encryption",
  ])("of other keys are refused: %s", (name, context) => {
    const jwk = readVectors<Jwk>(`rfc7520-cookbook/jwk/${name}.json`, context);
    expect(() => parseSigningKey(JSON.stringify(jwk))).toThrow(/is a public JWK|is a JWK of a secret/);
  });
});

const toSigner = (jwk: Jwk) =>
  jwk.kty === "oct"
    ? createHmacKey({ algorithm: "HS256", secret: Buffer.from(jwk.k ?? "", "base64url") })
    : toSigningKey(parseSigningKey(JSON.stringify(jwk)), { use: "access" });

interface Test {
  readonly tcId: number;
  readonly comment: string;
  readonly jws: unknown;
  readonly result: string;
}

interface Vectors<K> {
  readonly testGroups: readonly { readonly comment: string; readonly private: K; readonly tests: readonly Test[] }[];
}

describe("the JWS verification", () => {
  /** The vectors that are wrong, with the right result and the reason. */
  const defects = new Map([
    [346, { result: "invalid", reason: "names PS384 in its header, although its key is for PS256" }],
    [350, { result: "invalid", reason: "names PS384 in its header, although its key is for PS256" }],
    [367, { result: "valid", reason: "was meant to have padding, but is the valid token of tc357 to the letter" }],
    [370, { result: "valid", reason: "was meant to have padding, but is the valid token of tc357 to the letter" }],
    [372, { result: "invalid", reason: "has a character outside the alphabet (RFC 7515 §2) in its header" }],
    [373, { result: "invalid", reason: "has a character outside the alphabet (RFC 7515 §2) in its payload" }],
  ]);

  function isValid({ tcId, comment, jws, result }: Test): boolean {
    // A JWT is text, and not empty.
    if (comment === "emptyPayload" || !isUtf8(Buffer.from(String(jws).split(".")[1] ?? "", "base64url"))) return false;
    return (defects.get(tcId)?.result ?? result) === "valid";
  }

  /** Corrects keys that are wrong: ES512 is called ES521, and in one list of operations they are one text. */
  function correct(jwk: Jwk & { readonly key_ops?: readonly string[] }): Jwk {
    const alg = jwk.alg === "ES521" ? { alg: "ES512" } : {};
    const operations = jwk.key_ops?.[0] === "sign, verify" ? { key_ops: ["sign", "verify"] } : {};
    return { ...jwk, ...alg, ...operations };
  }

  it("agrees with every vector of Wycheproof's json_web_signature_test", (context) => {
    let checked = 0;
    const groups = readVectors<Vectors<Jwk>>("wycheproof/json_web_signature_test.json", context).testGroups;
    for (const { private: jwk, tests } of groups) {
      const keys = nullIfRefused(() => toSet([toKey(correct(jwk))]));
      for (const test of tests) {
        const text = typeof test.jws === "string" ? test.jws : JSON.stringify(test.jws);
        const accepted = keys !== null && toCode(() => verifySignature(text, keys)) === undefined;
        expect(accepted, `tc${test.tcId}`).toBe(isValid(test));
        checked++;
      }
    }
    expect(checked).toBe(401);
  });

  it("agrees with every vector of Wycheproof's json_web_key_test", (context) => {
    let checked = 0;
    const groups = readVectors<Vectors<{ readonly keys: readonly Jwk[] }>>(
      "wycheproof/json_web_key_test.json",
      context,
    );
    for (const { private: set, tests } of groups.testGroups) {
      const keys = nullIfRefused(() => toSet(set.keys.map(toKey)));
      for (const test of tests) {
        const accepted = keys !== null && toCode(() => verifySignature(String(test.jws), keys)) === undefined;
        expect(accepted, `tc${test.tcId}`).toBe(isValid(test));
        checked++;
      }
    }
    expect(checked).toBe(26);
  });

  it("refuses a genuine payload that isn't a JSON object", () => {
    const key = createHmacKey({ algorithm: "HS256", secret: "s".repeat(32) });
    const [header = ""] = signCompact({}, key).split(".");
    const signingInput = `${header}.${Buffer.from("foo").toString("base64url")}`;
    const token = `${signingInput}.${key.sign(signingInput)}`;
    expect(verifySignature(token, createKeySet({ access: key })).payload).toBe("foo");
    expect(toCode(() => verifyCompact(token, createKeySet({ access: key })))).toBe("token_invalid");
  });
});

function nullIfRefused<T>(create: () => T): T | null {
  try {
    return create();
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
