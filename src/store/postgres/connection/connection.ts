import { StoreUnavailableError } from "../../../core/errors.ts";
import type { PoolUsage } from "../../../core/store/index.ts";
import type { PostgresPoolClient } from "./driver.ts";
import { createLeases } from "./lease.ts";
import type { Behaviour, Connections } from "./options.ts";
import { createStatements, type Parameters } from "./statement.ts";
import { hasLostStatement, isRetryable, leavesConnectionBroken, toStoreError } from "./unavailable.ts";

/** Runs one statement and returns its rows, whose form the caller knows. */
export type Run = <Row extends object>(sql: string, parameters?: Parameters) => Promise<readonly Row[]>;

/** Several statements in one transaction. Each sees what was committed before it began (READ COMMITTED). */
export interface Transaction {
  readonly run: Run;
  /** Calls `hook` once after the commit, and not at all without one. */
  readonly afterCommit: (hook: () => void) => void;
}

/**
 * Runs SQL for operations, which errors name. Where the database undid the work because of others that ran beside it, it is
 * run again, a few times.
 *
 * @throws StoreUnavailableError where the database cannot answer, or the store is closed. Nothing was changed then, unless
 *   the connection broke before the answer to a change had come.
 */
export interface Connection {
  /** One statement, which is a transaction of its own. */
  readonly run: <Row extends object>(
    operation: string,
    sql: string,
    parameters?: Parameters,
  ) => Promise<readonly Row[]>;
  /** Durable when this fulfils; rolled back where `work` throws. With `isUnbounded`, statements take what they need. */
  readonly transact: <T>(
    operation: string,
    work: (transaction: Transaction) => Promise<T>,
    options?: { readonly isUnbounded?: boolean },
  ) => Promise<T>;
  /** What the pool is doing. */
  readonly use: () => PoolUsage;
  /** Counts a call that was refused before it asked for a connection. */
  readonly noteRefusal: () => void;
  /** Idempotent. */
  readonly close: () => Promise<void>;
}

const attempts = 5;

/** Milliseconds by which the driver waits longer than the server, so that the server's answer comes first. */
const grace = 1_000;

/** A `Connection` over the pool. */
export function createConnection({ pool, isOwnPool }: Connections, behaviour: Behaviour): Connection {
  const { lockTimeout, statementTimeout } = behaviour;
  const { lease, use, noteRefusal } = createLeases(pool, behaviour);
  const { toQuery, stopPreparing } = createStatements(behaviour);
  let closing: Promise<void> | null = null;

  async function withClient<T>(operation: string, work: (client: PostgresPoolClient) => Promise<T>): Promise<T> {
    if (closing !== null) throw new StoreUnavailableError(`${operation}: the store is closed`);
    const leased = await lease(operation);
    try {
      const result = await work(leased.client);
      leased.end();
      return result;
    } catch (error) {
      leased.end({ isBroken: leavesConnectionBroken(error) });
      throw error;
    }
  }

  /** `run` on `client`, with these bounds in milliseconds; 0 for none. */
  function toRun(operation: string, client: PostgresPoolClient, bounds: { lock: number; statement: number }): Run {
    return async (sql, parameters = {}) => {
      const query = toQuery(sql, parameters, bounds.lock);
      const timeout = bounds.statement === 0 ? {} : { query_timeout: bounds.statement + grace };
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
    use,
    noteRefusal,

    run(operation, sql, parameters) {
      const bounds = { lock: lockTimeout, statement: statementTimeout };
      return retry(() => withClient(operation, (client) => toRun(operation, client, bounds)(sql, parameters)));
    },

    transact(operation, work, { isUnbounded = false } = {}) {
      const bounds = isUnbounded ? { lock: 0, statement: 0 } : { lock: lockTimeout, statement: statementTimeout };
      const begin = `BEGIN ISOLATION LEVEL READ COMMITTED;
        SET LOCAL lock_timeout = ${bounds.lock}; SET LOCAL statement_timeout = ${bounds.statement};
        SET LOCAL idle_in_transaction_session_timeout = ${statementTimeout}`;

      return retry(() =>
        withClient(operation, async (client) => {
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
      if (attempt === attempts || !isRetryable(error)) throw error;
      // At random, so that two that were in each other's way do not meet again.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));
    }
  }
}
