import { AuthError } from "../../core/errors.ts";
import type { Ticket, TicketAt } from "../../core/store/tickets.ts";
import { hashLoginTicket } from "../../crypto/login-tickets.ts";
import type { Deps } from "../deps.ts";

/** How often the second step of one login may be tried. */
export const maxAttempts = 5;

/** A login that waits for a second step, as the application sees it. */
export interface LoginTicket {
  /** The user whose password was verified. */
  readonly userId: string;
  /** How the second step can be done, as `afterPassword` said. */
  readonly methods: readonly string[];
  /** Seconds until the ticket expires. */
  readonly expiresIn: number;
  /** How often the second step can still be tried. */
  readonly attemptsLeft: number;
}

/**
 * Returns the login that a ticket belongs to, without using the ticket: for a second step that begins with a challenge.
 *
 * @returns `null` if the ticket was used, has expired, or had five attempts.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function findTicket({ store }: Pick<Deps, "store">, text: string): Promise<LoginTicket | null> {
  const hash = hashLoginTicket(text);
  const found = hash === null ? null : await store.tickets.find(hash);
  if (found === null || findFault(found) !== null) return null;
  const { userId, methods, expiresAt, attempts } = found.ticket;
  return { userId, methods, expiresIn: expiresAt - found.now, attemptsLeft: maxAttempts - attempts };
}

/**
 * Returns a ticket that can be used.
 *
 * @throws AuthError `ticket_invalid`.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function findUsableTicket({ store }: Pick<Deps, "store">, hash: Uint8Array): Promise<Ticket> {
  const found = await store.tickets.find(hash);
  if (found === null) throw new AuthError("ticket_invalid", "no such ticket");
  const fault = findFault(found);
  if (fault !== null) throw new AuthError("ticket_invalid", fault);
  return found.ticket;
}

function findFault({ ticket, now }: TicketAt): string | null {
  if (ticket.sessionId !== null) return "the ticket was used";
  if (ticket.expiresAt <= now) return "the ticket has expired";
  return ticket.attempts >= maxAttempts ? "the ticket had too many attempts" : null;
}
