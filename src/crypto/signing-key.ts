import { createHash, createHmac, createSecretKey } from "node:crypto";
import type { Algorithm } from "../core/settings/session-settings.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import { toBase64url } from "./base64url.ts";
import { isSameText } from "./same-text.ts";

/** A key that signs and verifies with one algorithm. It has no property that holds key material, so printing it is safe. */
export interface SigningKey {
  /** The key's name in a header (RFC 7515 §4.1.4). Not secret. */
  readonly kid: string;
  /** The key's one algorithm. */
  readonly algorithm: Algorithm;
  /** The protected header of the JWTs that this key signs, `{alg, typ: "JWT", kid}`, in base64url. */
  readonly header: string;
  /** Returns the signature of `signingInput` (RFC 7515 §5.1) in base64url. */
  sign(signingInput: string): string;
  /** Returns whether `signature` is this key's of `signingInput`, in canonical base64url. Constant time. Never throws. */
  verify(signingInput: string, signature: string): boolean;
}

/** Each algorithm's hash, and the shortest secret in bytes (RFC 7518 §3.2). */
const hmacAlgorithms = {
  HS256: { hash: "sha256", minBytes: 32 },
  HS384: { hash: "sha384", minBytes: 48 },
  HS512: { hash: "sha512", minBytes: 64 },
} as const satisfies Partial<Record<Algorithm, { hash: string; minBytes: number }>>;

/** The options of `createHmacKey`. */
export interface HmacKeyOptions {
  readonly algorithm: keyof typeof hmacAlgorithms;
  /** A string is used as UTF-8 bytes, as in simplejwt. */
  readonly secret: string | Uint8Array;
  /** Default: a fingerprint of algorithm and secret. */
  readonly kid?: string;
}

/**
 * Creates an HMAC key (RFC 7518 §3.2).
 *
 * @throws TypeError if the algorithm is unknown, the secret is shorter than the algorithm's hash, or `kid` is empty.
 * @example
 * const key = createHmacKey({ algorithm: "HS256", secret: process.env["SIGNING_KEY"] ?? "" });
 */
export function createHmacKey({ algorithm, secret, kid }: HmacKeyOptions): SigningKey {
  if (!Object.hasOwn(hmacAlgorithms, algorithm)) throw new TypeError("algorithm must be HS256, HS384 or HS512");
  const { hash, minBytes } = hmacAlgorithms[algorithm];
  const bytes = Buffer.from(secret);
  if (bytes.length < minBytes) {
    throw new SettingError(
      "signingKey",
      `must have at least ${minBytes} bytes for ${algorithm}, got ${bytes.length}. ` +
        `Create one with: openssl rand -hex ${minBytes}`,
    );
  }
  if (kid === "") throw new TypeError("kid must not be empty");

  const id = kid ?? createHash("sha256").update(`${algorithm}\0`).update(bytes).digest("hex").slice(0, 16);
  // A KeyObject is imported once. With raw bytes, every HMAC would import the key again.
  const key = createSecretKey(bytes);
  const sign = (signingInput: string) => createHmac(hash, key).update(signingInput).digest("base64url");
  return Object.freeze({
    kid: id,
    algorithm,
    header: toProtectedHeader(algorithm, "JWT", id),
    sign,
    // Compared as text, so that no other encoding of the right MAC is accepted.
    verify: (signingInput: string, signature: string) => isSameText(sign(signingInput), signature),
  });
}

/** Returns the protected header `{alg, typ, kid}` in base64url (RFC 7515 §4.1). */
export function toProtectedHeader(alg: Algorithm, typ: string, kid: string): string {
  return toBase64url(Buffer.from(JSON.stringify({ alg, typ, kid })));
}

/** The keys that a node accepts. */
export interface KeySet {
  /** The key that signs new tokens. */
  readonly current: SigningKey;
  /**
   * Returns the key that a header names, or `null`: the key with its `kid` or, without `kid`, the only key with its `alg`.
   * `alg` must be the key's own, so that a header can't choose how a key is used (RFC 8725 §3.1).
   */
  find(header: { readonly alg?: unknown; readonly kid?: unknown }): SigningKey | null;
}

/**
 * Creates a set of keys.
 *
 * @param current signs new tokens.
 * @param others only verify: earlier keys, or the next one.
 * @throws TypeError if two keys have the same `kid`.
 */
export function createKeySet(current: SigningKey, others: readonly SigningKey[] = []): KeySet {
  const keys = [current, ...others];
  const byKid = new Map<unknown, SigningKey>(keys.map((key) => [key.kid, key]));
  if (byKid.size !== keys.length) throw new TypeError("two signing keys have the same kid");
  return Object.freeze({
    current,
    find({ alg, kid }: { readonly alg?: unknown; readonly kid?: unknown }): SigningKey | null {
      if (kid === undefined) {
        const [only, ...more] = keys.filter((key) => key.algorithm === alg);
        return only !== undefined && more.length === 0 ? only : null;
      }
      const key = byKid.get(kid);
      return key !== undefined && key.algorithm === alg ? key : null;
    },
  });
}
