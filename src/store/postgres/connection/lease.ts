import { StoreUnavailableError } from "../../../core/errors.ts";
import type { PoolUsage } from "../../../core/store/index.ts";
import type { PostgresPool, PostgresPoolClient } from "./driver.ts";
import type { Behaviour } from "./options.ts";
import { toStoreError } from "./unavailable.ts";

/** A connection on loan. */
interface Lease {
  readonly client: PostgresPoolClient;
  /** Gives it back, or closes it where it is broken. */
  readonly end: (state?: { readonly isBroken: boolean }) => void;
}

/** Connections on loan, and how many there are. */
export interface Leases {
  /** @throws StoreUnavailableError where too many wait, or none comes in time. */
  readonly lease: (operation: string) => Promise<Lease>;
  readonly use: () => PoolUsage;
  /** Counts a call that was refused before it asked for a connection. */
  readonly noteRefusal: () => void;
}

/** Leases connections: at most `maxWaiting` calls wait, each for at most `connectTimeout`. */
export function createLeases(pool: PostgresPool, { connectTimeout, maxWaiting }: Behaviour): Leases {
  let refused = 0;

  swallowPoolErrors(pool);

  async function lease(operation: string): Promise<Lease> {
    if (pool.waitingCount - pool.idleCount >= maxWaiting) {
      refused += 1;
      throw new StoreUnavailableError(`${operation}: too many wait for a connection`);
    }
    const client = await connect(operation);
    // A connection that breaks while it is on loan says so twice: by its query, and by an event that must be heard.
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
        reject(new StoreUnavailableError(`${operation}: no connection within ${connectTimeout} ms`));
      }, connectTimeout);
      // `pg` may throw instead, for example where a certificate's file is gone.
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
    use: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount, refused }),
    noteRefusal() {
      refused += 1;
    },
  };
}

/**
 * An event of a broken connection that nobody hears would end the process: of an idle one, and of a new one that breaks
 * before it has been handed over. However many stores share a pool, and come and go, it has these listeners once.
 */
function swallowPoolErrors(pool: PostgresPool): void {
  pool.removeListener("error", ignore);
  pool.on("error", ignore);
  pool.removeListener("connect", hearErrorsOf);
  pool.on("connect", hearErrorsOf);
}

function hearErrorsOf(client: PostgresPoolClient): void {
  client.on("error", ignore);
}

function ignore(): void {}
