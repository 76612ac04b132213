import { SchemaVersionError } from "../../../core/errors.ts";
import { type Migration, requireUpToDate, toPending } from "../../migrations.ts";
import type { SqliteConnection } from "../connection/connection.ts";
import { isStatementError } from "../connection/errors.ts";
import { migrations } from "./migrations.ts";

/**
 * Applies the pending migrations, each in its own transaction, and returns their names. A new database gets all of them in one
 * transaction. If several processes migrate at once, only one of them applies each migration.
 *
 * @throws SchemaVersionError if the database is newer than this version, or has another program's tables.
 */
export async function migrate(connection: SqliteConnection): Promise<readonly string[]> {
  const applied: string[] = [];
  const readPending = () => toPending(migrations, readVersion(connection));
  while ((await connection.read("migrate", readPending)).length > 0) {
    applied.push(...(await connection.write("migrate", (now) => applyNext(connection, now))));
  }
  return applied;
}

/**
 * Requires the schema to be the one of this version.
 *
 * @throws SchemaVersionError if the schema is older or newer.
 */
export function checkSchema(connection: SqliteConnection): Promise<void> {
  return connection.read("checkSchema", () => requireUpToDate(migrations, readVersion(connection)));
}

/** Returns the number of the last migration that was applied; 0 if there is none. */
function readVersion(connection: SqliteConnection): number {
  const table = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'tokenpair_migrations'";
  if (connection.prepare(table).get() === undefined) return 0;
  return Number(connection.prepare("SELECT max(number) AS version FROM tokenpair_migrations").get()?.["version"] ?? 0);
}

/** Applies the next migration, or all of them to a new database. Returns their names: none if another process was faster. */
function applyNext(connection: SqliteConnection, now: number): readonly string[] {
  const version = readVersion(connection);
  const isNew = version === 0;
  const next = toPending(migrations, version).slice(0, isNew ? undefined : 1);
  for (const migration of next) apply(connection, migration, now);
  if (isNew) connection.exec("UPDATE installation SET own_refresh_since = 0");
  return next.map(({ name }) => name);
}

function apply(connection: SqliteConnection, migration: Migration, now: number): void {
  run(connection, migration);
  const { number, name } = migration;
  if (number === 5) settle(connection);
  connection
    .prepare("INSERT INTO tokenpair_migrations (number, name, applied_at) VALUES (:number, :name, :now)")
    .run({ number, name, now });
}

/** In a new database, the registry is complete: no node can have used it before. */
function settle(connection: SqliteConnection): void {
  const { incarnation } = connection;
  connection.prepare("UPDATE installation SET settled = :incarnation WHERE settled = 'new'").run({ incarnation });
}

function run(connection: SqliteConnection, migration: Migration): void {
  connection.exec(`CREATE TABLE IF NOT EXISTS tokenpair_migrations
    (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`);
  try {
    connection.exec(migration.sql);
  } catch (error) {
    if (!isStatementError(error)) throw error;
    throw new SchemaVersionError(
      `${migration.name} can't be applied because the file has another program's tables: ` +
        "give tokenpair its own database file",
      { cause: error },
    );
  }
}
