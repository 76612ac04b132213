import { createHash } from "node:crypto";
import type { Random } from "../core/runtime/random.ts";
import { toBase64url } from "./base64url.ts";

/** A new credential of a service. */
export interface ServiceCredential {
  /**
   * The credential: `tps_` and 43 characters of base64url, from 256 random bits. Show it once, and never store or log it.
   */
  readonly credential: string;
  /** SHA-256 of the credential. Only this hash is stored. */
  readonly hash: Uint8Array;
  /** The first 8 characters after `tps_`, by which operators can recognize the credential. */
  readonly prefix: string;
}

/** The beginning of every credential, by which scanners can find a credential that was published by mistake. */
const start = "tps_";

/** Creates the credential of a service. */
export function createServiceCredential(random: Random): ServiceCredential {
  const secret = toBase64url(random(32));
  const credential = `${start}${secret}`;
  return { credential, hash: hash(credential), prefix: secret.slice(0, 8) };
}

/**
 * Returns the hash by which the store finds a credential. Returns `null` if the text doesn't have the form of a credential.
 * No token has this form.
 */
export function hashServiceCredential(text: string): Uint8Array | null {
  return /^tps_[A-Za-z0-9_-]{43}$/.test(text) ? hash(text) : null;
}

/** Returns the hash of a credential. A fast hash is enough, because an attacker can't try 2²⁵⁶ credentials. */
function hash(credential: string): Uint8Array {
  return createHash("sha256").update(credential).digest();
}
