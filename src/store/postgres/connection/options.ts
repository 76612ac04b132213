import { toShown } from "../../../core/settings/faults.ts";
import { refuseUnknownOptions } from "../../../core/settings/unknown-options.ts";
import { loadDriver, type PostgresListenClient, type PostgresPool } from "./driver.ts";

/** The options of `postgresStore` that apply to a pool of either kind. All times are in milliseconds. */
export interface PostgresBehaviour {
  /**
   * The schema that contains the tables. Its name has at most 40 lower-case letters, digits and `_`. Default: "tokenpair".
   */
  readonly schema?: string;
  /** How long a call waits for a connection, in milliseconds. Default: 3000. */
  readonly connectTimeout?: number;
  /** How long a statement waits for a lock, in milliseconds. Default: 2000. */
  readonly lockTimeout?: number;
  /** How long a statement may take, in milliseconds. It must be at least `lockTimeout`. Default: 5000. */
  readonly statementTimeout?: number;
  /**
   * How many calls may wait for a connection, and how many refreshes may wait for their batch. Further ones are refused.
   * Default: 1000.
   */
  readonly maxWaiting?: number;
  /**
   * Whether to prepare each statement once per connection. This saves the database from planning it every time. If a proxy
   * that pools transactions loses a prepared statement (PgBouncer before 1.21), the store repeats the statement unprepared
   * and stops preparing. Default: true.
   */
  readonly preparedStatements?: boolean;
  /** Returns the store's time in whole seconds since the epoch. Use it only in tests. Default: the database's clock. */
  readonly now?: () => number;
}

/**
 * The options of `postgresStore` with a pool that your application created. Closing the store doesn't close the pool.
 */
export interface PostgresPoolOptions extends PostgresBehaviour {
  /** A `Pool` from the package `pg`. Required. */
  readonly pool: PostgresPool;
  /**
   * Creates a new connection at every call, for example `() => new pg.Client(connectionString)`. The store uses it for
   * LISTEN, for reading the revocation feed and, while a revocation waits to be confirmed, for its acknowledgements. The
   * connection must not go through a proxy that pools transactions. Without this option, the store learns about revocations
   * only by reading the feed every quarter of a second, on a connection of the pool. Default: none.
   */
  readonly createListenClient?: () => PostgresListenClient;
}

/** The options of `postgresStore` with a pool that the store creates. It requires the package `pg`. */
export interface PostgresConnectionOptions extends PostgresBehaviour {
  /**
   * The connection string: `postgres://user:password@host/database?sslmode=verify-full`. With `verify-full`, the server's
   * certificate is checked. Required.
   */
  readonly connectionString: string;
  /**
   * The connection string for LISTEN and for reading the revocation feed. Set it if `connectionString` goes through a proxy
   * that pools transactions. It must lead to the same server. Default: `connectionString`.
   */
  readonly listenConnectionString?: string;
  /** The TLS options of `node:tls`, such as `{ ca }`. Default: the options in the connection string. */
  readonly ssl?: boolean | object;
  /** The maximum number of connections in the pool. Default: 10. */
  readonly maxConnections?: number;
}

/** The options of `postgresStore`, with a pool of your application or with a connection string. */
export type PostgresStoreOptions = PostgresPoolOptions | PostgresConnectionOptions;

/** The options of `PostgresBehaviour` after validation, with all defaults. */
export interface Behaviour extends Required<Omit<PostgresBehaviour, "now">> {
  /** Returns the store's time. `null` means the database's clock. */
  readonly now: (() => number) | null;
}

/** The pool of a store. */
export interface OpenedPool {
  /** The pool: either the application's, or one that the store has created. */
  readonly pool: PostgresPool;
  /** Whether the store has created the pool. If so, it must also close it. */
  readonly isOwnPool: boolean;
  /** Creates a connection for LISTEN. `null` if the store can't listen. */
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

/**
 * Throws if there is an unknown option, or an option for the other kind of pool.
 *
 * @throws TypeError that names the option.
 */
export function refuseUnknown(options: PostgresStoreOptions): void {
  if ("pool" in options) refuseUnknownOptions("postgresStore with a pool", options, Object.keys(poolNames));
  else refuseUnknownOptions("postgresStore", options, Object.keys(connectionNames));
}

/**
 * Checks the options and adds the defaults.
 *
 * @throws TypeError that names the invalid option.
 */
export function toBehaviour(options: PostgresBehaviour): Behaviour {
  const { schema = "tokenpair", preparedStatements = true, now = null } = options;
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(schema) || schema.startsWith("pg_")) {
    throw new TypeError(
      'postgresStore: schema must be at most 40 lower-case letters, digits and _, and not start with a digit or "pg_", ' +
        `got ${toShown(schema)}. Example: schema: "tokenpair"`,
    );
  }
  const lockTimeout = toCount("lockTimeout", options.lockTimeout ?? 2_000);
  const statementTimeout = toCount("statementTimeout", options.statementTimeout ?? 5_000);
  if (lockTimeout > statementTimeout) {
    throw new TypeError(
      `postgresStore: lockTimeout (${lockTimeout}) must not be longer than statementTimeout (${statementTimeout}): ` +
        "lower one or raise the other",
    );
  }
  const connectTimeout = toCount("connectTimeout", options.connectTimeout ?? 3_000);
  const maxWaiting = toCount("maxWaiting", options.maxWaiting ?? 1_000);
  return { schema, connectTimeout, lockTimeout, statementTimeout, maxWaiting, preparedStatements, now };
}

/**
 * Returns the application's pool, or creates one. Doesn't connect yet.
 *
 * @param connectTimeout how long to wait for a connection, in milliseconds.
 * @throws TypeError if an option is invalid, or if `pg` is needed but not installed.
 */
export function openPool(options: PostgresStoreOptions, connectTimeout: number): OpenedPool {
  if ("pool" in options) {
    const { pool, createListenClient = null } = options;
    if (typeof pool?.connect !== "function") {
      throw new TypeError("postgresStore: pool must be a Pool of the package pg. Example: pool: new pg.Pool()");
    }
    return { pool, isOwnPool: false, createListenClient };
  }
  const { connectionString, listenConnectionString = connectionString, ssl } = options;
  if (typeof connectionString !== "string" || connectionString === "") {
    throw new TypeError(
      'postgresStore: connectionString must be a URL. Example: connectionString: "postgres://tokenpair@db.example/app"',
    );
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
    throw new TypeError(`postgresStore: ${name} must be a positive whole number, got ${value}. Example: ${name}: 1000`);
  }
  return value;
}
