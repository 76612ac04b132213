import { describe, expect, it } from "vitest";
import { signCompact, verifyCompact, verifySignature } from "../../src/crypto/jws.ts";
import { createHmacKey } from "../../src/crypto/keys/hmac-key.ts";
import { createKeySet } from "../../src/crypto/keys/key-set.ts";
import { toCode } from "./forge.ts";
import { readVectors } from "./vectors.ts";

interface OctetKey {
  readonly kty: string;
  readonly k: string;
  readonly kid: string;
  readonly alg: string;
}

const toKey = (jwk: OctetKey) =>
  createHmacKey({ algorithm: "HS256", secret: Buffer.from(jwk.k, "base64url"), kid: jwk.kid });

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

describe("the example of RFC 7520 §4.4", () => {
  it("is verified, and has the signature that our key creates", (context) => {
    interface Example {
      readonly input: { readonly payload: string; readonly key: OctetKey };
      readonly signing: { readonly "sig-input": string; readonly sig: string };
      readonly output: { readonly compact: string };
    }
    const path = "rfc7520-cookbook/jws/4_4.hmac-sha2_integrity_protection.json";
    const { input, signing, output } = readVectors<Example>(path, context);
    const key = toKey(input.key);
    expect(verifySignature(output.compact, createKeySet({ access: key })).payload).toBe(input.payload);
    expect(key.sign(signing["sig-input"])).toBe(signing.sig);
  });
});

describe("the JWS verification", () => {
  /** The vectors that are wrong, with the right result and the reason. */
  const defects = new Map([
    [367, { result: "valid", reason: "was meant to have padding, but is the valid token of tc357 to the letter" }],
    [370, { result: "valid", reason: "was meant to have padding, but is the valid token of tc357 to the letter" }],
    [372, { result: "invalid", reason: "has a character outside the alphabet (RFC 7515 §2) in its header" }],
    [373, { result: "invalid", reason: "has a character outside the alphabet (RFC 7515 §2) in its payload" }],
  ]);

  it("agrees with every HMAC vector of Wycheproof's json_web_signature_test", (context) => {
    interface Vectors {
      readonly testGroups: readonly {
        readonly private?: OctetKey;
        readonly tests: readonly { readonly tcId: number; readonly jws: unknown; readonly result: string }[];
      }[];
    }
    let checked = 0;
    for (const { private: jwk, tests } of readVectors<Vectors>("wycheproof/json_web_signature_test.json", context)
      .testGroups) {
      if (jwk?.kty !== "oct" || jwk.alg !== "HS256") continue;
      for (const { tcId, jws, result } of tests) {
        const text = typeof jws === "string" ? jws : JSON.stringify(jws);
        const valid = (defects.get(tcId)?.result ?? result) === "valid";
        const keys = createKeySet({ access: toKey(jwk) });
        expect(
          toCode(() => verifySignature(text, keys)),
          `tc${tcId}`,
        ).toBe(valid ? undefined : "token_invalid");
        checked++;
      }
    }
    expect(checked).toBe(40);
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
