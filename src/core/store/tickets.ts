import type { AuditOf } from "./audit.ts";
import type { CreatedSession, CreateSessionOutcome, NewSession } from "./sessions.ts";

/** Logins that wait for a second step: a row for each ticket that a client got after the right password. */
export interface TicketStore {
  /** Inserts a ticket. */
  create(ticket: NewTicket): Promise<void>;
  /** Returns a ticket in any state; `null` if there is none. */
  find(hash: Uint8Array): Promise<TicketAt | null>;
  /**
   * Counts an attempt of the second step, in one statement: of many calls at once, at most `maxAttempts` return true.
   *
   * @returns false, with nothing changed, if the ticket was used, has expired, or had that many attempts already.
   */
  countAttempt(hash: Uint8Array, maxAttempts: number): Promise<boolean>;
  /** Takes back an attempt whose proof could not be verified. */
  undoAttempt(hash: Uint8Array): Promise<void>;
  /**
   * Uses a ticket and inserts its session, in one transaction. One conditional UPDATE decides: of many calls with one ticket, one
   * wins. Locks the user's row as `sessions.create` does.
   *
   * @returns `used`, with nothing changed, if the ticket was used, has expired, or is another user's or epoch's.
   */
  redeem(session: NewSession, hash: Uint8Array, audit?: AuditOf<CreatedSession>): Promise<RedeemTicketOutcome>;
}

/** A ticket to insert. */
export interface NewTicket {
  /** SHA-256 of the ticket. */
  readonly hash: Uint8Array;
  /** The user whose password was verified. */
  readonly userId: string;
  /** The epoch under which it was verified. */
  readonly userEpoch: number;
  /** The name under which failed logins are counted, normalized. */
  readonly usernameKey: string;
  /** How the second step can be done, for the client. */
  readonly methods: readonly string[];
  /** Whether a browser keeps the refresh cookie after it is closed. */
  readonly persistent: boolean;
  /** How long the ticket is valid: seconds from now. */
  readonly lifetime: number;
}

/** A ticket. Times are whole seconds since the epoch. */
export interface Ticket extends Omit<NewTicket, "hash" | "lifetime"> {
  /** When the password was verified. */
  readonly createdAt: number;
  /** When the ticket expires. */
  readonly expiresAt: number;
  /** How often the second step was tried. */
  readonly attempts: number;
  /** The session that the ticket was used for; `null` if it wasn't used. */
  readonly sessionId: string | null;
}

/** A ticket, and the database's time when it was read. */
export interface TicketAt {
  /** The ticket. */
  readonly ticket: Ticket;
  /** Whole seconds since the epoch. */
  readonly now: number;
}

/** The result of `redeem`. */
export type RedeemTicketOutcome = CreateSessionOutcome | { readonly outcome: "used" };
