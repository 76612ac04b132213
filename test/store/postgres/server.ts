import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { type PostgresServer, query, startPostgres } from "../../support/postgres.ts";

/** The options of `expect.poll` for a condition that must come true, however busy the machine is. */
export const eventually = { timeout: 60_000, interval: 20 } as const;

/** Provides a PostgreSQL server for the tests of the calling file. */
export function provideServer(settings: Readonly<Record<string, string>> = {}): PostgresServer {
  let server: PostgresServer | null = null;
  beforeAll(async () => {
    server = await startPostgres(settings);
  });
  afterAll(() => server?.stop());

  function getServer(): PostgresServer {
    if (server === null) throw new Error("the server has not started yet");
    return server;
  }

  return {
    get url() {
      return getServer().url;
    },
    get port() {
      return getServer().port;
    },
    restart: (options) => getServer().restart(options),
    kill: () => getServer().kill(),
    stop: () => getServer().stop(),
  };
}

/** Runs `work` with a connection of its own, as another program would have it. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  return work(client).finally(() => client.end());
}

/** Returns how many connections wait for a lock. */
export async function countLockWaits(client: pg.Client): Promise<number> {
  const { rows } = await client.query("SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted");
  return rows[0].waiting;
}

/** Returns how many connections stores have open. */
export async function countStoreConnections(client: pg.Client): Promise<number> {
  const { rowCount } = await client.query("SELECT FROM pg_stat_activity WHERE application_name = 'tokenpair'");
  return rowCount ?? 0;
}

/**
 * Kills the connections of stores for which `condition` on `pg_stat_activity` holds. Returns how many there were. Uses
 * a connection of its own, because the view doesn't change inside a transaction.
 */
export function killStoreConnections(url: string, condition: string): Promise<number> {
  const connections = `FROM pg_stat_activity WHERE application_name = 'tokenpair' AND ${condition}`;
  return query(url, `SELECT pg_terminate_backend(pid) ${connections}`);
}
