import pg from "pg";
import type { PostgresPool, PostgresPoolClient, PostgresQuery } from "../../src/store/postgres/index.ts";

/** A pool that behaves as a proxy which pools transactions: each transaction uses another server connection. */
export interface TransactionPool extends PostgresPool {
  /** State that transactions have left on a server connection. There must be none. */
  readonly leftovers: readonly string[];
  /** How many server connections the transactions used. */
  readonly used: number;
}

/** Finds the state that a PostgreSQL session can keep from one transaction to the next. */
const findLeftovers = `SELECT name || ' = ' || setting AS what FROM pg_settings WHERE source = 'session'
  UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements
  UNION ALL SELECT 'cursor ' || name FROM pg_cursors
  UNION ALL SELECT 'listen ' || channel FROM pg_listening_channels() AS channel
  UNION ALL SELECT 'advisory lock' FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'
  UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relpersistence = 't'`;

/** Creates the pool over `size` server connections, which take turns. */
export async function createTransactionPool(url: string, size = 3): Promise<TransactionPool> {
  const servers = Array.from({ length: size }, () => new pg.Client(url));
  await Promise.all(servers.map((server) => server.connect()));
  const readLeftovers = async (server: pg.Client) =>
    (await server.query<{ what: string }>(findLeftovers)).rows.map(({ what }) => what);
  // The driver sets some of it when it connects.
  const initial = new Set(await readLeftovers(servers[0] as pg.Client));
  const free = [...servers];
  const waiting: ((server: pg.Client) => void)[] = [];
  const leftovers: string[] = [];
  const used = new Set<pg.Client>();

  async function take(): Promise<pg.Client> {
    return free.shift() ?? (await new Promise((resolve) => waiting.push(resolve)));
  }

  async function giveBack(server: pg.Client): Promise<void> {
    used.add(server);
    leftovers.push(...(await readLeftovers(server)).filter((what) => !initial.has(what)));
    const next = waiting.shift();
    if (next === undefined) free.push(server);
    else next(server);
  }

  function createClient(): PostgresPoolClient {
    let held: pg.Client | null = null;
    return {
      async query(query: PostgresQuery) {
        const server: pg.Client = held ?? (await take());
        if (/^BEGIN\b/.test(query.text)) held = server;
        const isLast = held === null || /^(?:COMMIT|ROLLBACK)\b/.test(query.text);
        try {
          return await server.query(query as pg.QueryConfig);
        } finally {
          if (isLast) {
            held = null;
            await giveBack(server);
          }
        }
      },
      on() {},
      removeListener() {},
      release() {},
    };
  }

  return {
    connect: async () => createClient(),
    end: async () => void (await Promise.all(servers.map((server) => server.end()))),
    on() {},
    removeListener() {},
    waitingCount: 0,
    idleCount: 0,
    totalCount: 0,
    leftovers,
    get used() {
      return used.size;
    },
  };
}
