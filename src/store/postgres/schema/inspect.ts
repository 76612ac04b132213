import type { PostgresConnection } from "../connection/connection.ts";

/** Facts about a PostgreSQL server that decide whether its answers can be relied on. */
export interface PostgresFacts {
  /** The server's version as a number, such as 180001. */
  readonly version: number;
  /** Whether the server is a standby, which follows another server and can't be written to. */
  readonly isStandby: boolean;
  /**
   * Whether a commit is on the disk when it is acknowledged, according to the settings of the server, the database and the
   * role.
   */
  readonly isDurable: boolean;
  /** The text that `version()` returns, such as "PostgreSQL 18.1 on x86_64-pc-linux-gnu". */
  readonly engine: string;
  /** Whether standbys follow this server. */
  readonly hasStandbys: boolean;
  /** Whether a commit waits for a standby. */
  readonly hasSynchronousStandby: boolean;
  /** Whether autovacuum runs. */
  readonly isAutovacuumOn: boolean;
  /** The number of connections that the server accepts, without those that are reserved for superusers. */
  readonly maxConnections: number;
}

const facts = `SELECT current_setting('server_version_num')::integer AS version, pg_is_in_recovery() AS "isStandby",
  current_setting('synchronous_commit') <> 'off' AND current_setting('fsync') = 'on' AS "isDurable",
  version() AS engine, EXISTS (SELECT FROM pg_stat_replication) AS "hasStandbys",
  current_setting('synchronous_standby_names') <> '' AS "hasSynchronousStandby",
  current_setting('autovacuum') = 'on' AND current_setting('track_counts') = 'on' AS "isAutovacuumOn",
  current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
    AS "maxConnections"`;

/**
 * Reads the facts from the server.
 *
 * @throws StoreUnavailableError if the server can't answer.
 */
export async function inspect(connection: PostgresConnection): Promise<PostgresFacts> {
  const [row] = await connection.run<PostgresFacts>("inspect", facts);
  return row as PostgresFacts;
}
