import { SchemaVersionError } from "../../../core/errors.ts";
import { type Migration, requireUpToDate, toPending } from "../../migrations.ts";
import type { SqliteConnection } from "../connection/connection.ts";
import { isStatementError } from "../connection/errors.ts";
import { migrations } from "./migrations.ts";

/**
 * Applies the pending migrations, each in its own transaction, and returns their names. In a new database, applies all of
 * them in one transaction. If several processes migrate at the same time, each migration is applied by only one of them.
 *
 * @throws SchemaVersionError if the database is newer than this version, or if it contains tables of a different program.
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
 * Checks that the schema is the one of this version.
 *
 * @throws SchemaVersionError if the schema is older or newer.
 */
export function checkSchema(connection: SqliteConnection): Promise<void> {
  return connection.read("checkSchema", () => requireUpToDate(migrations, readVersion(connection)));
}

/** Returns the number of the last migration that was applied, or 0 if none was applied. */
function readVersion(connection: SqliteConnection): number {
  const table = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'tokenpair_migrations'";
  if (connection.prepare(table).get() === undefined) return 0;
  return Number(connection.prepare("SELECT max(number) AS version FROM tokenpair_migrations").get()?.["version"] ?? 0);
}

/**
 * Applies the next migration or, to a new database, all of them. Returns their names, or no names if another process was
 * faster.
 */
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

/** Records in a new database that the registry is complete, because no node can have used the database before. */
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
