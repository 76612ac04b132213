import type { AuditOf } from "./audit.ts";

/** Failed logins counted under one key. Times are whole seconds since the epoch on the database's clock. */
export interface FailureCount {
  /** How many failures were counted. */
  readonly failures: number;
  /** When the last failure was counted. */
  readonly lastAt: number;
  /** When the count expires; `null` if it does not. */
  readonly expiresAt: number | null;
}

/** The counts under some keys, from one consistent read. */
export interface CountSnapshot {
  /** The counts by key. A key without failures is missing. */
  readonly counts: ReadonlyMap<string, FailureCount>;
  /** Whole seconds since the epoch. */
  readonly now: number;
}

/** What was decided about some counts. */
export interface CountVerdict<T> {
  /** What `decide` returns to its caller. */
  readonly result: T;
  /** The counts to write; `null` clears a count. */
  readonly changes: ReadonlyMap<string, FailureCount | null>;
}

/** Counts that an operator has cleared. */
export interface ClearedCounts {
  /** How many counts. */
  readonly counts: number;
  /** Whole seconds since the epoch. */
  readonly time: number;
}

/** The counts of failed logins, shared by all nodes. Keys are hashes: no username and no address is stored. */
export interface ThrottleStore {
  /**
   * Locks the counts under `keys`, passes them to `decide` and makes the changes of its verdict, all in one
   * transaction. Concurrent calls see each other's changes. `decide` must be pure: it may run again. With `peekFirst`,
   * a verdict without changes comes from a plain read, so that a refusal never waits for a lock.
   */
  decide<T>(
    keys: readonly string[],
    decide: (snapshot: CountSnapshot) => CountVerdict<T>,
    options?: { readonly peekFirst?: boolean },
  ): Promise<T>;
  /** Clears the counts under `key` and under every key below it (`key/…`). */
  clear(key: string, audit?: AuditOf<ClearedCounts>): Promise<ClearedCounts>;
}
