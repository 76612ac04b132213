import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { Algorithm } from "../../../src/core/settings/session-settings.ts";
import { SettingError } from "../../../src/core/settings/setting-error.ts";
import { exportKeyMaterial, generateKeyMaterial, toSigningKey } from "../../../src/crypto/keys/key-material.ts";
import { parseSigningKey } from "../../../src/crypto/keys/parse-signing-key.ts";
import { algorithms, materials, rsaKey } from "./sample-keys.ts";

const secret = "a secret of this test only, which has more than 64 bytes, so that HS512 has enough";

const keyOf = (algorithm: Algorithm) => materials[algorithm].key;
const toJwk = (key: KeyObject): JsonWebKey => key.export({ format: "jwk" });
const toText = (jwk: object) => JSON.stringify(jwk);
const toPem = (key: KeyObject, type: "pkcs8" | "sec1" | "pkcs1" = "pkcs8") =>
  key.export({ type, format: "pem" } as { type: "pkcs8"; format: "pem" }).toString();

/** Returns the error that a key is refused with. It must be a SettingError, and must not quote the key. */
function refusalOf(key: string | Uint8Array, algorithm?: Algorithm): string {
  try {
    parseSigningKey(key, algorithm);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    const shown = inspect(error, { depth: 9, showHidden: true });
    const words =
      Buffer.from(key)
        .toString("latin1")
        .match(/[\w+/-]{20,}/g) ?? [];
    for (const word of words) expect(shown).not.toContain(word);
    return error.message;
  }
  return "accepted";
}

describe("a signing key that is a secret", () => {
  it("signs with HS256, unless another hash is set", () => {
    expect(parseSigningKey(secret)).toMatchObject({ algorithm: "HS256", publicKey: null });
    expect(parseSigningKey(Buffer.from(secret), "HS512")).toMatchObject({ algorithm: "HS512", publicKey: null });
    expect(parseSigningKey(secret).kid).toMatch(/^[0-9a-f]{16}$/);
    expect(parseSigningKey(Buffer.from(secret)).kid).toBe(parseSigningKey(secret).kid);
  });

  it("is refused if it is too short, or looks like a path or a placeholder", () => {
    expect(refusalOf("4f9d1c")).toMatch(/^signingKey must have at least 32 bytes for HS256, got 6\./);
    expect(refusalOf(secret.slice(0, 63), "HS512")).toMatch(
      /^signingKey must have at least 64 bytes for HS512, got 63\./,
    );
    expect(refusalOf("/run/secrets/signing-key")).toMatch(/^signingKey looks like a path/);
    expect(refusalOf("change-me-change-me-change-me-change-me")).toMatch(/^signingKey is a placeholder/);
  });

  it.each(["ES256", "EdDSA", "RS256", "PS512"] as const)("is refused with the algorithm %s", (algorithm) => {
    expect(refusalOf(secret, algorithm)).toBe(
      `algorithm must be HS256, HS384 or HS512 for a secret, got "${algorithm}", which needs a private key. ` +
        `Create one with: tokenpair keys generate --alg ${algorithm}`,
    );
  });
});

