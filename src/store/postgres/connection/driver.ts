import { createRequire } from "node:module";

/** A statement in the form that `pg` takes. */
export interface PostgresQuery {
  /** The SQL text, with `$1`, `$2` … for the values. */
  readonly text: string;
  /** The values. */
  readonly values?: unknown[];
  /** The name under which the statement is prepared, once for each connection. Without a name, it is not prepared. */
  readonly name?: string;
  /** The conversion of the columns. It replaces the parsers that the application has set for `pg`. */
  readonly types?: PostgresTypes;
  /** The number of milliseconds after which the driver gives up. */
  readonly query_timeout?: number;
}

/** The type parsers of a statement. */
export interface PostgresTypes {
  /** Returns the function that converts a column of this type from its text. */
  getTypeParser(oid: number): (text: string) => unknown;
}

/** The part of a `pg` connection that the store needs in all cases. */
export interface PostgresClient {
  /** Runs one statement and returns its rows. */
  query(query: PostgresQuery): Promise<{ readonly rows: unknown[] }>;
  /** Adds a listener for errors outside of queries. Without a listener, such an error would end the process. */
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** The part of a connection from `pg`'s `Pool` that the store needs. */
export interface PostgresPoolClient extends PostgresClient {
  /** Removes a listener. */
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** Returns the connection to the pool. With `destroy`, closes it instead. */
  release(destroy?: boolean): void;
}

/** The part of `pg`'s `Pool` that the store needs. */
export interface PostgresPool {
  /** Returns an idle connection or a new one. */
  connect(): Promise<PostgresPoolClient>;
  /** Closes all connections. The store calls it only for a pool that it has created itself. */
  end(): Promise<void>;
  /** Adds a listener for errors on idle connections. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Adds a listener for new connections. */
  on(event: "connect", listener: (client: PostgresPoolClient) => void): unknown;
  /** Removes a listener. */
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** Removes a listener. */
  removeListener(event: "connect", listener: (client: PostgresPoolClient) => void): unknown;
  /** The number of calls that are waiting for a connection, including those that are about to get an idle one. */
  readonly waitingCount: number;
  /** The number of idle connections. */
  readonly idleCount: number;
  /** The number of all connections. */
  readonly totalCount: number;
}

/** The part of `pg`'s `Client` that the store needs for LISTEN, on a connection outside of the pool. */
export interface PostgresListenClient extends PostgresClient {
  /** Opens the connection. */
  connect(): Promise<unknown>;
  /** Closes the connection. */
  end(): Promise<void>;
  /** Allows the process to exit while the connection is open. */
  unref?(): void;
  /** Adds a listener for errors outside of queries. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Adds a listener that is called when the connection has ended. */
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
 * Loads the package `pg`, which the application must install.
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
