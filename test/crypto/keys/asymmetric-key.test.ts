import { constants, createPublicKey, type KeyObject, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { AsymmetricAlgorithm } from "../../../src/crypto/keys/algorithms.ts";
import { createVerifyingKey } from "../../../src/crypto/keys/asymmetric-key.ts";
import { readVectors } from "../vectors.ts";
import { algorithms, materials, rsaKey, toAccessKey } from "./sample-keys.ts";

/** The order of P-256. */
const n = 0xffffffff_00000000_ffffffff_ffffffff_bce6faad_a7179e84_f3b9cac2_fc632551n;
/** The order of Ed25519's base point. */
const l = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;

const toBytes = (value: bigint) => Buffer.from(value.toString(16).padStart(64, "0"), "hex");
const toNumber = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const encode = (...parts: readonly Uint8Array[]) => Buffer.concat(parts).toString("base64url");

describe.each(algorithms)("a key of %s", (algorithm) => {
  const key = toAccessKey(algorithm);

  it("verifies its own signature of a text and no other", () => {
    const signature = key.sign("a.b");
    expect(key.verify("a.b", signature)).toBe(true);
    expect(key.verify("a.c", signature)).toBe(false);
    expect(key.verify("\u0161.b", signature)).toBe(false);
    expect(key.verify("a.b", key.sign("a.c"))).toBe(false);
  });

  it("says how long its signatures are", () => {
    expect(key.sign("a.b")).toHaveLength(key.signatureLength);
  });

  it("has a header that names it, and is for access tokens", () => {
    const header = JSON.parse(Buffer.from(key.header, "base64url").toString());
    expect(header).toEqual({ alg: algorithm, typ: "JWT", kid: materials[algorithm].kid });
    expect(key.use).toBe("access");
  });

  it("refuses every signature that is not the canonical text of the bytes", () => {
    const signature = key.sign("a.b");
    const last = signature.slice(-1);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // The last character has unused bits; this one differs in them alone.
    const unused = alphabet[alphabet.indexOf(last) ^ 1] ?? "";
    const others = [
      "",
      `${signature}=`,
      `${signature}A`,
      ` ${signature}`,
      `A${signature}`,
      signature.slice(0, -1),
      signature.slice(1),
      signature.slice(0, -1) + unused,
      `=${signature.slice(1)}`,
      "A".repeat(signature.length),
      "_".repeat(signature.length),
      signature.replace(/^./, (first) => String.fromCharCode(first.charCodeAt(0) + 256)),
    ];
    for (const other of others) expect(key.verify("a.b", other), other).toBe(false);
  });

  it("refuses the signature with any bit changed", () => {
    const signature = Buffer.from(key.sign("a.b"), "base64url");
    const step = Math.ceil(signature.length / 24);
    for (let at = 0; at < signature.length; at += step) {
      const changed = Buffer.from(signature);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      expect(key.verify("a.b", changed.toString("base64url")), `byte ${at}`).toBe(false);
    }
  });
});

describe("an ES256 key", () => {
  const key = toAccessKey("ES256");
  const signature = Buffer.from(key.sign("a.b"), "base64url");
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];

  it("refuses a signature in DER, whatever its length", () => {
    for (let i = 0; i < 50; i++) {
      const der = sign("sha256", Buffer.from("a.b"), materials.ES256.key);
      expect(key.verify("a.b", der.toString("base64url"))).toBe(false);
    }
  });

  it("refuses r and s that are zero or not below the order", () => {
    const zero = Buffer.alloc(32);
    const pairs = [zero, toBytes(1n), toBytes(n - 1n), toBytes(n), toBytes(n + 1n), Buffer.alloc(32, 0xff)];
    for (const first of [...pairs, r]) {
      for (const second of [...pairs, s]) {
        if (first !== r || second !== s) expect(key.verify("a.b", encode(first, second))).toBe(false);
      }
    }
  });

  it("refuses a signature with leading or trailing zeros, or without them", () => {
    const zero = Buffer.alloc(1);
    for (const parts of [[zero, r, zero, s], [r, zero, s], [zero, r, s], [r, s, zero], [r, s.subarray(1)], [r], []]) {
      expect(key.verify("a.b", encode(...parts))).toBe(false);
    }
  });

  it("accepts the other of the two signatures that everybody can make of one, so nothing may depend on a token's text", () => {
    expect(key.verify("a.b", encode(r, toBytes(n - toNumber(s))))).toBe(true);
  });
});

