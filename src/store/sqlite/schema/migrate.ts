import { SchemaVersionError } from "../../../core/errors.ts";
import { type Migration, requireUpToDate, toPending } from "../../migrations.ts";
import type { SqliteConnection } from "../connection/connection.ts";
import { isStatementError } from "../connection/errors.ts";
import { migrations } from "./migrations.ts";

/**
 * Applies the pending migrations, each in its own transaction, and returns their names. If several processes migrate at
 * once, only one of them applies each migration.
 *
 * @throws SchemaVersionError if the database is newer than this version, or has another program's tables.
 */
export async function migrate(connection: SqliteConnection): Promise<readonly string[]> {
  const applied: string[] = [];
  const readPending = () => toPending(migrations, readVersion(connection));
  while ((await connection.read("migrate", readPending)).length > 0) {
    const name = await connection.write("migrate", (now) => applyNext(connection, now));
    if (name !== null) applied.push(name);
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

/** Applies the next migration and returns its name; `null` if another process has applied it meanwhile. */
function applyNext(connection: SqliteConnection, now: number): string | null {
  const [next] = toPending(migrations, readVersion(connection));
  if (next === undefined) return null;
  run(connection, next);
  if (next.number === 5) settle(connection);
  connection
    .prepare("INSERT INTO tokenpair_migrations (number, name, applied_at) VALUES (:number, :name, :now)")
    .run({ number: next.number, name: next.name, now });
  return next.name;
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
