import type { AuditOf } from "./audit.ts";
import type { Guard } from "./guard.ts";

/** The count of failed logins under one key. Times are whole seconds since the epoch, on the database's clock. */
export interface FailureCount {
  /** How many failures were counted. */
  readonly failures: number;
  /** When the last failure was counted. */
  readonly lastAt: number;
  /** When the count expires, or `null` if it does not expire. */
  readonly expiresAt: number | null;
}

/** The counts under some keys, from one consistent read. */
export interface CountSnapshot {
  /** The counts by key. A key without failures has no count. */
  readonly counts: ReadonlyMap<string, FailureCount>;
  /** The database's time, in whole seconds since the epoch. */
  readonly now: number;
}

/** What was decided about some counts. */
export interface CountVerdict<T> {
  /** The value that `decide` returns to its caller. */
  readonly result: T;
  /** The counts to write. `null` clears a count. */
  readonly changes: ReadonlyMap<string, FailureCount | null>;
}

/** Counts that an operator has cleared. */
export interface ClearedCounts {
  /** The number of counts. */
  readonly counts: number;
  /** The time at which they were cleared, in whole seconds since the epoch. */
  readonly time: number;
}

/** The counts of failed logins, shared by all nodes. Keys are hashes, so no username or address is stored. */
export interface ThrottleStore {
  /**
   * Locks the counts under `keys`, passes them to `decide` and makes the changes in its verdict, all in one transaction.
   * Concurrent calls see each other's changes. `decide` must be pure, because it may be called again. With `peekFirst`,
   * `decide` is first called with counts from a plain read. If that verdict has no changes, it is the result, so a refusal
   * never waits for a lock.
   */
  decide<T>(
    keys: readonly string[],
    decide: (snapshot: CountSnapshot) => CountVerdict<T>,
    options?: { readonly peekFirst?: boolean },
  ): Promise<T>;
  /**
   * Clears the counts under `key` and under every key below it (`key/…`).
   *
   * @param guard decides in the transaction whether this is allowed.
   */
  clear(key: string, audit?: AuditOf<ClearedCounts>, guard?: Guard): Promise<ClearedCounts>;
}
