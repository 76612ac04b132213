import type { AuditOf } from "./audit.ts";

/** Failed logins that have been counted under one key. Times are whole seconds since the epoch on the store's clock. */
export interface FailureCount {
  readonly failures: number;
  /** When the last one was counted. */
  readonly lastAt: number;
  /** When all of them are forgotten; `null`: not by themselves. */
  readonly expiresAt: number | null;
}

/** What is counted under some keys, as one consistent look finds it. */
export interface Counted {
  /** By key; a key under which nothing is counted is missing. */
  readonly counts: ReadonlyMap<string, FailureCount>;
  readonly now: number;
}

/** What a look decided: the counts to write, and those to forget (`null`). */
export interface CountVerdict<T> {
  readonly result: T;
  readonly changes: ReadonlyMap<string, FailureCount | null>;
}

/** What was forgotten by hand. */
export interface Forgotten {
  /** How many counts. */
  readonly counts: number;
  readonly time: number;
}

/** Where failed logins are counted, for all nodes together. Keys are hashes: no name and no address is kept. */
export interface ThrottleStore {
  /**
   * Locks the counts under `keys`, shows them to `decide` and makes the changes of its verdict, all in one transaction: of
   * several at once each sees what those before it have counted. `decide` is pure and may be run again. With `looksFirst`,
   * a verdict without changes comes from a plain look, so that a refusal waits for nobody.
   */
  decide<T>(
    keys: readonly string[],
    decide: (counted: Counted) => CountVerdict<T>,
    options?: { readonly looksFirst?: boolean },
  ): Promise<T>;
  /** Forgets what is counted under `key` and under every key below it (`key/…`). */
  forget(key: string, audit?: AuditOf<Forgotten>): Promise<Forgotten>;
}
