import { timingSafeEqual } from "node:crypto";

/** A parsed hash: how to check a password against it, or why it can't be verified. */
export type Parsed = Verifiable | Fault;

/** A hash that a password can be checked against. */
export interface Verifiable {
  readonly matches: Matcher;
  /** Returns whether the hash was made from every byte of a password that matches. Default: it always is. */
  readonly coversWhole?: (password: string) => boolean;
}

/** Returns whether a password matches the hash. Works off the event loop and never throws. */
export type Matcher = (password: string) => Promise<boolean>;

/** Why a stored text can't be verified. Never quotes it. */
export interface Fault {
  readonly fault: string;
}

export const malformed: Fault = Object.freeze({ fault: "it is malformed" });

/**
 * A hash that would take too much time or memory to check. The limits are far above common parameters; they keep a stored
 * text from stalling the server.
 */
export const unaffordable: Fault = Object.freeze({ fault: "its parameters cost more than is spent on one login" });

/** Returns the number that plain digits spell; `null` for any other text, leading zeros included. */
export function parseCount(text: string): number | null {
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}

/** Returns the bytes of canonical base64, with its padding or without any; else `null` (RFC 4648 §3.5). */
export function parseBase64(text: string): Buffer | null {
  // Node skips characters that it does not know: only canonical text encodes to itself again.
  const bytes = Buffer.from(text, "base64");
  const canonical = bytes.toString("base64");
  return text === canonical || text === canonical.replace(/=+$/, "") ? bytes : null;
}

/** Returns whether two digests are equal, in constant time. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
