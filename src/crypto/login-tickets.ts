import { createHash } from "node:crypto";
import type { Random } from "../core/runtime/random.ts";
import { toBase64url } from "./base64url.ts";

/** A new ticket of a login that waits for a second step. */
export interface LoginTicketSecret {
  /** `tpl_` and 43 characters of base64url, from 256 random bits. Give it to the client; never store or log it. */
  readonly ticket: string;
  /** SHA-256 of the ticket, which is all that is stored of it. */
  readonly hash: Uint8Array;
}

/** Creates the ticket of a login. */
export function createLoginTicket(random: Random): LoginTicketSecret {
  const ticket = `tpl_${toBase64url(random(32))}`;
  return { ticket, hash: hash(ticket) };
}

/** Returns the hash by which the store finds a ticket; `null` if the text doesn't have the form of one. */
export function hashLoginTicket(text: unknown): Uint8Array | null {
  return typeof text === "string" && /^tpl_[A-Za-z0-9_-]{43}$/.test(text) ? hash(text) : null;
}

/** A fast hash is enough, because no attacker can try 2²⁵⁶ tickets. */
function hash(ticket: string): Uint8Array {
  return createHash("sha256").update(ticket).digest();
}
