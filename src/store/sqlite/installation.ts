import type { SqliteConnection } from "./connection/connection.ts";

/** The row of `installation`: what holds for all nodes and all users. */
export interface Installation {
  readonly globalEpoch: number;
  /** Seconds; 0 if no node of this version has registered yet. */
  readonly longestAccess: number;
  /** Milliseconds. */
  readonly longestLease: number;
  /** The file in which the registry is known to be complete; `null`: none. */
  readonly settled: string | null;
  /** The version of the key ring and the services. */
  readonly keysVersion: number;
  /** Whole seconds since the epoch; `null`: nodes of version 0.1 may serve. */
  readonly ownRefreshSince: number | null;
}

const select = `SELECT global_epoch AS globalEpoch, longest_access AS longestAccess, longest_lease_ms AS longestLease, settled,
  keys_version AS keysVersion, own_refresh_since AS ownRefreshSince
  FROM installation`;

/** Reads the row of `installation`. Call it only inside a transaction. */
export function readInstallation(connection: SqliteConnection): Installation {
  return connection.prepare(select).get() as unknown as Installation;
}

/** Returns the global epoch. Call it only inside a transaction. */
export function readGlobalEpoch(connection: SqliteConnection): number {
  return readInstallation(connection).globalEpoch;
}
