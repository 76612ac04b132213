import { StoreUnavailableError } from "../../../core/errors.ts";
import type { PoolUsage, WriteProbe } from "../../../core/store/index.ts";
import { trace } from "../../../core/tracing.ts";
import type { PostgresPoolClient } from "./driver.ts";
import { hasLostStatement, isRetryable, leavesConnectionBroken, toStoreError } from "./errors.ts";
import { createLeases } from "./lease.ts";
import type { Behaviour, OpenedPool } from "./options.ts";
import { createStatements, type Parameters } from "./statement.ts";

/** Runs one statement and returns its rows. The caller names the type of the rows. */
export type Run = <Row extends object>(sql: string, parameters?: Parameters) => Promise<readonly Row[]>;

/**
 * Several statements in one transaction. Each statement sees everything that was committed before the statement began (READ
 * COMMITTED).
 */
export interface Transaction {
  /** Runs one statement of the transaction. */
  readonly run: Run;
  /** Calls `hook` once after the commit. Never calls it if the transaction isn't committed. */
  readonly afterCommit: (hook: () => void) => void;
}

/**
 * Runs SQL. Each method takes the name of the operation, which errors contain. Work that the database rolls back because of
 * concurrent transactions is run again, a few times. All methods reject with a StoreUnavailableError if the database can't
 * answer or the store is closed. In that case, nothing has changed, unless the connection broke before the answer to a
 * change arrived.
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
   * Runs `work` in a transaction. The transaction is durable when the promise fulfils. If `work` throws, it is rolled back.
   * With `isUnbounded`, there is no timeout for locks and statements.
   */
  readonly transact: <T>(
    operation: string,
    work: (transaction: Transaction) => Promise<T>,
    options?: UrgentOptions & { readonly isUnbounded?: boolean },
  ) => Promise<T>;
  /** Returns the state of the connection pool. */
  readonly usage: () => PoolUsage;
  /**
   * Adds a listener for calls that failed because the database couldn't answer.
   *
   * @returns a function that removes the listener.
   */
  readonly onFailure: WriteProbe["onFailure"];
  /** Counts a call that was refused before it requested a connection. */
  readonly countRefusal: () => void;
  /** Closes the pool if the store has created it. Further calls do nothing. */
  readonly close: () => Promise<void>;
}

/** How to run a statement that is more urgent than other calls. */
interface UrgentOptions {
  /**
   * The number of milliseconds after which a statement fails. If it is set, the call isn't refused even if too many calls
   * are waiting for a connection. Default: the limits of the store.
   */
  readonly urgentTimeout?: number;
}

/** The maximum number of times that work is run. */
const maxAttempts = 5;

/** How many milliseconds longer than the server the driver waits, so that the server's answer arrives first. */
const driverMargin = 1_000;

/** The timeouts of a transaction, in milliseconds. 0 means no timeout. */
interface Bounds {
  readonly lock: number;
  readonly statement: number;
  /** How long the driver waits. */
  readonly driver: number;
}

/** Creates a connection on top of a pool. */
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

  /** Runs `work` again if it was rolled back because of concurrent transactions. If it fails, calls the listeners. */
  async function retryAndReport<T>(operation: string, work: () => Promise<T>): Promise<T> {
    try {
      return await trace("tokenpair:store", { system: "postgresql", operation }, () => retry(work));
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
      return retryAndReport(operation, () =>
        withClient(operation, options, (client) => toRun(operation, client, bounds)(sql, parameters)),
      );
    },

    transact(operation, work, options = {}) {
      const bounds = options.isUnbounded === true ? { lock: 0, statement: 0, driver: 0 } : toBounds(options);
      const begin = `BEGIN ISOLATION LEVEL READ COMMITTED;
        SET LOCAL lock_timeout = ${bounds.lock}; SET LOCAL statement_timeout = ${bounds.statement};
        SET LOCAL idle_in_transaction_session_timeout = ${statementTimeout}`;

      return retryAndReport(operation, () =>
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
