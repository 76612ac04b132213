import { createHash, createHmac, createSecretKey } from "node:crypto";
import { SettingError } from "../../core/settings/setting-error.ts";
import { isSameText } from "../same-text.ts";
import { type HmacAlgorithm, hmacAlgorithms, isHmac } from "./algorithms.ts";
import { type KeyUse, type SigningKey, toEncodedLength, toProtectedHeader } from "./signing-key.ts";

/** The options of `createHmacKey`. */
export interface HmacKeyOptions {
  readonly algorithm: HmacAlgorithm;
  /** The secret. A string is used as UTF-8 bytes, as in simplejwt. */
  readonly secret: string | Uint8Array;
  /** The key's name. Default: a fingerprint of the algorithm and the secret, the same as in version 0.1. */
  readonly kid?: string;
  /** Which tokens the key may sign. Default: "both". */
  readonly use?: KeyUse;
}

/**
 * Creates an HMAC key (RFC 7518 §3.2).
 *
 * @throws TypeError if the algorithm is unknown, if the secret is shorter than the algorithm's hash, or if `kid` is empty.
 * @example
 * const key = createHmacKey({ algorithm: "HS256", secret: process.env["SIGNING_KEY"] ?? "" });
 */
export function createHmacKey({ algorithm, secret, kid, use = "both" }: HmacKeyOptions): SigningKey {
  if (!isHmac(algorithm)) throw new TypeError("algorithm must be HS256, HS384 or HS512");
  if (kid === "") throw new TypeError("kid must not be empty");
  requireHmacLength(algorithm, secret);

  const { hash, bytes } = hmacAlgorithms[algorithm];
  const id = kid ?? toHmacKid(algorithm, secret);
  // A KeyObject is imported once. With raw bytes, every HMAC would import the key again.
  const key = createSecretKey(Buffer.from(secret));
  const sign = (signingInput: string) => createHmac(hash, key).update(signingInput).digest("base64url");
  return Object.freeze({
    kid: id,
    algorithm,
    use,
    header: toProtectedHeader(algorithm, "JWT", id),
    signatureLength: toEncodedLength(bytes),
    sign,
    // Compared as text and in constant time, so that no other encoding of the right MAC is accepted.
    verify: (signingInput: string, signature: string) => isSameText(sign(signingInput), signature),
  });
}

/**
 * Checks that a secret has at least as many bytes as the hash of its algorithm.
 *
 * @throws SettingError for `signingKey` if it is shorter.
 */
export function requireHmacLength(algorithm: HmacAlgorithm, secret: string | Uint8Array): void {
  const { bytes } = hmacAlgorithms[algorithm];
  const length = typeof secret === "string" ? Buffer.byteLength(secret) : secret.byteLength;
  if (length >= bytes) return;
  throw new SettingError(
    "signingKey",
    `must have at least ${bytes} bytes for ${algorithm}, got ${length}. Create one with: openssl rand -hex ${bytes}`,
  );
}

/**
 * Returns the `kid` of a secret: 16 hexadecimal digits. It is the same as in version 0.1, so that tokens of that version
 * can be verified.
 */
export function toHmacKid(algorithm: HmacAlgorithm, secret: string | Uint8Array): string {
  return createHash("sha256").update(`${algorithm}\0`).update(secret).digest("hex").slice(0, 16);
}
