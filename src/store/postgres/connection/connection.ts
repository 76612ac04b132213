import { StoreUnavailableError } from "../../../core/errors.ts";
import type { PoolUsage, WriteProbe } from "../../../core/store/index.ts";
import type { PostgresPoolClient } from "./driver.ts";
import { hasLostStatement, isRetryable, leavesConnectionBroken, toStoreError } from "./errors.ts";
import { createLeases } from "./lease.ts";
import type { Behaviour, OpenedPool } from "./options.ts";
import { createStatements, type Parameters } from "./statement.ts";

/** Runs one statement and returns its rows. The caller names the type of the rows. */
export type Run = <Row extends object>(sql: string, parameters?: Parameters) => Promise<readonly Row[]>;

/** Several statements in one transaction. Each sees what was committed before it began (READ COMMITTED). */
export interface Transaction {
  /** Runs one statement of the transaction. */
  readonly run: Run;
  /** Calls `hook` once after the commit, or never if there is none. */
  readonly afterCommit: (hook: () => void) => void;
}

/**
 * Runs SQL for operations, whose names errors have. Work that the database rolled back because of concurrent
 * transactions runs again, a few times. Every method rejects with a StoreUnavailableError if the database can't answer
 * or the store is closed. Nothing has changed then, unless the connection broke before the answer to a change arrived.
 */
export interface PostgresConnection {
  /** Runs one statement in its own transaction. */
  readonly run: <Row extends object>(
    operation: string,
    sql: string,
    parameters?: Parameters,
    options?: UrgentOptions,
  ) => Promise<readonly Row[]>;
  /**
   * Runs `work` in a transaction. Durable when the promise fulfils; rolled back if `work` throws. With `isUnbounded`,
   * no lock or statement timeout applies.
   */
  readonly transact: <T>(
    operation: string,
    work: (transaction: Transaction) => Promise<T>,
    options?: UrgentOptions & { readonly isUnbounded?: boolean },
  ) => Promise<T>;
  /** Returns what the pool is doing. */
  readonly usage: () => PoolUsage;
  /** Adds a listener for calls that failed because the database can't answer. @returns a function that removes it. */
  readonly onFailure: WriteProbe["onFailure"];
  /** Counts a call that was refused before it asked for a connection. */
  readonly countRefusal: () => void;
  /** Closes the pool if the store opened it. Idempotent. */
  readonly close: () => Promise<void>;
}

/** How to run what is more urgent than other calls. */
interface UrgentOptions {
  /**
   * Milliseconds after which a statement fails. The call isn't refused because many calls wait for a connection. Default: the
   * store's own limits.
   */
  readonly urgentTimeout?: number;
}

/** How often work runs at most. */
const maxAttempts = 5;

/** Milliseconds that the driver waits longer than the server, so that the server's answer arrives first. */
const driverMargin = 1_000;

/** Timeouts of a transaction, in milliseconds; 0 for none. */
interface Bounds {
  readonly lock: number;
  readonly statement: number;
  /** For which the driver waits. */
  readonly driver: number;
}

/** Creates a connection over a pool. */
export function createPostgresConnection({ pool, isOwnPool }: OpenedPool, behaviour: Behaviour): PostgresConnection {
  const { lockTimeout, statementTimeout } = behaviour;
  const { lease, usage, countRefusal } = createLeases(pool, behaviour);
  const { toQuery, stopPreparing } = createStatements(behaviour);
  const failureListeners = new Set<() => void>();
  let closing: Promise<void> | null = null;

  const toBounds = ({ urgentTimeout }: UrgentOptions): Bounds => ({
    lock: lockTimeout,
    statement: statementTimeout,
    driver: urgentTimeout ?? statementTimeout + driverMargin,
  });

  /** Runs `work` again if it was rolled back because of concurrent transactions, and reports that it failed. */
  async function retryAndReport<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await retry(work);
    } catch (error) {
      const hasFailed = closing === null && error instanceof StoreUnavailableError;
      if (hasFailed) for (const listener of failureListeners) listener();
      throw error;
    }
  }

  async function withClient<T>(
    operation: string,
    { urgentTimeout }: UrgentOptions,
    work: (client: PostgresPoolClient) => Promise<T>,
  ): Promise<T> {
    if (closing !== null) throw new StoreUnavailableError(`${operation}: the store is closed`);
    const leased = await lease(operation, { isUrgent: urgentTimeout !== undefined });
    try {
      const result = await work(leased.client);
      leased.end();
      return result;
    } catch (error) {
      leased.end({ isBroken: leavesConnectionBroken(error) });
      throw error;
    }
  }

  /** Returns the function that runs statements on `client`. */
  function toRun(operation: string, client: PostgresPoolClient, bounds: Bounds): Run {
    return async (sql, parameters = {}) => {
      const query = toQuery(sql, parameters, bounds.lock);
      const timeout = bounds.driver === 0 ? {} : { query_timeout: bounds.driver };
      try {
        const { rows } = await client.query({ ...query, ...timeout });
        return rows as never;
      } catch (error) {
        if (hasLostStatement(error)) stopPreparing();
        throw toStoreError(operation, error);
      }
    };
  }

  return {
    usage,
    countRefusal,

    onFailure(listener) {
      failureListeners.add(listener);
      return () => void failureListeners.delete(listener);
    },

    run(operation, sql, parameters, options = {}) {
      const bounds = toBounds(options);
      return retryAndReport(() =>
        withClient(operation, options, (client) => toRun(operation, client, bounds)(sql, parameters)),
      );
    },

    transact(operation, work, options = {}) {
      const bounds = options.isUnbounded === true ? { lock: 0, statement: 0, driver: 0 } : toBounds(options);
      const begin = `BEGIN ISOLATION LEVEL READ COMMITTED;
        SET LOCAL lock_timeout = ${bounds.lock}; SET LOCAL statement_timeout = ${bounds.statement};
        SET LOCAL idle_in_transaction_session_timeout = ${statementTimeout}`;

      return retryAndReport(() =>
        withClient(operation, options, async (client) => {
          const run = toRun(operation, client, bounds);
          const hooks = new Set<() => void>();
          try {
            await run(begin);
            const result = await work({ run, afterCommit: (hook) => void hooks.add(hook) });
            await run("COMMIT");
            for (const hook of hooks) hook();
            return result;
          } catch (error) {
            if (!leavesConnectionBroken(error)) await run("ROLLBACK");
            throw error;
          }
        }),
      );
    },

    close() {
      closing ??= isOwnPool ? pool.end() : Promise.resolve();
      return closing;
    },
  };
}

async function retry<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === maxAttempts || !isRetryable(error)) throw error;
      // Random, so that two transactions that were in conflict don't meet again.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));
    }
  }
}
