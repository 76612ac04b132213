import { hkdfSync } from "node:crypto";
import { type HmacAlgorithm, hmacAlgorithms } from "./algorithms.ts";
import { createHmacKey } from "./hmac-key.ts";
import type { SigningKey } from "./signing-key.ts";

/** The keys that are derived from an installation's secret. They are the same on every node. */
export interface DerivedKeys {
  /** The key that signs CSRF tokens: 32 bytes. */
  readonly csrfKey: Uint8Array;
  /** The key that encrypts device tokens: 32 bytes. */
  readonly deviceKey: Uint8Array;
  /**
   * Returns the key of refresh tokens. It has no public key, and a service that shares an HMAC signing key doesn't know it.
   */
  refreshKey(kid: string): SigningKey;
}

/**
 * Derives the keys from an installation's secret (RFC 5869, SHA-256, without salt). A string is used as UTF-8 bytes.
 *
 * @param algorithm the algorithm of the refresh key. The key has as many bytes as the algorithm's hash. Default: HS256.
 */
export function deriveSecrets(secret: string | Uint8Array, algorithm: HmacAlgorithm = "HS256"): DerivedKeys {
  const derive = (purpose: string, bytes = 32) => new Uint8Array(hkdfSync("sha256", secret, "", purpose, bytes));
  const refreshSecret = derive("tokenpair refresh v1", hmacAlgorithms[algorithm].bytes);
  return Object.freeze({
    csrfKey: derive("tokenpair csrf v1"),
    deviceKey: derive("tokenpair device v2"),
    refreshKey: (kid: string) => createHmacKey({ algorithm, secret: refreshSecret, kid, use: "refresh" }),
  });
}
