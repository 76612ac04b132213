import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Store } from "../../core/store/index.ts";
import { type PostgresStore, postgresStore } from "../../store/postgres/index.ts";
import { sqliteStore } from "../../store/sqlite/index.ts";
import type { Config } from "./config.ts";
import { ConfigError, withConfigErrors } from "./config-error.ts";
import { toPostgresOptions } from "./postgres-options.ts";

/** The location of the database. */
export interface Database {
  /** A text for people that describes the database. It contains no password. */
  readonly label: string;
  /** The absolute path of a SQLite file, or `null` for SQLite in memory and for PostgreSQL. */
  readonly path: string | null;
  /** The connection string of a PostgreSQL server. Never print it, because it may contain a password. */
  readonly postgresUrl?: string;
}

/** Matches `sqlite:` and a path. Two slashes are not allowed, because they are ambiguous. Three slashes are allowed. */
const sqliteUrl = /^sqlite:(?!\/\/[^/])([^?#\0]+)$/;

/**
 * Parses `databaseUrl`.
 *
 * @param directory the folder from which relative paths start.
 * @throws ConfigError that shows valid URLs. It never quotes this URL, because it may contain a password.
 */
export function parseDatabaseUrl(url: string, directory: string): Database {
  if (url === "sqlite::memory:") return { label: "SQLite in memory", path: null };
  if (/^postgres(?:ql)?:\/\//.test(url)) return parsePostgresUrl(url);
  const path = sqliteUrl.exec(url)?.[1];
  if (path === undefined) {
    throw new ConfigError(
      "databaseUrl: must be sqlite: and a path, for example sqlite:./data/tokenpair.db or sqlite:/var/lib/tokenpair.db, " +
        "or sqlite::memory:, or postgres://user@host/database?sslmode=verify-full",
    );
  }
  return { label: `SQLite ${path}`, path: resolve(directory, path) };
}

function parsePostgresUrl(url: string): Database {
  const parsed = URL.parse(url);
  // A slash in the password ends the host too early, and the label would show the rest of the password as a path.
  if (parsed === null || !/^(?:\/[^/:@]*)?$/.test(parsed.pathname)) {
    throw new ConfigError("databaseUrl: is not a valid URL; write / and @ in the password as %2F and %40");
  }
  const { host, pathname } = parsed;
  return { label: `PostgreSQL ${host}${pathname}`, path: null, postgresUrl: url };
}

/**
 * Opens the store. Creates the SQLite file if it is missing.
 *
 * @throws ConfigError if a setting is wrong.
 * @throws StoreUnavailableError if the file can't be opened or created.
 */
export function openStore({ path, postgresUrl }: Database, config: Pick<Config, "server" | "directory">): Store {
  return postgresUrl === undefined ? sqliteStore(path ?? ":memory:") : openPostgresStore(postgresUrl, config);
}

/**
 * Opens the store of a PostgreSQL server with the options from the settings.
 *
 * @throws ConfigError if a setting is wrong.
 */
export function openPostgresStore(url: string, config: Pick<Config, "server" | "directory">): PostgresStore {
  const options = toPostgresOptions(url, config);
  return withConfigErrors(() => postgresStore(options), "databaseUrl: ");
}

/**
 * Opens the store of an existing database. It never creates a database, which a mistyped path would do otherwise.
 *
 * @throws ConfigError if there is no database.
 * @throws StoreUnavailableError if the database can't be opened.
 */
export function openExistingStore(config: Pick<Config, "server" | "directory">): Store {
  const database = parseDatabaseUrl(config.server.databaseUrl, config.directory);
  if (database.postgresUrl !== undefined) return openStore(database, config);
  if (database.path === null) {
    throw new ConfigError("databaseUrl: only `tokenpair serve` can use a database in memory; name a file");
  }
  if (!existsSync(database.path)) {
    throw new ConfigError(
      `no database at ${database.path}; create it with \`tokenpair migrate\`, or name another with --database`,
    );
  }
  return openStore(database, config);
}
