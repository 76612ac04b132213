import { createRequire } from "node:module";

/** A statement as `pg` takes it. */
export interface PostgresQuery {
  readonly text: string;
  readonly values?: unknown[];
  /** Prepared under this name, once for each connection. */
  readonly name?: string;
  readonly types?: { getTypeParser(oid: number): (text: string) => unknown };
  /** Milliseconds after which the driver gives up. */
  readonly query_timeout?: number;
}

/** The part of a `pg` connection that we need. */
interface Queryable {
  query(query: PostgresQuery): Promise<{ readonly rows: unknown[] }>;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** The part of a connection from `pg`'s pool that we need. */
export interface PostgresPoolClient extends Queryable {
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** `destroy`: the connection is closed, not used again. */
  release(destroy?: boolean): void;
}

/** The part of `pg`'s `Pool` that we need. */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "connect", listener: (client: PostgresPoolClient) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "connect", listener: (client: PostgresPoolClient) => void): unknown;
  /** How many wait for a connection, those included whom an idle one is about to serve. */
  readonly waitingCount: number;
  readonly idleCount: number;
  readonly totalCount: number;
}

/** The part of a `pg` `Client` that we need for LISTEN: a connection that no pool hands out. */
export interface PostgresListenClient extends Queryable {
  connect(): Promise<unknown>;
  end(): Promise<void>;
  /** Lets the process end while it listens. */
  unref?(): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  on(event: "notification", listener: (message: { readonly payload?: string | undefined }) => void): unknown;
}

/** The part of the module `pg` that we need. */
interface Driver {
  readonly Pool: new (config: object) => PostgresPool;
  readonly Client: new (config: object) => PostgresListenClient;
}

/**
 * Loads `pg`, which the application installs.
 *
 * @throws TypeError where it is not installed.
 */
export function loadDriver(): Driver {
  try {
    return createRequire(import.meta.url)("pg") as Driver;
  } catch (cause) {
    throw new TypeError('postgresStore: the package "pg" is missing; install it with `npm install pg`', { cause });
  }
}
