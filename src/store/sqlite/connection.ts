import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreUnavailableError } from "../../core/errors.ts";
import { toStoreError } from "./unavailable.ts";

/**
 * Runs `work` in a transaction that `operation` names in errors. `now` is the time in whole seconds.
 *
 * @throws StoreUnavailableError where the database cannot answer, or is closed; nothing was changed then.
 */
type Transact = <T>(operation: string, work: (now: number) => T) => T;

/** One connection: statements that are prepared once, and the two kinds of transaction. All of it is synchronous. */
export interface Connection {
  /** The statement of `sql`, prepared at its first use. Only inside a transaction. */
  readonly prepare: (sql: string) => StatementSync;
  /** Runs a script of statements. Only inside a transaction. */
  readonly exec: (sql: string) => void;
  /** `work` sees one snapshot. */
  readonly read: Transact;
  /**
   * `work` holds the write lock, and its `now` was read under it. Durable when this returns; rolled back where `work`
   * throws.
   */
  readonly write: Transact;
  /** Inside `write`: calls `hook` once after the commit, and not at all without one. */
  readonly afterCommit: (hook: () => void) => void;
  /** Idempotent. */
  readonly close: () => void;
}

/** A `Connection` over an open database, whose time is `now` (whole seconds). */
export function createConnection(database: DatabaseSync, now: () => number): Connection {
  const statements = new Map<string, StatementSync>();
  const hooks = new Set<() => void>();
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

  function transact<T>(begin: string, operation: string, work: (now: number) => T): T {
    if (isClosed) throw new StoreUnavailableError(`${operation}: the store is closed`);
    hooks.clear();
    try {
      prepare(begin).run();
      try {
        const result = work(now());
        prepare("COMMIT").run();
        return result;
      } catch (error) {
        rollback();
        throw error;
      }
    } catch (error) {
      throw toStoreError(operation, error);
    }
  }

  return {
    prepare,
    exec: (sql) => database.exec(sql),
    read: (operation, work) => transact("BEGIN", operation, work),
    write(operation, work) {
      const result = transact("BEGIN IMMEDIATE", operation, work);
      for (const hook of hooks) hook();
      return result;
    },
    afterCommit: (hook) => void hooks.add(hook),
    close() {
      if (isClosed) return;
      isClosed = true;
      database.close();
    },
  };
}
