import {
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import type { Algorithm } from "../../core/settings/session-settings.ts";
import { SettingError } from "../../core/settings/setting-error.ts";
import { asymmetricAlgorithms, isHmac, type Scheme, schemes } from "./algorithms.ts";
import { createPrivateSigningKey } from "./asymmetric-key.ts";
import { createHmacKey, requireHmacLength, toHmacKid } from "./hmac-key.ts";
import { type PublicJwk, toJwk, toThumbprint } from "./public-jwk.ts";
import { findRsaFault } from "./rsa-numbers.ts";
import type { KeyUse, SigningKey } from "./signing-key.ts";

/**
 * A checked secret or private key, with the one algorithm that it is used with. Printing the object shows no key material.
 */
export interface KeyMaterial {
  /** The algorithm that the key signs with. */
  readonly algorithm: Algorithm;
  /**
   * The key's name. For a private key, it is the thumbprint of its public key (RFC 7638). For a secret, it is 16
   * hexadecimal digits, as in version 0.1.
   */
  readonly kid: string;
  /** The secret or private key. */
  readonly key: KeyObject;
  /** The public key, or `null` for a secret. */
  readonly publicKey: KeyObject | null;
}

/**
 * Returns the material of a secret for HMAC. A string is used as UTF-8 bytes.
 *
 * @param algorithm the algorithm to sign with. Default: HS256.
 * @throws SettingError for `algorithm` if it needs a private key, or for `signingKey` if the secret is too short.
 */
export function toSecretMaterial(secret: string | Uint8Array, algorithm: Algorithm = "HS256"): KeyMaterial {
  if (!isHmac(algorithm)) {
    throw new SettingError(
      "algorithm",
      `must be HS256, HS384 or HS512 for a secret, got "${algorithm}", which needs a private key. ` +
        `Create one with: tokenpair keys generate --alg ${algorithm}`,
    );
  }
  requireHmacLength(algorithm, secret);
  return Object.freeze({
    algorithm,
    kid: toHmacKid(algorithm, secret),
    key: createSecretKey(Buffer.from(secret)),
    publicKey: null,
  });
}

/**
 * Returns the material of a private key. First checks the key's type, curve and strength, and that its private and public
 * parts belong together.
 *
 * @param algorithm the algorithm to sign with. Default: the one that fits the key, or RS256 for RSA.
 * @throws SettingError for `signingKey`, or for `algorithm` if it doesn't fit the key.
 */
export function toPrivateMaterial(key: KeyObject, algorithm?: Algorithm): KeyMaterial {
  const fitting = asymmetricAlgorithms.filter((candidate) => fits(schemes[candidate], key));
  const [first] = fitting;
  if (first === undefined) throw unsupported(key);
  const chosen = fitting.find((candidate) => candidate === algorithm);
  if (algorithm !== undefined && chosen === undefined) {
    throw new SettingError(
      "algorithm",
      `must fit the signing key, which signs with ${fitting.join(", ")}; got "${algorithm}". Remove it, or set another key.`,
    );
  }
  if (key.asymmetricKeyType === "rsa") requireGoodRsa(key);
  const publicKey = createPublicKey(key);
  requireMatchingHalves(schemes[first], key, publicKey);
  return Object.freeze({ algorithm: chosen ?? first, kid: toThumbprint(publicKey), key, publicKey });
}

/**
 * Generates a key. A generated secret is 64 random bytes in base64url. A `kid` that begins with `-`, like one in 64
 * thumbprints, is avoided, because it would look like an option on the command line.
 *
 * @param algorithm the algorithm of the key. Default: ES256.
 */
export function generateKeyMaterial(algorithm: Algorithm = "ES256"): KeyMaterial {
  if (isHmac(algorithm)) return toSecretMaterial(randomBytes(64).toString("base64url"), algorithm);
  let material = toPrivateMaterial(generatePrivateKey(schemes[algorithm]), algorithm);
  while (material.kid.startsWith("-")) material = toPrivateMaterial(generatePrivateKey(schemes[algorithm]), algorithm);
  return material;
}

/**
 * Returns the key in the form that `parseSigningKey` reads: the bytes of a secret, or a private key as PEM (PKCS#8). Never
 * log it, and never store it without encrypting it.
 */
export function exportKeyMaterial({ key }: KeyMaterial): Buffer {
  return key.type === "secret" ? key.export() : Buffer.from(key.export({ type: "pkcs8", format: "pem" }));
}

/**
 * Returns a key that signs with the material.
 *
 * @throws TypeError if a private key would sign refresh tokens.
 */
export function toSigningKey(material: KeyMaterial, { use }: { readonly use: KeyUse }): SigningKey {
  const { algorithm, kid, key, publicKey } = material;
  if (isHmac(algorithm)) return createHmacKey({ algorithm, secret: key.export(), use });
  if (use !== "access" || publicKey === null) throw new TypeError("an asymmetric key signs access tokens only");
  return createPrivateSigningKey({ algorithm, kid, publicKey, privateKey: key });
}

/** Returns the public key as a JWK, or `null` for a secret, which has no public key. */
export function toPublicJwk({ algorithm, kid, publicKey }: KeyMaterial): PublicJwk | null {
  return isHmac(algorithm) || publicKey === null ? null : toJwk(algorithm, kid, publicKey);
}

function fits({ keyType, curve }: Scheme, { asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return keyType === asymmetricKeyType && (curve === null || curve === asymmetricKeyDetails?.namedCurve);
}

function unsupported({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): SettingError {
  const curve = asymmetricKeyDetails?.namedCurve;
  return new SettingError(
    "signingKey",
    `must be a key on P-256, P-384, P-521 or Ed25519, or an RSA key, got one of the type ${asymmetricKeyType}` +
      `${curve === undefined ? "" : ` on ${curve}`}. Create one with: tokenpair keys generate`,
  );
}

function requireGoodRsa(key: KeyObject): void {
  const { n = "", e = "", d = "", p = "", q = "", dp = "", dq = "", qi = "" } = key.export({ format: "jwk" });
  const fault = findRsaFault({ n, e, d, p, q, dp, dq, qi });
  if (fault === null) return;
  throw new SettingError("signingKey", `${fault}. Create one with: tokenpair keys generate --alg RS256`);
}

/** Signs and verifies once, because OpenSSL doesn't check that the two parts belong together when it reads a key. */
function requireMatchingHalves({ hash }: Scheme, privateKey: KeyObject, publicKey: KeyObject): void {
  const message = Buffer.from("tokenpair");
  try {
    if (verify(hash, message, publicKey, sign(hash, message, privateKey))) return;
  } catch {
    // Numbers that can't even sign.
  }
  throw new SettingError("signingKey", "is a key whose public half doesn't belong to its private half.");
}

function generatePrivateKey({ keyType, curve }: Scheme): KeyObject {
  switch (keyType) {
    case "ec":
      return generateKeyPairSync("ec", { namedCurve: curve ?? "" }).privateKey;
    case "ed25519":
      return generateKeyPairSync("ed25519").privateKey;
    case "rsa":
      return generateKeyPairSync("rsa", { modulusLength: 3_072 }).privateKey;
  }
}
