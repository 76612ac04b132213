import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreUnavailableError } from "../../../core/errors.ts";
import { alone, createBatcher } from "../../batcher.ts";
import { createWait } from "./lock-wait.ts";
import { toStoreError } from "./unavailable.ts";

/**
 * Runs `work`, which is synchronous and may be run again, in a transaction that `operation` names in errors. `now` is the
 * time in whole seconds.
 *
 * @throws StoreUnavailableError where the database cannot answer within the busy timeout, or is closed; nothing was
 * changed then.
 */
type Transact = <T>(operation: string, work: (now: number) => T) => Promise<T>;

/** One connection: statements that are prepared once, and the two kinds of transaction. */
export interface Connection {
  /** The statement of `sql`, prepared at its first use. Only inside a transaction. */
  readonly prepare: (sql: string) => StatementSync;
  /** Runs a script of statements. Only inside a transaction. */
  readonly exec: (sql: string) => void;
  /** `work` sees one snapshot. */
  readonly read: Transact;
  /**
   * `work` holds the write lock, and its `now` was read under it. Durable when this fulfils; rolled back where `work`
   * throws. Writes are carried out in the order of their calls, and those that are called in one turn of the event loop,
   * or while another process has the lock, share a transaction and its flush to the disk.
   */
  readonly write: Transact;
  /** Inside `write`: calls `hook` once after the commit, and not at all without one. */
  readonly afterCommit: (hook: () => void) => void;
  /** Idempotent. */
  readonly close: () => void;
}

export interface ConnectionOptions {
  /** The time, in whole seconds. */
  readonly now: () => number;
  /** Milliseconds. */
  readonly busyTimeout: number;
}

/** One call of `write`. */
interface Write {
  readonly operation: string;
  readonly work: (now: number) => unknown;
}

/** How many writes may share a transaction, so that the event loop is not held up for long. */
const maxWrites = 128;

/** How many writes may wait for their transaction. */
const maxWaiting = 10_000;

/** A `Connection` over an open database that does not wait for locks by itself. */
export function createConnection(database: DatabaseSync, { now, busyTimeout }: ConnectionOptions): Connection {
  const statements = new Map<string, StatementSync>();
  const hooks = new Set<() => void>();
  const wait = createWait(busyTimeout);
  let isClosed = false;

  function prepare(sql: string): StatementSync {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  }

  function rollback(): void {
    try {
      prepare("ROLLBACK").run();
    } catch {
      // SQLite has rolled back by itself, as it does after some errors.
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
    hooks.clear();
    prepare(begin).run();
    const result = commit(work);
    for (const hook of hooks) hook();
    return result;
  }

  const writeAll = (writes: readonly Write[]) =>
    wait(() => runOnce("BEGIN IMMEDIATE", () => writes.map(({ work }) => work(now()))));

  const write = createBatcher<Write, unknown>({
    async together(writes) {
      try {
        return await writeAll(writes);
      } catch (error) {
        const mayBeOfOne = writes.length > 1 && !(toStoreError("", error) instanceof StoreUnavailableError);
        if (!mayBeOfOne) throw error;
        return writes.map(() => alone);
      }
    },
    alone: async (one) => (await writeAll([one]))[0],
    // In one transaction they see each other.
    toKey: () => null,
    toOperation: ({ operation }) => operation,
    maxUnderWay: 1,
    maxItems: maxWrites,
    maxWaiting,
    patience: busyTimeout,
  });

  /** Has errors name the operation. */
  async function named<T>(operation: string, result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (error) {
      if (isClosed) throw new StoreUnavailableError(`${operation}: the store is closed`, { cause: error });
      throw toStoreError(operation, error);
    }
  }

  return {
    prepare,
    exec: (sql) => database.exec(sql),
    read: (operation, work) =>
      named(
        operation,
        wait(() => runOnce("BEGIN", () => work(now()))),
      ),
    write: <T>(operation: string, work: (now: number) => T) =>
      named(operation, write({ operation, work }) as Promise<T>),
    afterCommit: (hook) => void hooks.add(hook),
    close() {
      if (isClosed) return;
      isClosed = true;
      database.close();
    },
  };
}
