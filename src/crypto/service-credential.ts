import { createHash } from "node:crypto";
import type { Random } from "../core/runtime/random.ts";
import { toBase64url } from "./base64url.ts";

/** A new credential of a service. */
export interface ServiceCredential {
  /** `tps_` and 43 characters of base64url, from 256 random bits. Show it once; never store or log it. */
  readonly credential: string;
  /** SHA-256 of the credential, which is all that is stored of it. */
  readonly hash: Uint8Array;
  /** The first 8 characters after `tps_`, so that operators can tell credentials apart. */
  readonly prefix: string;
}

/** What every credential begins with, so that scanners find one that was published by mistake. */
const start = "tps_";

/** Creates the credential of a service. */
export function createServiceCredential(random: Random): ServiceCredential {
  const secret = toBase64url(random(32));
  const credential = `${start}${secret}`;
  return { credential, hash: hash(credential), prefix: secret.slice(0, 8) };
}

/** Returns the hash by which the store finds a credential; `null` if the text doesn't have the form of one, as no token has. */
export function hashServiceCredential(text: string): Uint8Array | null {
  return /^tps_[A-Za-z0-9_-]{43}$/.test(text) ? hash(text) : null;
}

/** A fast hash is enough, because no attacker can try 2²⁵⁶ credentials. */
function hash(credential: string): Uint8Array {
  return createHash("sha256").update(credential).digest();
}
