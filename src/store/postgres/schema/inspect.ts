import type { Connection } from "../connection/connection.ts";

/** What a server says of itself, as far as it decides whether its answers can be relied on. */
export interface PostgresFacts {
  /** Such as 180000 for 18.0. */
  readonly version: number;
  /** It follows another server, and cannot be written to. */
  readonly isStandby: boolean;
  /** Whether a commit is on the disk when it is answered: settings of the server, of the database or of the role. */
  readonly isDurable: boolean;
  readonly isAutovacuumOn: boolean;
  /** Connections for everybody, those kept for superusers left out. */
  readonly maxConnections: number;
}

const facts = `SELECT current_setting('server_version_num')::integer AS version, pg_is_in_recovery() AS "isStandby",
  current_setting('synchronous_commit') <> 'off' AND current_setting('fsync') = 'on' AS "isDurable",
  current_setting('autovacuum') = 'on' AND current_setting('track_counts') = 'on' AS "isAutovacuumOn",
  current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
    AS "maxConnections"`;

/** Asks the server. @throws StoreUnavailableError */
export async function inspect(connection: Connection): Promise<PostgresFacts> {
  const [row] = await connection.run<PostgresFacts>("inspect", facts);
  return row as PostgresFacts;
}
