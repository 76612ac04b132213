import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Store } from "../core/store.ts";
import { sqliteStore } from "../store/sqlite/index.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";

/** Where the database is. */
export interface Database {
  /** For people. */
  readonly label: string;
  /** Its absolute path; `null` where it is in memory and ends with the process. */
  readonly path: string | null;
}

/** `sqlite:` and a path; two slashes could mean either of two places. */
const sqliteUrl = /^sqlite:(?!\/\/[^/])([^?#\0]+)$/;

/**
 * Reads `databaseUrl`; paths start at `directory`.
 *
 * @throws ConfigError that says how a database is named. It does not repeat the URL, which may hold a password.
 */
export function parseDatabaseUrl(url: string, directory: string): Database {
  if (url === "sqlite::memory:") return { label: "SQLite in memory", path: null };
  if (/^postgres(?:ql)?:/i.test(url)) {
    throw new ConfigError(
      "databaseUrl: this version of tokenpair has no PostgreSQL store yet; use sqlite:./data/tokenpair.db",
    );
  }
  const path = sqliteUrl.exec(url)?.[1];
  if (path === undefined) {
    throw new ConfigError(
      "databaseUrl: must be sqlite: and a path, such as sqlite:./data/tokenpair.db or sqlite:/var/lib/tokenpair.db, " +
        "or sqlite::memory:",
    );
  }
  return { label: `SQLite ${path}`, path: resolve(directory, path) };
}

/** Opens the store; a missing file is made. @throws StoreUnavailableError */
export function openStore({ path }: Database): Store {
  return sqliteStore(path ?? ":memory:");
}

/**
 * Opens the store of a database that is there already, so that a mistyped path makes no empty one.
 *
 * @throws ConfigError, StoreUnavailableError
 */
export function openExistingStore({ server, directory }: Pick<Config, "server" | "directory">): Store {
  const database = parseDatabaseUrl(server.databaseUrl, directory);
  if (database.path === null) {
    throw new ConfigError("databaseUrl: a database in memory is seen by `tokenpair serve` alone; name a file");
  }
  if (!existsSync(database.path)) {
    throw new ConfigError(
      `there is no database at ${database.path}; make one with \`tokenpair migrate\`, or name another with --database`,
    );
  }
  return openStore(database);
}
