import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Store } from "../../core/store/index.ts";
import { type PostgresStore, postgresStore } from "../../store/postgres/index.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { toPostgresOptions } from "./postgres-options.ts";

/** Where the database is. */
export interface Database {
  /** For people. */
  readonly label: string;
  /** Its absolute path; `null` where it is no file: in memory, or a server's. */
  readonly path: string | null;
  /** The connection string of a PostgreSQL server. May hold a password: never print it. */
  readonly postgresUrl?: string;
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
  if (/^postgres(?:ql)?:\/\//.test(url)) return parsePostgresUrl(url);
  const path = sqliteUrl.exec(url)?.[1];
  if (path === undefined) {
    throw new ConfigError(
      "databaseUrl: must be sqlite: and a path, such as sqlite:./data/tokenpair.db or sqlite:/var/lib/tokenpair.db, " +
        "or sqlite::memory:, or postgres://user@host/database?sslmode=verify-full",
    );
  }
  return { label: `SQLite ${path}`, path: resolve(directory, path) };
}

function parsePostgresUrl(url: string): Database {
  const parsed = URL.parse(url);
  // A slash in the password ends the host too early: the rest of it would stand in the path, and be shown.
  if (parsed === null || !/^(?:\/[^/:@]*)?$/.test(parsed.pathname)) {
    throw new ConfigError(
      "databaseUrl: is no URL; characters such as / and @ in the password are written as %2F and %40",
    );
  }
  const { host, pathname } = parsed;
  return { label: `PostgreSQL ${host}${pathname}`, path: null, postgresUrl: url };
}

/** Opens the store; a missing file is made. @throws ConfigError, StoreUnavailableError */
export function openStore({ path, postgresUrl }: Database, config: Pick<Config, "server" | "directory">): Store {
  return postgresUrl === undefined ? sqliteStore(path ?? ":memory:") : openPostgresStore(postgresUrl, config);
}

/** The store of a PostgreSQL server, as the settings have it. @throws ConfigError */
export function openPostgresStore(url: string, config: Pick<Config, "server" | "directory">): PostgresStore {
  const options = toPostgresOptions(url, config);
  try {
    return postgresStore(options);
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigError(`databaseUrl: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * Opens the store of a database that is there already, so that a mistyped path makes no empty one.
 *
 * @throws ConfigError, StoreUnavailableError
 */
export function openExistingStore(config: Pick<Config, "server" | "directory">): Store {
  const database = parseDatabaseUrl(config.server.databaseUrl, config.directory);
  if (database.postgresUrl !== undefined) return openStore(database, config);
  if (database.path === null) {
    throw new ConfigError("databaseUrl: a database in memory is seen by `tokenpair serve` alone; name a file");
  }
  if (!existsSync(database.path)) {
    throw new ConfigError(
      `there is no database at ${database.path}; make one with \`tokenpair migrate\`, or name another with --database`,
    );
  }
  return openStore(database, config);
}
