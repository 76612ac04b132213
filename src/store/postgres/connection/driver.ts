import { createRequire } from "node:module";

/** A statement in the form that `pg` takes. */
export interface PostgresQuery {
  /** The SQL, with `$1`, `$2` … for the values. */
  readonly text: string;
  /** The values. */
  readonly values?: unknown[];
  /** If set, the statement is prepared under this name, once for each connection. */
  readonly name?: string;
  /** How the columns are converted, instead of the parsers that the application has set for `pg`. */
  readonly types?: PostgresTypes;
  /** Milliseconds after which the driver gives up. */
  readonly query_timeout?: number;
}

/** The type parsers of a statement. */
export interface PostgresTypes {
  /** Returns the function that converts a column of this type from its text. */
  getTypeParser(oid: number): (text: string) => unknown;
}

/** The part of a `pg` connection that every use needs. */
export interface PostgresClient {
  /** Runs one statement and returns its rows. */
  query(query: PostgresQuery): Promise<{ readonly rows: unknown[] }>;
  /** Adds a listener for errors outside of a query. Without one they would end the process. */
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** The part of a connection from `pg`'s `Pool` that the store needs. */
export interface PostgresPoolClient extends PostgresClient {
  /** Removes a listener. */
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** Returns the connection to the pool; with `destroy`, closes it instead. */
  release(destroy?: boolean): void;
}

/** The part of `pg`'s `Pool` that the store needs. */
export interface PostgresPool {
  /** Returns an idle connection or a new one. */
  connect(): Promise<PostgresPoolClient>;
  /** Closes every connection. The store only calls it for its own pool. */
  end(): Promise<void>;
  /** Adds a listener for errors of idle connections. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Adds a listener for new connections. */
  on(event: "connect", listener: (client: PostgresPoolClient) => void): unknown;
  /** Removes a listener. */
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** Removes a listener. */
  removeListener(event: "connect", listener: (client: PostgresPoolClient) => void): unknown;
  /** How many calls wait for a connection, including those that an idle one is about to serve. */
  readonly waitingCount: number;
  /** How many connections are idle. */
  readonly idleCount: number;
  /** How many connections there are. */
  readonly totalCount: number;
}

/** The part of `pg`'s `Client` that the store needs for LISTEN, on a connection outside of the pool. */
export interface PostgresListenClient extends PostgresClient {
  /** Opens the connection. */
  connect(): Promise<unknown>;
  /** Closes the connection. */
  end(): Promise<void>;
  /** Lets the process exit while the connection is open. */
  unref?(): void;
  /** Adds a listener for errors outside of a query. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Adds a listener for the end of the connection. */
  on(event: "end", listener: () => void): unknown;
  /** Adds a listener for notifications. */
  on(event: "notification", listener: (message: { readonly payload?: string | undefined }) => void): unknown;
}

/** The part of the module `pg` that the store needs. */
interface Driver {
  readonly Pool: new (config: object) => PostgresPool;
  readonly Client: new (config: object) => PostgresListenClient;
}

/**
 * Loads `pg`, which the application installs.
 *
 * @throws TypeError if it is not installed.
 */
export function loadDriver(): Driver {
  try {
    return createRequire(import.meta.url)("pg") as Driver;
  } catch (cause) {
    throw new TypeError('postgresStore: the package "pg" is not installed: run `npm install pg`', { cause });
  }
}
