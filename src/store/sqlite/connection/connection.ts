import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreUnavailableError } from "../../../core/errors.ts";
import type { WriteProbe } from "../../../core/store/index.ts";
import { createBatcher, leftOut } from "../../batcher.ts";
import { toStoreError } from "./errors.ts";
import { createLockRetry } from "./lock-retry.ts";

/**
 * Runs `work` in a transaction. `work` is synchronous and may run again. `operation` names the transaction in errors;
 * `now` is the time in whole seconds since the epoch. Rejects with a StoreUnavailableError, and nothing changed, if the
 * database can't answer within the busy timeout or is closed.
 */
type Transact = <T>(operation: string, work: (now: number) => T) => Promise<T>;

/** A connection to one database. */
export interface SqliteConnection {
  /** Returns the statement of `sql`, which is prepared once. Call it only inside a transaction. */
  readonly prepare: (sql: string) => StatementSync;
  /** Runs a script of statements. Call it only inside a transaction. */
  readonly exec: (sql: string) => void;
  /** Runs a transaction that reads one snapshot. */
  readonly read: Transact;
  /**
   * Runs a transaction that holds the write lock and whose `now` was read under it. Durable when the promise fulfils;
   * rolled back if `work` throws. Writes run in the order of the calls. Those of one turn of the event loop, and those
   * that waited for the lock together, share a transaction and its flush to the disk.
   */
  readonly write: Transact;
  /** Runs a transaction as `write` does, but at once and alone. */
  readonly writeAlone: Transact;
  /** Adds a listener for writes that failed because the database can't answer, and for a file that is gone. */
  readonly onFailure: WriteProbe["onFailure"];
  /** Calls `hook` once after the commit, or never if there is none. Call it only inside a write. */
  readonly afterCommit: (hook: () => void) => void;
  /** The identity of the open file, or "memory". */
  readonly incarnation: string;
  /** Closes the database. Idempotent. */
  readonly close: () => void;
}

/** What a connection needs beside its database. */
export interface SqliteConnectionOptions {
  /** Returns the time in whole seconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds. */
  readonly busyTimeout: number;
  /** The identity of the open file, or "memory". */
  readonly incarnation: string;
  /** Returns whether the database's file is no longer at its path. */
  readonly isFileGone: () => boolean;
}

/** The database's file is no longer at its path. */
class FileGoneError extends StoreUnavailableError {}

/** One call of `write`. */
interface Write {
  readonly operation: string;
  readonly work: (now: number) => unknown;
}

/** How many writes may share a transaction, so that the event loop isn't blocked for long. */
const maxWrites = 128;

/** How many writes may wait for a transaction. */
const maxWaiting = 10_000;

/** Creates a connection over an open database that doesn't wait for locks by itself. */
export function createSqliteConnection(
  database: DatabaseSync,
  { now, busyTimeout, incarnation, isFileGone }: SqliteConnectionOptions,
): SqliteConnection {
  const statements = new Map<string, StatementSync>();
  const hooks = new Set<() => void>();
  const failureListeners = new Set<() => void>();
  const retryWhileLocked = createLockRetry(busyTimeout);
  let isClosed = false;

  function prepare(sql: string): StatementSync {
    const prepared = statements.get(sql);
    if (prepared !== undefined) return prepared;
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  }

  function rollback(): void {
    try {
      prepare("ROLLBACK").run();
    } catch {
      // After some errors, SQLite has rolled back by itself.
    }
  }

  function commit<T>(work: () => T): T {
    try {
      const result = work();
      prepare("COMMIT").run();
      return result;
    } catch (error) {
      rollback();
      throw error;
    }
  }

  function runOnce<T>(begin: string, work: () => T): T {
    if (isClosed) throw new StoreUnavailableError("the store is closed");
    // What is written to a deleted file is lost with this process, and other processes don't see it.
    if (isFileGone()) throw new FileGoneError("the database's file was deleted or replaced: restart the server");
    hooks.clear();
    prepare(begin).run();
    const result = commit(work);
    for (const hook of hooks) hook();
    return result;
  }

  async function writeAll(writes: readonly Write[]): Promise<unknown[]> {
    try {
      return await retryWhileLocked(() => runOnce("BEGIN IMMEDIATE", () => writes.map(({ work }) => work(now()))));
    } catch (error) {
      if (toStoreError("", error) instanceof StoreUnavailableError) reportFailure();
      throw error;
    }
  }

  function reportFailure(): void {
    if (!isClosed) for (const listener of failureListeners) listener();
  }

  const write = createBatcher<Write, unknown>({
    async runBatch(writes) {
      try {
        return await writeAll(writes);
      } catch (error) {
        const mayComeFromOneWrite = writes.length > 1 && !(toStoreError("", error) instanceof StoreUnavailableError);
        if (!mayComeFromOneWrite) throw error;
        return writes.map(() => leftOut);
      }
    },
    runAlone: async (single) => (await writeAll([single]))[0],
    // Writes of one transaction see each other's changes.
    toKey: () => null,
    toOperation: ({ operation }) => operation,
    maxConcurrent: 1,
    maxItems: maxWrites,
    maxWaiting,
    maxWait: busyTimeout,
  });

  /** Makes errors name the operation. */
  async function withOperation<T>(operation: string, result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      if (isClosed) throw new StoreUnavailableError(`${operation}: the store is closed`, { cause: error });
      if (error instanceof FileGoneError) {
        reportFailure();
        throw new StoreUnavailableError(`${operation}: ${error.message}`);
      }
      throw toStoreError(operation, error);
    }
  }

  return {
    prepare,
    exec: (sql) => database.exec(sql),
    read: (operation, work) =>
      withOperation(
        operation,
        retryWhileLocked(() => runOnce("BEGIN", () => work(now()))),
      ),
    write: <T>(operation: string, work: (now: number) => T) =>
      withOperation(operation, write({ operation, work }) as Promise<T>),
    writeAlone: async <T>(operation: string, work: (now: number) => T) => {
      const [result] = await withOperation(operation, writeAll([{ operation, work }]));
      return result as T;
    },
    onFailure(listener) {
      failureListeners.add(listener);
      return () => void failureListeners.delete(listener);
    },
    afterCommit: (hook) => void hooks.add(hook),
    incarnation,
    close() {
      if (isClosed) return;
      isClosed = true;
      database.close();
    },
  };
}
