import { timingSafeEqual } from "node:crypto";

/** A parsed hash: how to check a password against it, or why it can't be verified. */
export type Parsed = Verifiable | Fault;

/** A hash that a password can be checked against. */
export interface Verifiable {
  readonly matches: Matcher;
  /** Returns whether the hash covers every byte of a password that matches. Default: it always does. */
  readonly coversWhole?: (password: string) => boolean;
}

/** Returns whether a password matches the hash. Works outside the event loop and never throws. */
export type Matcher = (password: string) => Promise<boolean>;

/** The reason why a stored text can't be verified. It never quotes the text. */
export interface Fault {
  readonly fault: string;
}

/** The fault of a text that no hash has. */
export const malformed: Fault = Object.freeze({ fault: "it is malformed" });

/**
 * The fault of a hash that would take too much time or memory to check. The limits are far above common parameters. They
 * keep a stored text from blocking the server.
 */
export const unaffordable: Fault = Object.freeze({ fault: "its parameters cost more than is spent on one login" });

/**
 * Returns the number that is written in plain digits. Returns `null` for any other text, including a number with leading
 * zeros.
 */
export function parseCount(text: string): number | null {
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}

/**
 * Returns the bytes of canonical base64 with complete padding or without padding. Returns `null` for any other text (RFC
 * 4648 §3.5).
 */
export function parseBase64(text: string): Buffer | null {
  // Node skips characters that it does not know: only canonical text encodes to itself again.
  const bytes = Buffer.from(text, "base64");
  const canonical = bytes.toString("base64");
  return text === canonical || text === canonical.replace(/=+$/, "") ? bytes : null;
}

/** Returns whether two digests are equal. Compares in constant time. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
