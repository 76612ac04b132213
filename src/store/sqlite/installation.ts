import type { SqliteConnection } from "./connection/connection.ts";

/** The row of the table `installation`, which applies to all nodes and all users. */
export interface Installation {
  readonly globalEpoch: number;
  /**
   * The longest `accessTokenLifetime` that any node has used, in seconds. 0 if no node of this version has registered yet.
   */
  readonly longestAccess: number;
  /** The longest `maxStaleness` that any node has used, in milliseconds. */
  readonly longestLease: number;
  /** The file for which the registry is known to be complete, or `null` if there is none. */
  readonly settled: string | null;
  /** The version of the key ring and the services. */
  readonly keysVersion: number;
  /**
   * The time since which refresh tokens are signed by their own key, in whole seconds since the epoch. `null` while nodes
   * of version 0.1 may still be running.
   */
  readonly ownRefreshSince: number | null;
}

const select = `SELECT global_epoch AS globalEpoch, longest_access AS longestAccess, longest_lease_ms AS longestLease, settled,
  keys_version AS keysVersion, own_refresh_since AS ownRefreshSince
  FROM installation`;

/** Reads the row of `installation`. Call it only inside a transaction. */
export function readInstallation(connection: SqliteConnection): Installation {
  return connection.get<Installation>(select) as Installation;
}

/** Returns the global epoch. Call it only inside a transaction. */
export function readGlobalEpoch(connection: SqliteConnection): number {
  return readInstallation(connection).globalEpoch;
}
