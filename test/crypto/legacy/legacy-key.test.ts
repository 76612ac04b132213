import { createHmac, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { LegacyAlgorithm } from "../../../src/core/settings/legacy-settings.ts";
import { parseLegacyKey } from "../../../src/crypto/legacy/legacy-key.ts";
import { djangoSecret } from "../../support/simplejwt.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const shortRsa = generateKeyPairSync("rsa", { modulusLength: 1_024 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const otherCurve = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
const ed25519 = generateKeyPairSync("ed25519");

const toPem = (key: { export: (options: { type: "spki"; format: "pem" }) => string | Buffer }) =>
  String(key.export({ type: "spki", format: "pem" }));

const mac = (hash: string) => createHmac(hash, djangoSecret).update("input").digest("base64url");

describe("parseLegacyKey", () => {
  it.each([
    [undefined, "HS256", "sha256"],
    ["HS256", "HS256", "sha256"],
    ["HS384", "HS384", "sha384"],
    ["HS512", "HS512", "sha512"],
  ] as const)(
    "verifies with a secret and the algorithm %s as %s, also if the hash is longer",
    (given, algorithm, hash) => {
      const key = parseLegacyKey(djangoSecret, given);
      expect(key.algorithm).toBe(algorithm);
      expect(key.verify("input", mac(hash))).toBe(true);
      expect(key.verify("other", mac(hash))).toBe(false);
      expect(parseLegacyKey(Buffer.from(djangoSecret), given).verify("input", mac(hash))).toBe(true);
    },
  );

  it("takes the algorithm that fits a public key", () => {
    expect(parseLegacyKey(toPem(rsa.publicKey)).algorithm).toBe("RS256");
    expect(parseLegacyKey(toPem(rsa.publicKey), "RS512").algorithm).toBe("RS512");
    expect(parseLegacyKey(Buffer.from(`\n${toPem(ec.publicKey)}`)).algorithm).toBe("ES256");
  });

  it("can't sign, and doesn't show the secret when it is printed", () => {
    const key = parseLegacyKey(djangoSecret);
    expect(Object.keys(key)).toEqual(["algorithm", "verify"]);
  });

  it.each<[title: string, key: string | Uint8Array, message: string, algorithm?: LegacyAlgorithm]>([
    ["a short secret", "short", "legacyRefreshKey must have at least 32 bytes, got 5: shorter secrets can be guessed."],
    ["an empty secret", new Uint8Array(), "legacyRefreshKey must have at least 32 bytes, got 0"],
    ["a path", "/run/secrets/django-secret-key-of-our-project", "legacyRefreshKey looks like a path."],
    ["a URL", "https://vault.example/v1/secret/django-secret", "legacyRefreshKey looks like a URL."],
    [
      "a private key",
      String(rsa.privateKey.export({ type: "pkcs8", format: "pem" })),
      "legacyRefreshKey is a private key. Set simplejwt's VERIFYING_KEY",
    ],
    ["a JWK", JSON.stringify(rsa.publicKey.export({ format: "jwk" })), "legacyRefreshKey is a JWK."],
    [
      "a broken PEM",
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
      "legacyRefreshKey is a PEM that can't",
    ],
    [
      "a short RSA key",
      toPem(shortRsa.publicKey),
      "legacyRefreshKey must have at least 2048 bits as an RSA key, got 1024",
    ],
    ["a key on another curve", toPem(otherCurve.publicKey), "legacyRefreshKey must be an RSA key or a key on P-256"],
    [
      "a key that simplejwt can't use",
      toPem(ed25519.publicKey),
      "legacyRefreshKey must be an RSA key or a key on P-256",
    ],
    [
      "a secret for RS256",
      djangoSecret,
      "legacyRefreshAlgorithm must fit legacyRefreshKey, which verifies HS256,",
      "RS256",
    ],
    [
      "a public key for HS256",
      toPem(rsa.publicKey),
      "legacyRefreshAlgorithm must fit legacyRefreshKey, which verifies RS256,",
      "HS256",
    ],
  ])("refuses %s", (_, key, message, algorithm) => {
    expect(() => parseLegacyKey(key, algorithm)).toThrow(message);
  });
});
