import { StoreUnavailableError } from "../../../core/errors.ts";
import type { PoolUsage } from "../../../core/store/index.ts";
import type { PostgresPool, PostgresPoolClient } from "./driver.ts";
import { toStoreError } from "./errors.ts";
import type { Behaviour } from "./options.ts";

/** A connection that is used by one call. */
interface Lease {
  readonly client: PostgresPoolClient;
  /** Returns the connection to the pool. If it is broken, closes it instead. */
  readonly end: (state?: { readonly isBroken: boolean }) => void;
}

/** The options of a lease. */
interface LeaseOptions {
  /** Whether the call may wait even if too many other calls are waiting. */
  readonly isUrgent: boolean;
}

/** Leases the connections of a pool, with a bounded queue. */
export interface Leases {
  /**
   * Leases a connection. Rejects with a StoreUnavailableError if too many calls are waiting, or if the wait is too long.
   */
  readonly lease: (operation: string, options: LeaseOptions) => Promise<Lease>;
  /** Returns the state of the connection pool. */
  readonly usage: () => PoolUsage;
  /** Counts a call that was refused before it requested a connection. */
  readonly countRefusal: () => void;
}

/** Creates the leases of a pool. At most `maxWaiting` calls wait, each for at most `connectTimeout`. */
export function createLeases(pool: PostgresPool, { connectTimeout, maxWaiting }: Behaviour): Leases {
  let refused = 0;

  swallowPoolErrors(pool);

  async function lease(operation: string, { isUrgent }: LeaseOptions): Promise<Lease> {
    if (!isUrgent && pool.waitingCount - pool.idleCount >= maxWaiting) {
      refused += 1;
      throw new StoreUnavailableError(
        `${operation}: ${maxWaiting} calls are waiting for a connection already: ` +
          "raise maxConnections, or try again later",
      );
    }
    const client = await connect(operation);
    // A leased connection that breaks also emits an event, which would end the process if nothing listened.
    client.on("error", ignore);
    return {
      client,
      end({ isBroken } = { isBroken: false }) {
        client.removeListener("error", ignore);
        client.release(isBroken);
      },
    };
  }

  function connect(operation: string): Promise<PostgresPoolClient> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        refused += 1;
        reject(new StoreUnavailableError(`${operation}: no connection within connectTimeout (${connectTimeout} ms)`));
      }, connectTimeout);
      // `pg` can also throw synchronously, for example if a certificate's file is missing.
      const connecting = (async () => pool.connect())();
      connecting.then(
        (client) => {
          clearTimeout(timer);
          if (isLate) client.release();
          else resolve(client);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(toStoreError(operation, error));
        },
      );
    });
  }

  return {
    lease,
    usage: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount, refused }),
    countRefusal() {
      refused += 1;
    },
  };
}

/**
 * Adds listeners so that errors don't end the process: errors of idle connections, and of new connections that break before
 * they are leased. Adds them only once, even if several stores share the pool.
 */
function swallowPoolErrors(pool: PostgresPool): void {
  pool.removeListener("error", ignore);
  pool.on("error", ignore);
  pool.removeListener("connect", swallowErrors);
  pool.on("connect", swallowErrors);
}

function swallowErrors(client: PostgresPoolClient): void {
  client.on("error", ignore);
}

function ignore(): void {}
