import { createHash, createHmac, createSecretKey } from "node:crypto";
import type { Algorithm } from "../core/settings/session-settings.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import { toBase64url } from "./base64url.ts";
import { isSameText } from "./same-text.ts";

/** A key that signs and verifies with its one algorithm. It shows no key material, not even to a debugger's print. */
export interface SigningKey {
  /** `kid` (RFC 7515 §4.1.4): names the key in a header; not secret. */
  readonly kid: string;
  readonly algorithm: Algorithm;
  /** The protected header of this key's JWTs, encoded: `{alg, typ: "JWT", kid}`. */
  readonly header: string;
  /** The signature over `signingInput` (RFC 7515 §5.1) in base64url. */
  sign(signingInput: string): string;
  /** Whether `signature` is this key's over `signingInput`, in canonical base64url. Constant time; never throws. */
  verify(signingInput: string, signature: string): boolean;
}

/** Hash and least length of the secret, in bytes, of each algorithm (RFC 7518 §3.2). */
const hmacAlgorithms = {
  HS256: { hash: "sha256", minBytes: 32 },
  HS384: { hash: "sha384", minBytes: 48 },
  HS512: { hash: "sha512", minBytes: 64 },
} as const satisfies Record<Algorithm, { hash: string; minBytes: number }>;

/** What `createHmacKey` takes. A string secret stands for its UTF-8 bytes, as it does in simplejwt. */
export interface HmacKeyOptions {
  readonly algorithm: Algorithm;
  readonly secret: string | Uint8Array;
  /** Default: a fingerprint of algorithm and secret. */
  readonly kid?: string;
}

/**
 * An HMAC key (RFC 7518 §3.2).
 *
 * @throws TypeError where the algorithm is unknown or the secret is shorter than the algorithm's hash.
 * @example
 * const key = createHmacKey({ algorithm: "HS256", secret: process.env["SIGNING_KEY"] ?? "" });
 */
export function createHmacKey({ algorithm, secret, kid }: HmacKeyOptions): SigningKey {
  if (!Object.hasOwn(hmacAlgorithms, algorithm)) throw new TypeError("algorithm: must be HS256, HS384 or HS512");
  const { hash, minBytes } = hmacAlgorithms[algorithm];
  const bytes = Buffer.from(secret);
  if (bytes.length < minBytes) {
    throw new SettingError(
      "signingKey",
      `must have at least ${minBytes} bytes for ${algorithm}, got ${bytes.length}. ` +
        `Create one with: openssl rand -hex ${minBytes}`,
    );
  }
  if (kid === "") throw new TypeError("kid: must not be empty");

  const id = kid ?? createHash("sha256").update(`${algorithm}\0`).update(bytes).digest("hex").slice(0, 16);
  // A KeyObject is prepared once; from raw bytes every HMAC would import the key again.
  const key = createSecretKey(bytes);
  const sign = (signingInput: string) => createHmac(hash, key).update(signingInput).digest("base64url");
  return Object.freeze({
    kid: id,
    algorithm,
    header: toProtectedHeader(algorithm, "JWT", id),
    sign,
    // Compared as text, which only the canonical encoding of the right MAC can equal.
    verify: (signingInput: string, signature: string) => isSameText(sign(signingInput), signature),
  });
}

/** The protected header `{alg, typ, kid}` in base64url (RFC 7515 §4.1). */
export function toProtectedHeader(alg: Algorithm, typ: string, kid: string): string {
  return toBase64url(Buffer.from(JSON.stringify({ alg, typ, kid })));
}

/** The keys a node accepts: tokens are signed with `current`, and verified with any. */
export interface KeySet {
  readonly current: SigningKey;
  /**
   * The one key that a header means, or `null`: the key with its `kid` or, without `kid`, the only key with its `alg`.
   * `alg` must be the key's own, so no header can choose how a key is used (RFC 8725 §3.1).
   */
  find(header: { readonly alg?: unknown; readonly kid?: unknown }): SigningKey | null;
}

/**
 * A set of the signing key and those before or after it, whose tokens are still, or already, accepted.
 *
 * @throws TypeError where two keys have the same `kid`.
 */
export function createKeySet(current: SigningKey, others: readonly SigningKey[] = []): KeySet {
  const keys = [current, ...others];
  const byKid = new Map<unknown, SigningKey>(keys.map((key) => [key.kid, key]));
  if (byKid.size !== keys.length) throw new TypeError("signingKey: two keys have the same kid");
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
