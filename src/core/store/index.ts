import type { AuditStore } from "./audit.ts";
import type { FeedStore } from "./feed.ts";
import type { KeyStore } from "./keys.ts";
import type { LegacyStore } from "./legacy.ts";
import type { NodeStore } from "./nodes.ts";
import type { OutboxStore } from "./outbox.ts";
import type { ServiceStore } from "./services.ts";
import type { SessionStore } from "./sessions.ts";
import type { ThrottleStore } from "./throttle.ts";
import type { TicketStore } from "./tickets.ts";
import type { UserStore } from "./users.ts";

/**
 * The seam between the rules and the database. Every method that changes something is one transaction, durable when its
 * promise fulfils, and its result says who won. Time is the database's clock. A method that can't reach the database,
 * or waits too long for a lock, throws `StoreUnavailableError`.
 *
 * A store never sees a token, a secret, a password or a request. If a method takes `audit`, the store calls it with the
 * change and writes the records that it returns in the same transaction. It is not called if nothing changed.
 */
export interface Store {
  /** The users and their epochs. */
  readonly users: UserStore;
  /** The sessions. */
  readonly sessions: SessionStore;
  /** Logins that wait for a second step. */
  readonly tickets: TicketStore;
  /** Refresh tokens of the system that users come from. */
  readonly legacy: LegacyStore;
  /** The revocation feed. */
  readonly feed: FeedStore;
  /** The registry of nodes, for confirmed revocations. */
  readonly nodes: NodeStore;
  /** The key ring. */
  readonly keys: KeyStore;
  /** The services with credentials of their own. */
  readonly services: ServiceStore;
  /** The counts of failed logins. */
  readonly throttle: ThrottleStore;
  /** The audit log. */
  readonly audit: AuditStore;
  /** The webhook messages that wait to be sent. */
  readonly outbox: OutboxStore;
  /** Applies the pending migrations and returns their names, in order. Safe if other processes do the same at once. */
  migrate(): Promise<readonly string[]>;
  /**
   * Checks that the schema is the one that this version needs.
   *
   * @throws SchemaVersionError if the schema is older or newer.
   */
  checkSchema(): Promise<void>;
  /**
   * Deletes at most `limit` rows of each kind: sessions that are over, revocations that no access token can need any
   * more, tokens of another system and tickets of logins that have expired, expired counts of failed logins, and old audit entries.
   * Call it again while one of the counts equals `limit`.
   */
  deleteExpired(options: DeleteExpiredOptions): Promise<DeletedCounts>;
  /** Reports failed writes, and writes a probe. Missing if the store can't do that. */
  readonly writes?: WriteProbe;
  /** Returns what the connection pool is doing. Missing if the store has no pool. */
  readonly connections?: () => PoolUsage;
  /** Closes the connections that the store opened. */
  close(): Promise<void>;
}

/** Shows whether the database can be written to. */
export interface WriteProbe {
  /** Whether other nodes use the same database. If it can't be written to, no other node can do better. */
  readonly isShared: boolean;
  /**
   * Adds a listener for calls that failed because the database couldn't answer or couldn't be written to.
   *
   * @returns a function that removes it.
   */
  readonly onFailure: (listener: () => void) => () => void;
  /**
   * Writes a row larger than any that requests write, and deletes it.
   *
   * @throws StoreUnavailableError if the database can't be written to.
   */
  readonly probe: () => Promise<void>;
}

/** What `deleteExpired` may delete. */
export interface DeleteExpiredOptions {
  /** The maximum number of rows of each kind. */
  readonly limit: number;
  /** Seconds for which revocations and revoked sessions are kept after the last token that they concern has expired. */
  readonly horizon: number;
  /** Seconds for which audit entries are kept. Default: they are not deleted. */
  readonly auditHorizon?: number;
}

/** How many rows of each kind were deleted. */
export interface DeletedCounts {
  /** Sessions that were over. */
  readonly sessions: number;
  /** Entries of the revocation feed. */
  readonly revocations: number;
  /** Counts of failed logins. */
  readonly failures: number;
  /** Entries of the audit log. */
  readonly auditEntries: number;
  /** Refresh tokens of another system that have expired. */
  readonly legacyTokens: number;
  /** Tickets of logins that have expired. */
  readonly loginTickets: number;
}

/** What a connection pool is doing. */
export interface PoolUsage {
  /** Connections in the pool. */
  readonly open: number;
  /** Connections that are not in use. */
  readonly idle: number;
  /** Calls that wait for a connection. */
  readonly waiting: number;
  /** Calls refused since the start, because too many waited or the wait took too long. */
  readonly refused: number;
}
