import { timingSafeEqual } from "node:crypto";

/** What reading a stored hash of one format gives: how to check a password against it, or why that cannot be done. */
export type Parsed = { readonly matches: Matcher } | Fault;

/** Whether a password is the one that the hash was made from; works off the event loop, and never throws. */
export type Matcher = (password: string) => Promise<boolean>;

/** Why a stored string cannot be verified. Never quotes it. */
export interface Fault {
  readonly fault: string;
}

export const malformed: Fault = Object.freeze({ fault: "it is malformed" });

/**
 * A hash that would take too long or too much memory to check. Each format's limits are far above what is in use, and
 * stop a stored string from stalling the server.
 */
export const unaffordable: Fault = Object.freeze({ fault: "its parameters cost more than is spent on one login" });

/** The number that plain digits stand for; `null` for all else, leading zeros too. */
export function parseCount(text: string): number | null {
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}

/** The bytes of canonical base64 with its padding, or without any; `null` for all else (RFC 4648 §3.5). */
export function parseBase64(text: string): Buffer | null {
  // Node skips what it does not know; only canonical text survives the way back.
  const bytes = Buffer.from(text, "base64");
  const canonical = bytes.toString("base64");
  return text === canonical || text === canonical.replace(/=+$/, "") ? bytes : null;
}

/** Whether two digests are equal, in a time that does not tell where they differ. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
