import type { AuditStore } from "./audit.ts";
import type { FeedStore } from "./feed.ts";
import type { KeyStore } from "./keys.ts";
import type { LegacyStore } from "./legacy.ts";
import type { NodeStore } from "./nodes.ts";
import type { OutboxStore } from "./outbox.ts";
import type { ServiceStore } from "./services.ts";
import type { SessionStore } from "./sessions.ts";
import type { StaffStore } from "./staff.ts";
import type { ThrottleStore } from "./throttle.ts";
import type { TicketStore } from "./tickets.ts";
import type { UserStore } from "./users.ts";

/**
 * The interface between the rules and the database. Every method that changes something is one transaction, which is
 * durable when the promise fulfils. If calls race, the results say which of them succeeded. All times come from the
 * database's clock. A method throws `StoreUnavailableError` if it can't reach the database, or if it waits too long for a
 * lock.
 *
 * A store never sees a token, a secret, a password or a request. If a method takes a function `audit`, the store calls it
 * with the change, and writes the records that it returns in the same transaction. The store doesn't call it if nothing
 * changed.
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
  /** The registry of nodes, which confirmed revocations need. */
  readonly nodes: NodeStore;
  /** The key ring. */
  readonly keys: KeyStore;
  /** The services that have their own credentials. */
  readonly services: ServiceStore;
  /** The counts of failed logins. */
  readonly throttle: ThrottleStore;
  /** The audit log. */
  readonly audit: AuditStore;
  /** The lists of the staff. */
  readonly staff: StaffStore;
  /** The webhook messages that wait to be sent. */
  readonly outbox: OutboxStore;
  /**
   * Applies the pending migrations and returns their names, in the order in which they were applied. Several processes may
   * call it at the same time.
   */
  migrate(): Promise<readonly string[]>;
  /**
   * Checks that the schema has the version that this release of tokenpair needs.
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
  /** Reports failed writes, and makes test writes. Missing if the store can't do that. */
  readonly writes?: WriteProbe;
  /** Returns the state of the connection pool. Missing if the store has no pool. */
  readonly connections?: () => PoolUsage;
  /** Closes the connections that the store opened. */
  close(): Promise<void>;
}

/** Finds out whether the database can be written to. */
export interface WriteProbe {
  /** Whether other nodes use the same database. If so, none of them can write either while this node can't. */
  readonly isShared: boolean;
  /**
   * Adds a listener that is called when a call fails because the database couldn't answer or couldn't be written to.
   *
   * @returns a function that removes the listener.
   */
  readonly onFailure: (listener: () => void) => () => void;
  /**
   * Writes a row that is larger than any row written by a request, and deletes it.
   *
   * @throws StoreUnavailableError if the database can't be written to.
   */
  readonly probe: () => Promise<void>;
}

/** The options of `deleteExpired`. */
export interface DeleteExpiredOptions {
  /** The maximum number of rows of each kind to delete. */
  readonly limit: number;
  /** How long revocations and revoked sessions are kept after the last of their tokens has expired, in seconds. */
  readonly horizon: number;
  /** How long audit entries are kept, in seconds. Default: audit entries are not deleted. */
  readonly auditHorizon?: number;
}

/** How many rows of each kind were deleted. */
export interface DeletedCounts {
  /** The number of sessions that had been revoked or had expired. */
  readonly sessions: number;
  /** The number of entries of the revocation feed. */
  readonly revocations: number;
  /** The number of counts of failed logins. */
  readonly failures: number;
  /** The number of entries of the audit log. */
  readonly auditEntries: number;
  /** The number of expired refresh tokens of another system. */
  readonly legacyTokens: number;
  /** Tickets of logins that have expired. */
  readonly loginTickets: number;
}

/** The state of a connection pool. */
export interface PoolUsage {
  /** The number of connections in the pool. */
  readonly open: number;
  /** The number of connections that are not in use. */
  readonly idle: number;
  /** The number of calls that are waiting for a connection. */
  readonly waiting: number;
  /**
   * The number of calls that have been refused since the start, because too many were waiting or because the wait took too
   * long.
   */
  readonly refused: number;
}
