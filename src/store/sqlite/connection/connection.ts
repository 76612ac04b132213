import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { StoreUnavailableError } from "../../../core/errors.ts";
import type { WriteProbe } from "../../../core/store/index.ts";
import { trace } from "../../../core/tracing.ts";
import { createBatcher, leftOut } from "../../batcher.ts";
import { toStoreError } from "./errors.ts";
import { createLockRetry } from "./lock-retry.ts";

/**
 * Runs `work` in a transaction. `work` is synchronous and may be called again. `operation` is the name of the transaction
 * in errors. `now` is the time in whole seconds since the epoch. If the database is closed or can't answer within the busy
 * timeout, rejects with a StoreUnavailableError, and nothing has changed.
 */
type Transact = <T>(operation: string, work: (now: number) => T) => Promise<T>;

/** The values of a statement's named parameters. */
type SqlParameters = Record<string, SQLInputValue>;

/** A connection to one database. */
export interface SqliteConnection {
  /** Returns the prepared statement for `sql`. Each statement is prepared only once. Call it only inside a transaction. */
  readonly prepare: (sql: string) => StatementSync;
  /** Returns the first row of a statement, or `undefined`. `Row` has the statement's columns. Call it only inside a transaction. */
  readonly get: <Row>(sql: string, parameters?: SqlParameters) => Row | undefined;
  /** Returns all rows of a statement, like `get`. */
  readonly all: <Row>(sql: string, parameters?: SqlParameters) => readonly Row[];
  /** Runs a script of statements. Call it only inside a transaction. */
  readonly exec: (sql: string) => void;
  /** Runs a transaction that reads one snapshot. */
  readonly read: Transact;
  /**
   * Runs a transaction that holds the write lock. Its `now` is read while it holds the lock. The transaction is durable
   * when the promise fulfils. If `work` throws, it is rolled back. Writes run in the order of the calls. Writes from the
   * same turn of the event loop, and writes that waited for the lock together, share a transaction and its flush to the
   * disk.
   */
  readonly write: Transact;
  /** Runs a transaction like `write`, but immediately and in its own transaction. */
  readonly writeAlone: Transact;
  /**
   * Adds a listener that is called when a write fails because the database can't answer, or when the database's file is
   * gone.
   */
  readonly onFailure: WriteProbe["onFailure"];
  /** Calls `hook` once after the commit. Never calls it if the transaction isn't committed. Call it only inside a write. */
  readonly afterCommit: (hook: () => void) => void;
  /** The identity of the open file, or "memory". */
  readonly incarnation: string;
  /** Closes the database. Further calls do nothing. */
  readonly close: () => void;
}

/** The options of a connection, in addition to its database. */
export interface SqliteConnectionOptions {
  /** Returns the time in whole seconds since the epoch. */
  readonly now: () => number;
  /** How long to wait for a lock, in milliseconds. */
  readonly busyTimeout: number;
  /** The identity of the open file, or "memory". */
  readonly incarnation: string;
  /** Returns whether the database's file is no longer at its path. */
  readonly isFileGone: () => boolean;
}

/** Thrown if the database's file is no longer at its path. */
class FileGoneError extends StoreUnavailableError {}

/** One call of `write`. */
interface Write {
  readonly operation: string;
  readonly work: (now: number) => unknown;
}

/** The maximum number of writes that share a transaction, so that the event loop isn't blocked for long. */
const maxWrites = 128;

/** The maximum number of writes that may wait for a transaction. */
const maxWaiting = 10_000;

/** Creates a connection on top of an open database. The database must be set up not to wait for locks. */
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

  // Only the SQL says which columns a row has.
  const get = <Row>(sql: string, parameters: SqlParameters = {}) => prepare(sql).get(parameters) as Row | undefined;
  const all = <Row>(sql: string, parameters: SqlParameters = {}) =>
    prepare(sql).all(parameters) as unknown as readonly Row[];

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

  /** Adds the name of the operation to errors. */
  async function withOperation<T>(operation: string, call: () => Promise<T>): Promise<T> {
    try {
      return await trace("tokenpair:store", { system: "sqlite", operation }, call);
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
    get,
    all,
    exec: (sql) => database.exec(sql),
    read: (operation, work) =>
      withOperation(operation, async () => retryWhileLocked(() => runOnce("BEGIN", () => work(now())))),
    write: <T>(operation: string, work: (now: number) => T) =>
      withOperation(operation, () => write({ operation, work }) as Promise<T>),
    writeAlone: async <T>(operation: string, work: (now: number) => T) => {
      const [result] = await withOperation(operation, () => writeAll([{ operation, work }]));
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
