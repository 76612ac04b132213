import { SchemaVersionError } from "../../../core/errors.ts";
import { assertUpToDate, type Migration, toPending } from "../../migrations.ts";
import type { Connection } from "../connection/connection.ts";
import { toResultCode } from "../connection/unavailable.ts";
import { migrations } from "./migrations.ts";

/**
 * Applies what is pending, each step in a transaction of its own, and names it. Of several processes that do so at once
 * one applies a step and the others see that it is done.
 *
 * @throws SchemaVersionError where the database is newer, or the tables of another program are in the way.
 */
export async function migrate(connection: Connection): Promise<readonly string[]> {
  const applied: string[] = [];
  const readPending = () => toPending(migrations, readVersion(connection));
  while ((await connection.read("migrate", readPending)).length > 0) {
    const name = await connection.write("migrate", (now) => applyNext(connection, now));
    if (name !== null) applied.push(name);
  }
  return applied;
}

/** @throws SchemaVersionError where the schema is older or newer than this version's. */
export function checkSchema(connection: Connection): Promise<void> {
  return connection.read("checkSchema", () => assertUpToDate(migrations, readVersion(connection)));
}

/** The highest number applied; 0 for a database without our tables. */
function readVersion(connection: Connection): number {
  const table = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'tokenpair_migrations'";
  if (connection.prepare(table).get() === undefined) return 0;
  return Number(connection.prepare("SELECT max(number) AS version FROM tokenpair_migrations").get()?.["version"] ?? 0);
}

/** Applies one step, where another process has not done so since we looked. */
function applyNext(connection: Connection, now: number): string | null {
  const [next] = toPending(migrations, readVersion(connection));
  if (next === undefined) return null;
  run(connection, next);
  connection
    .prepare("INSERT INTO tokenpair_migrations (number, name, applied_at) VALUES (:number, :name, :now)")
    .run({ number: next.number, name: next.name, now });
  return next.name;
}

function run(connection: Connection, migration: Migration): void {
  connection.exec(`CREATE TABLE IF NOT EXISTS tokenpair_migrations
    (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`);
  try {
    connection.exec(migration.sql);
  } catch (error) {
    if (toResultCode(error) !== 1) throw error;
    const reason = `${migration.name} cannot be applied: give tokenpair a database file of its own`;
    throw new SchemaVersionError(reason, { cause: error });
  }
}