describe("a signing key that is a PEM", () => {
  it.each([
    ["P-256", "ES256"],
    ["P-384", "ES384"],
    ["P-521", "ES512"],
    ["Ed25519", "EdDSA"],
    ["RSA", "RS256"],
  ] as const)("on %s signs with %s", (_, algorithm) => {
    const { kid, key } = materials[algorithm];
    expect(parseSigningKey(toPem(key))).toMatchObject({ algorithm, kid });
    expect(parseSigningKey(Buffer.from(toPem(key)))).toMatchObject({ algorithm, kid });
  });

  it.each(["RS384", "RS512", "PS256", "PS384", "PS512"] as const)(
    "of RSA signs with %s if that is set",
    (algorithm) => {
      expect(parseSigningKey(toPem(rsaKey), algorithm)).toMatchObject({ algorithm, kid: materials.RS256.kid });
    },
  );

  it("can be in the formats of RSA and of elliptic curves", () => {
    expect(parseSigningKey(toPem(rsaKey, "pkcs1")).kid).toBe(materials.RS256.kid);
    expect(parseSigningKey(toPem(keyOf("ES256"), "sec1")).kid).toBe(materials.ES256.kid);
  });

  it("can have other line ends, none, or text around it", () => {
    const pem = toPem(keyOf("ES256"));
    const curve = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    const others = [
      pem.replaceAll("\n", "\r\n"),
      pem.trimEnd().replaceAll("\n", "\\n"),
      pem.replaceAll("\n", " "),
      `\ufeff${pem}`,
      `Bag Attributes\n    localKeyID: 54\n${pem}\n`,
      `${curve}${toPem(keyOf("ES256"), "sec1")}`,
    ];
    for (const other of others) expect(parseSigningKey(other).kid).toBe(materials.ES256.kid);
  });

  it("of openssl is read", (context) => {
    const openssl = (...args: readonly string[]) => {
      try {
        return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      } catch {
        return context.skip("openssl is missing");
      }
    };
    const ec = openssl("ecparam", "-name", "prime256v1", "-genkey");
    expect(parseSigningKey(ec).algorithm).toBe("ES256");
    expect(parseSigningKey(openssl("genpkey", "-algorithm", "ed25519")).algorithm).toBe("EdDSA");
  });

  it.each<[what: string, pem: () => string, fault: RegExp]>([
    ["public", () => toSpki(keyOf("ES256")), /is a public key\. Set the private key/],
    ["public, of RSA's own form", () => toPkcs1(rsaKey), /is a public key\. Set the private key/],
    [
      "a certificate",
      () => "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
      /is a certificate\. Set the/,
    ],
    ["encrypted", () => encrypt(keyOf("ES256"), "pkcs8"), /is an encrypted PEM\. Decrypt it with: openssl pkey/],
    [
      "encrypted in the old way",
      () => encrypt(keyOf("ES256"), "sec1"),
      /is an encrypted PEM\. Decrypt it with: openssl/,
    ],
    ["of OpenSSH", () => toBlock("OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEA"), /is a key in OpenSSH's own format/],
    ["of PGP", () => toBlock("PGP PRIVATE KEY BLOCK", "lQOYBF"), /is a PEM, but not of a private key/],
    ["of parameters alone", () => toBlock("EC PARAMETERS", "BggqhkjOPQMBBw=="), /is not a complete PEM/],
    ["cut off", () => toPem(keyOf("ES256")).slice(0, -30), /is not a complete PEM: its END line/],
    [
      "with another END line",
      () => toPem(keyOf("ES256")).replace("END PRIVATE", "END PUBLIC"),
      /is not a complete PEM/,
    ],
    [
      "with a wrong letter",
      () => toPem(keyOf("ES256")).replace("\nM", "\n*"),
      /content can't be read as a private key/,
    ],
    ["with nothing in it", () => toBlock("PRIVATE KEY", ""), /content can't be read as a private key/],
    ["with other bytes in it", () => toBlock("PRIVATE KEY", "AAAA"), /content can't be read as a private key/],
    ["twice", () => toPem(keyOf("ES256")) + toPem(keyOf("EdDSA")), /has more than one PEM block/],
    ["with its public key", () => toPem(keyOf("ES256")) + toSpki(keyOf("ES256")), /has more than one PEM block/],
    [
      "on secp256k1",
      () => toPem(ecKey("secp256k1")),
      /got one of the type ec on secp256k1\. Create one with: tokenpair/,
    ],
    ["on P-224", () => toPem(ecKey("secp224r1")), /got one of the type ec on secp224r1/],
    ["Ed448", () => toPem(generateKeyPairSync("ed448").privateKey), /got one of the type ed448/],
    ["X25519", () => toPem(generateKeyPairSync("x25519").privateKey), /got one of the type x25519/],
    ["RSA for PSS alone", () => toPem(pssKey()), /got one of the type rsa-pss/],
    [
      "RSA of 1024 bits",
      () => toPem(weakRsa({ modulusLength: 1_024 })),
      /must have 2048 to 8192 bits as an RSA key, got 1024/,
    ],
    [
      "RSA of 2047 bits",
      () => toPem(weakRsa({ modulusLength: 2_047 })),
      /must have 2048 to 8192 bits as an RSA key, got 2047/,
    ],
    [
      "RSA with the exponent 3",
      () => toPem(weakRsa({ modulusLength: 2_048, publicExponent: 3 })),
      /exponent that is even or below/,
    ],
  ])("is refused if it is %s", (_, pem, fault) => {
    expect(refusalOf(pem())).toMatch(fault);
    expect(refusalOf(Buffer.from(pem()))).toMatch(fault);
  });

  it("is refused if its public half belongs to another key", () => {
    const [a, b] = [ecKey("prime256v1"), ecKey("prime256v1")];
    const der = a.export({ type: "sec1", format: "der" });
    const pointOf = (key: KeyObject) => createPublicKey(key).export({ type: "spki", format: "der" }).subarray(-65);
    const at = der.indexOf(pointOf(a));
    const mixed = Buffer.concat([der.subarray(0, at), pointOf(b), der.subarray(at + 65)]);
    expect(parseSigningKey(toBlock("EC PRIVATE KEY", der.toString("base64"))).algorithm).toBe("ES256");
    expect(refusalOf(toBlock("EC PRIVATE KEY", mixed.toString("base64")))).toMatch(/public half doesn't belong/);
  });

  it.each<[what: Algorithm, algorithm: Algorithm, fits: string]>([
    ["ES256", "ES384", "ES256"],
    ["ES256", "HS256", "ES256"],
    ["ES256", "RS256", "ES256"],
    ["EdDSA", "ES256", "EdDSA"],
    ["RS256", "EdDSA", "RS256, RS384, RS512, PS256, PS384, PS512"],
  ])("for %s is refused with the algorithm %s", (key, algorithm, fits) => {
    expect(refusalOf(toPem(keyOf(key)), algorithm)).toBe(
      `algorithm must fit the signing key, which signs with ${fits}; got "${algorithm}". Remove it, or set another key.`,
    );
  });
});

describe("a signing key that is a JWK", () => {
  it.each(algorithms)("of %s is read", (algorithm) => {
    const { key, kid } = materials[algorithm];
    expect(parseSigningKey(toText({ ...toJwk(key), alg: algorithm }))).toMatchObject({ algorithm, kid });
    expect(parseSigningKey(` ${toText(toJwk(key))}\n`, algorithm)).toMatchObject({ algorithm, kid });
  });

  it("can have members that don't matter, and what is for signing", () => {
    const { key, kid } = materials.ES256;
    const others = [
      { kid: "mine", x5t: "A", ext: true, nbf: 5 },
      { use: "sig", key_ops: ["sign"] },
      { key_ops: ["verify", "sign"], alg: "ES256" },
    ];
    for (const other of others) expect(parseSigningKey(toText({ ...toJwk(key), ...other })).kid).toBe(kid);
  });

  it("names EdDSA by either of its names", () => {
    for (const alg of ["EdDSA", "Ed25519"]) {
      expect(parseSigningKey(toText({ ...toJwk(keyOf("EdDSA")), alg })).algorithm).toBe("EdDSA");
    }
  });

  const ec = () => toJwk(keyOf("ES256"));
  const ed = () => toJwk(keyOf("EdDSA"));
  const rsa = () => toJwk(rsaKey);
  const without = (jwk: JsonWebKey, name: string) => ({ ...jwk, [name]: undefined });

  it.each<[what: string, jwk: () => object | string, fault: RegExp]>([
    ["public", () => without(ec(), "d"), /is a public JWK\. Set the private key/],
    ["a set", () => ({ keys: [ec()] }), /is a JWK Set\. Set the one JWK/],
    ["of a secret", () => ({ kty: "oct", k: "A".repeat(43) }), /is a JWK of a secret \(oct\)\. Set the secret itself/],
    ["without kty", () => without(ec(), "kty"), /kty isn't EC, OKP or RSA/],
    ["of another kty", () => ({ ...ec(), kty: "RSA" }), /whose n is missing or malformed/],
    ["of a kty that Object has", () => ({ ...ec(), kty: "toString" }), /kty isn't EC, OKP or RSA/],
    ["of a kty that is a list", () => ({ ...ec(), kty: ["EC"] }), /kty isn't EC, OKP or RSA/],
    ["for encryption", () => ({ ...ec(), use: "enc" }), /use isn't "sig"/],
    ["with use null", () => ({ ...ec(), use: null }), /use isn't "sig"/],
    ["with key_ops that lack sign", () => ({ ...ec(), key_ops: ["verify"] }), /key_ops isn't/],
    ["with key_ops for more than signing", () => ({ ...ec(), key_ops: ["sign", "deriveKey"] }), /key_ops isn't/],
    ["with key_ops that name one twice", () => ({ ...ec(), key_ops: ["sign", "sign"] }), /key_ops isn't/],
    ["with key_ops that isn't a list", () => ({ ...ec(), key_ops: "sign" }), /key_ops isn't/],
    ["of an unknown alg", () => ({ ...ec(), alg: "ES256K" }), /alg isn't one of ES256/],
    ["of the alg none", () => ({ ...ec(), alg: "none" }), /alg isn't one of ES256/],
    ["of an alg for HMAC", () => ({ ...ec(), alg: "HS256" }), /alg isn't one of ES256/],
    ["of alg as a list", () => ({ ...ec(), alg: ["ES256"] }), /alg isn't one of ES256/],
    ["of an alg for another curve", () => ({ ...ec(), alg: "ES384" }), /^algorithm must fit the signing key/],
    ["on another curve than its numbers", () => ({ ...ec(), crv: "P-384" }), /whose x is missing or malformed/],
    ["on secp256k1", () => toJwk(ecKey("secp256k1")), /crv isn't P-256, P-384, P-521/],
    ["on Ed448", () => toJwk(generateKeyPairSync("ed448").privateKey), /crv isn't Ed25519/],
    ["on X25519", () => toJwk(generateKeyPairSync("x25519").privateKey), /crv isn't Ed25519/],
    ["without crv", () => without(ec(), "crv"), /crv isn't P-256/],
    ["without x", () => without(ec(), "x"), /whose x is missing or malformed/],
    ["with x as a number", () => ({ ...ec(), x: 5 }), /whose x is missing or malformed/],
    ["with padding", () => ({ ...ec(), d: `${ec().d}=` }), /whose d is missing or malformed/],
    ["with a shorter d", () => ({ ...ec(), d: "AQ" }), /whose d is missing or malformed/],
    ["with a longer d", () => ({ ...ec(), d: Buffer.alloc(33, 1).toString("base64url") }), /whose d is missing or/],
    [
      "with d zero",
      () => ({ ...ec(), d: Buffer.alloc(32).toString("base64url") }),
      /numbers don't make a key|public half/,
    ],
    ["with a point beside the curve", () => ({ ...ec(), y: ec().x }), /numbers don't make a key/],
    ["with another key's point", () => ({ ...toJwk(ecKey("prime256v1")), d: ec().d }), /public half doesn't belong/],
    ["with another key's x on Ed25519", () => ({ ...toJwk(edKey()), d: ed().d }), /public half doesn't belong/],
    ["RSA without primes", () => without(rsa(), "p"), /whose p is missing or malformed/],
    ["RSA with more than two primes", () => ({ ...rsa(), oth: [] }), /more than two primes/],
    ["RSA with a leading zero", () => ({ ...rsa(), e: "AAEAAQ" }), /whose e is missing or malformed/],
    ["RSA with another key's modulus", () => ({ ...rsa(), n: toJwk(anotherRsa()).n }), /numbers don't belong together/],
    ["RSA with another key's d", () => ({ ...toJwk(anotherRsa()), d: rsa().d }), /numbers don't belong together/],
    [
      "with a member twice",
      () => `{"kty":"EC",${toText(ec()).slice(1)}`,
      /isn't a JSON object without duplicate members/,
    ],
    ["cut off", () => toText(ec()).slice(0, -1), /isn't a JSON object without duplicate members/],
  ])("is refused if it is %s", (_, jwk, fault) => {
    const value = jwk();
    expect(refusalOf(typeof value === "string" ? value : toText(value))).toMatch(fault);
  });

  it("is refused if its alg isn't the algorithm that is set", () => {
    expect(refusalOf(toText({ ...rsa(), alg: "PS256" }), "RS256")).toBe(
      'algorithm must be that of the JWK, PS256, got "RS256". Remove it.',
    );
  });
});

describe("a key that is neither PEM nor JWK", () => {
  const spki = () => createPublicKey(keyOf("ES256")).export({ type: "spki", format: "der" });
  const pkcs8 = () => keyOf("ES256").export({ type: "pkcs8", format: "der" });
  const publicJwk = () => toText(toJwk(createPublicKey(keyOf("ES256"))));
  const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");

  it.each<[what: string, key: () => string | Uint8Array]>([
    ["a public key in DER", spki],
    ["a private key in DER", pkcs8],
    [
      "an RSA public key in its own form of DER",
      () => createPublicKey(rsaKey).export({ type: "pkcs1", format: "der" }),
    ],
    ["an Ed25519 private key in DER", () => keyOf("EdDSA").export({ type: "pkcs8", format: "der" })],
    ["an RSA private key in DER", () => rsaKey.export({ type: "pkcs8", format: "der" })],
    ["a public key in base64", () => spki().toString("base64")],
    ["a private key in base64", () => pkcs8().toString("base64")],
    ["a PEM in base64", () => Buffer.from(toSpki(keyOf("ES256"))).toString("base64")],
    ["a PEM in base64, as bytes", () => Buffer.from(Buffer.from(toSpki(keyOf("ES256"))).toString("base64"))],
    ["a JWK in base64url", () => Buffer.from(toText(toJwk(createPublicKey(keyOf("ES256"))))).toString("base64url")],
    ["a public key in hexadecimal digits", () => spki().toString("hex")],
    [
      "a public key in hexadecimal digits with colons",
      () =>
        spki()
          .toString("hex")
          .replaceAll(/..(?!$)/g, "$&:"),
    ],
    ["a PEM of a public key as a part of a URL", () => encodeURIComponent(toSpki(keyOf("ES256")))],
    ["a JWK as a JSON string", () => JSON.stringify(publicJwk())],
    ["a JWK as Python prints it", () => publicJwk().replaceAll('"', "'")],
    ["a JWK in YAML", () => publicJwk().replaceAll(/[{}"]/g, "").replaceAll(",", "\n").replaceAll(":", ": ")],
    ["a JWK behind a comment", () => `# the key\n${publicJwk()}`],
    ["a PEM in UTF-16", () => utf16(toSpki(keyOf("ES256")))],
    ["a PEM in UTF-16 without a byte order mark", () => utf16(toSpki(keyOf("ES256"))).subarray(2)],
    ["a public key of OpenSSH", () => "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEFhYWFhYWFhYWFhYWFhYWFh me@host"],
    ["a public key of OpenSSH on P-256", () => "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTY"],
  ])("is refused, and never becomes a secret: %s", (_, key) => {
    expect(refusalOf(key())).toMatch(
      /^signingKey is a key in DER, OpenSSH's format or another notation\. Set a PEM or JWK/,
    );
  });
});

describe("key material", () => {
  it.each([...algorithms.filter((algorithm) => !/^[RP]S/.test(algorithm)), "HS256", "HS512"] as const)(
    "that is generated for %s survives being exported and parsed",
    (algorithm) => {
      const material = generateKeyMaterial(algorithm);
      const again = parseSigningKey(exportKeyMaterial(material), algorithm);
      expect(again).toMatchObject({ algorithm, kid: material.kid });
      const use = "access";
      const signature = toSigningKey(material, { use }).sign("a.b");
      expect(toSigningKey(again, { use }).verify("a.b", signature)).toBe(true);
    },
  );

  it("is different each time it is generated, and ES256 by default", () => {
    expect(generateKeyMaterial().algorithm).toBe("ES256");
    expect(generateKeyMaterial().kid).not.toBe(generateKeyMaterial().kid);
  });

  it("shows no key material when printed", () => {
    const { d = "" } = toJwk(keyOf("ES256"));
    for (const material of [materials.ES256, parseSigningKey(secret)]) {
      const shown = inspect(material, { depth: 9, showHidden: true }) + JSON.stringify(material);
      expect(shown).not.toContain(d);
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain(Buffer.from(secret).toString("hex").slice(0, 20));
      const key = toSigningKey(material, { use: "access" });
      expect(inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key)).not.toContain(d);
    }
  });

  it("of a private key signs no refresh tokens", () => {
    for (const use of ["refresh", "both"] as const) {
      expect(() => toSigningKey(materials.ES256, { use })).toThrow(TypeError);
    }
  });
});

const ecKey = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).privateKey;
const edKey = () => generateKeyPairSync("ed25519").privateKey;
const pssKey = () => generateKeyPairSync("rsa-pss", { modulusLength: 2_048 }).privateKey;
const weakRsa = (options: { modulusLength: number; publicExponent?: number }) =>
  generateKeyPairSync("rsa", options).privateKey;
let another: KeyObject | undefined;
const anotherRsa = () => (another ??= weakRsa({ modulusLength: 2_048 }));
const toSpki = (key: KeyObject) => createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
const toPkcs1 = (key: KeyObject) => createPublicKey(key).export({ type: "pkcs1", format: "pem" }).toString();
const toBlock = (label: string, body: string) => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;

function encrypt(key: KeyObject, type: "pkcs8" | "sec1"): string {
  const options = { type, format: "pem", cipher: "aes-256-cbc", passphrase: "planted" } as const;
  return createPrivateKey(toPem(key))
    .export(options as never)
    .toString();
}
