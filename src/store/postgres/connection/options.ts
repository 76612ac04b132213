import { refuseUnknownOptions } from "../../../core/settings/unknown-options.ts";
import { loadDriver, type PostgresListenClient, type PostgresPool } from "./driver.ts";

/** How the store behaves. All times are in milliseconds. */
export interface PostgresBehaviour {
  /** The schema that holds the tables: lower-case letters, digits and `_`. Default: "tokenpair". */
  readonly schema?: string;
  /** Milliseconds to wait for a connection, new or out of the pool. Default: 3000. */
  readonly connectTimeout?: number;
  /** Milliseconds that a statement waits for a lock. Default: 2000. */
  readonly lockTimeout?: number;
  /** Milliseconds that a statement may take; at least `lockTimeout`. Default: 5000. */
  readonly statementTimeout?: number;
  /**
   * How many calls may wait for a connection, and how many rotations for their batch; the next is refused at once.
   * Default: 1000.
   */
  readonly maxWaiting?: number;
  /**
   * Prepares each statement once for each connection, which saves the database the planning. Where a proxy pools
   * transactions without following prepared statements (PgBouncer before 1.21), the first one that is lost is sent again
   * unprepared, and so is every statement after it. Default: true.
   */
  readonly preparedStatements?: boolean;
  /** The store's time, in whole seconds since the epoch; for tests. Default: the database's clock. */
  readonly now?: () => number;
}

/** A pool that the application has made; it stays the application's to end. */
export interface PostgresPoolOptions extends PostgresBehaviour {
  /** A `Pool` of the package `pg`. Required. */
  readonly pool: PostgresPool;
  /** Makes a connection for LISTEN, such as `() => new pg.Client(…)`. Default: none, and the feed is polled only. */
  readonly createListenClient?: () => PostgresListenClient;
}

/** A pool of the store's own. Needs the package `pg`. */
export interface PostgresConnectionOptions extends PostgresBehaviour {
  /** `postgres://user:password@host/database?sslmode=verify-full`: with `verify-full` the certificate is checked. Required. */
  readonly connectionString: string;
  /** For LISTEN, where `connectionString` leads to a proxy that pools transactions. Default: `connectionString`. */
  readonly listenConnectionString?: string;
  /** TLS options of `node:tls`, such as `{ ca }`. Default: what the connection string says. */
  readonly ssl?: boolean | object;
  /** How many connections the pool may hold. Default: 10. */
  readonly maxConnections?: number;
}

export type PostgresStoreOptions = PostgresPoolOptions | PostgresConnectionOptions;

/** `PostgresBehaviour`, complete and checked. */
export interface Behaviour extends Required<Omit<PostgresBehaviour, "now">> {
  readonly now: (() => number) | null;
}

/** The connections of a store. */
export interface Connections {
  readonly pool: PostgresPool;
  /** Whether the store ends the pool. */
  readonly isOwnPool: boolean;
  readonly createListenClient: (() => PostgresListenClient) | null;
}

const behaviourNames = {
  schema: true,
  connectTimeout: true,
  lockTimeout: true,
  statementTimeout: true,
  maxWaiting: true,
  preparedStatements: true,
  now: true,
} satisfies Record<keyof PostgresBehaviour, true>;
const poolNames = { pool: true, createListenClient: true, ...behaviourNames } satisfies Record<
  keyof PostgresPoolOptions,
  true
>;
const connectionNames = {
  connectionString: true,
  listenConnectionString: true,
  ssl: true,
  maxConnections: true,
  ...behaviourNames,
} satisfies Record<keyof PostgresConnectionOptions, true>;

/** @throws TypeError that names an option of neither kind, or of the other one. */
export function refuseUnknown(options: PostgresStoreOptions): void {
  if ("pool" in options) refuseUnknownOptions("postgresStore with a pool", options, Object.keys(poolNames));
  else refuseUnknownOptions("postgresStore", options, Object.keys(connectionNames));
}

/** @throws TypeError that names the option. */
export function toBehaviour(options: PostgresBehaviour): Behaviour {
  const { schema = "tokenpair", preparedStatements = true, now = null } = options;
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(schema) || schema.startsWith("pg_")) {
    throw new TypeError("postgresStore: schema must be lower-case letters, digits and _, at most 40, not pg_…");
  }
  const lockTimeout = toCount("lockTimeout", options.lockTimeout ?? 2_000);
  const statementTimeout = toCount("statementTimeout", options.statementTimeout ?? 5_000);
  if (lockTimeout > statementTimeout) {
    throw new TypeError("postgresStore: lockTimeout must not be longer than statementTimeout");
  }
  const connectTimeout = toCount("connectTimeout", options.connectTimeout ?? 3_000);
  const maxWaiting = toCount("maxWaiting", options.maxWaiting ?? 1_000);
  return { schema, connectTimeout, lockTimeout, statementTimeout, maxWaiting, preparedStatements, now };
}

/** The application's pool, or one of our own. @throws TypeError */
export function toConnections(options: PostgresStoreOptions, connectTimeout: number): Connections {
  if ("pool" in options) {
    const { pool, createListenClient = null } = options;
    if (typeof pool?.connect !== "function")
      throw new TypeError("postgresStore: pool must be a Pool of the package pg");
    return { pool, isOwnPool: false, createListenClient };
  }
  const { connectionString, listenConnectionString = connectionString, ssl } = options;
  if (typeof connectionString !== "string" || connectionString === "") {
    throw new TypeError("postgresStore: connectionString must be a postgres:// URL");
  }
  const max = toCount("maxConnections", options.maxConnections ?? 10);
  const { Pool, Client } = loadDriver();
  const config = {
    application_name: "tokenpair",
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
    ...(ssl === undefined ? {} : { ssl }),
  };
  return {
    pool: new Pool({ ...config, connectionString, max, allowExitOnIdle: true }),
    isOwnPool: true,
    createListenClient: () => new Client({ ...config, connectionString: listenConnectionString }),
  };
}

function toCount(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > 0x7fffffff) {
    throw new TypeError(`postgresStore: ${name} must be a whole number of at least 1`);
  }
  return value;
}