describe("an EdDSA key", () => {
  it("refuses a signature to which the order was added", () => {
    const key = toAccessKey("EdDSA");
    const signature = Buffer.from(key.sign("a.b"), "base64url");
    const [point, scalar] = [signature.subarray(0, 32), Buffer.from(signature.subarray(32)).reverse()];
    for (const times of [1n, 2n, 15n]) {
      const larger = toBytes(toNumber(scalar) + times * l);
      expect(larger).toHaveLength(32);
      expect(key.verify("a.b", encode(point, larger.reverse()))).toBe(false);
    }
    expect(key.verify("a.b", encode(point, toBytes(toNumber(scalar)).reverse()))).toBe(true);
  });
});

describe("an RSA key", () => {
  const message = Buffer.from("a.b");
  const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING } = constants;
  const signWith = (hash: string, padding: number, saltLength?: number) =>
    sign(hash, message, { key: rsaKey, padding, ...(saltLength === undefined ? {} : { saltLength }) }).toString(
      "base64url",
    );

  it.each([
    ["RS256", "PSS", () => signWith("sha256", RSA_PKCS1_PSS_PADDING, 32)],
    ["RS512", "PSS", () => signWith("sha512", RSA_PKCS1_PSS_PADDING, 64)],
    ["PS256", "PKCS #1 v1.5", () => signWith("sha256", RSA_PKCS1_PADDING)],
    ["PS512", "PKCS #1 v1.5", () => signWith("sha512", RSA_PKCS1_PADDING)],
    ["PS256", "a salt of no bytes", () => signWith("sha256", RSA_PKCS1_PSS_PADDING, 0)],
    ["PS256", "a salt of 20 bytes", () => signWith("sha256", RSA_PKCS1_PSS_PADDING, 20)],
    ["PS256", "the longest salt", () => signWith("sha256", RSA_PKCS1_PSS_PADDING, constants.RSA_PSS_SALTLEN_MAX_SIGN)],
    ["RS256", "another hash", () => signWith("sha512", RSA_PKCS1_PADDING)],
    ["PS256", "another hash", () => signWith("sha384", RSA_PKCS1_PSS_PADDING, 48)],
  ] as const)("of %s refuses a signature with %s", (algorithm, _, toSignature) => {
    expect(toAccessKey(algorithm).verify("a.b", toSignature())).toBe(false);
  });

  it("accepts what node:crypto signs in the same way", () => {
    expect(toAccessKey("RS384").verify("a.b", signWith("sha384", RSA_PKCS1_PADDING))).toBe(true);
    expect(toAccessKey("PS384").verify("a.b", signWith("sha384", RSA_PKCS1_PSS_PADDING, 48))).toBe(true);
  });

  it("refuses a signature that was not reduced", () => {
    const modulus = toNumber(Buffer.from(rsaKey.export({ format: "jwk" }).n ?? "", "base64url"));
    const signature = toNumber(Buffer.from(toAccessKey("RS256").sign("a.b"), "base64url"));
    const larger = Buffer.from((signature + modulus).toString(16).padStart(512, "0"), "hex").toString("base64url");
    expect(toAccessKey("RS256").verify("a.b", larger)).toBe(false);
  });
});

interface SignatureVectors {
  readonly testGroups: readonly {
    readonly publicKeyPem: string;
    readonly tests: readonly {
      readonly tcId: number;
      readonly msg: string;
      readonly sig: string;
      readonly result: string;
    }[];
  }[];
}

describe("the verification of signatures", () => {
  it.for<[algorithm: AsymmetricAlgorithm, file: string, checked: number]>([
    ["ES256", "ecdsa_secp256r1_sha256_p1363_test", 262],
    ["EdDSA", "ed25519_test", 84],
    ["RS256", "rsa_signature_2048_sha256_test", 258],
    ["PS256", "rsa_pss_2048_sha256_mgf1_32_test", 107],
  ])("with %s agrees with Wycheproof's %s", ([algorithm, file, expected], context) => {
    const results: string[] = [];
    for (const { publicKeyPem, tests } of readVectors<SignatureVectors>(`wycheproof/${file}.json`, context)
      .testGroups) {
      const publicKey: KeyObject = createPublicKey(publicKeyPem);
      const key = createVerifyingKey({ algorithm, kid: "vector", publicKey });
      for (const { tcId, msg, sig, result } of tests) {
        const text = Buffer.from(msg, "hex").toString();
        // A signing input is text, so messages that are not UTF-8 can't be tested.
        if (Buffer.from(text).toString("hex") !== msg) continue;
        const accepted = key.verify(text, Buffer.from(sig, "hex").toString("base64url"));
        expect(accepted, `tc${tcId}`).toBe(result === "valid");
        results.push(result);
      }
    }
    expect(results).toHaveLength(expected);
    expect(results).toContain("valid");
    expect(results).toContain("invalid");
  });
});
