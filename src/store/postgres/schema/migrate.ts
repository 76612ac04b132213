import { SchemaVersionError } from "../../../core/errors.ts";
import { type Migration, requireUpToDate, toPending } from "../../migrations.ts";
import type { PostgresConnection, Run } from "../connection/connection.ts";
import { toSqlState } from "../connection/errors.ts";
import { migrations } from "./migrations.ts";

// Reads the catalogue: to_regclass() returns what is cached, which may be from before the wait for the lock.
const findTable = "SELECT FROM pg_tables WHERE schemaname = :schema AND tablename = 'tokenpair_migrations'";
const findSchema = "SELECT FROM pg_namespace WHERE nspname = :schema";
const version = "SELECT coalesce(max(number), 0) AS number FROM tokenpair.tokenpair_migrations";
const lock = "SELECT pg_advisory_xact_lock(hashtextextended('tokenpair.tokenpair_migrations', 0))";
const recordMigration = "INSERT INTO tokenpair.tokenpair_migrations (number, name) VALUES (:number, :name)";

/**
 * Applies the pending migrations, each in its own transaction under an advisory lock, and returns their names. If
 * several processes migrate at once, one applies a migration and the others wait for it. If nothing is pending, the
 * role needs no right to change tables.
 *
 * @throws SchemaVersionError if the database is newer than this version, or the schema has another program's tables.
 */
export async function migrate(connection: PostgresConnection, schema: string): Promise<readonly string[]> {
  const applied: string[] = [];
  while (toPending(migrations, await readVersion(toRun(connection, "migrate"), schema)).length > 0) {
    const name = await connection.transact("migrate", ({ run }) => applyNext(run, schema), { isUnbounded: true });
    if (name !== null) applied.push(name);
  }
  return applied;
}

/**
 * Requires the schema to be the one of this version.
 *
 * @throws SchemaVersionError if the schema is older or newer.
 */
export async function checkSchema(connection: PostgresConnection, schema: string): Promise<void> {
  requireUpToDate(migrations, await readVersion(toRun(connection, "checkSchema"), schema));
}

function toRun(connection: PostgresConnection, operation: string): Run {
  return (sql, parameters) => connection.run(operation, sql, parameters);
}

/** Returns the number of the last migration that was applied; 0 if there is none. */
async function readVersion(run: Run, schema: string): Promise<number> {
  if ((await run(findTable, { schema })).length === 0) return 0;
  const [row] = await run<{ number: number }>(version);
  return row?.number ?? 0;
}

/** Applies the next migration and returns its name; `null` if another process has applied it meanwhile. */
async function applyNext(run: Run, schema: string): Promise<string | null> {
  await run(lock);
  const [next] = toPending(migrations, await readVersion(run, schema));
  if (next === undefined) return null;
  if (next.number === 1) await createSchema(run, schema);
  await apply(run, next);
  await run(recordMigration, { number: next.number, name: next.name });
  return next.name;
}

async function createSchema(run: Run, schema: string): Promise<void> {
  // IF NOT EXISTS would need the right to create schemas even if this one exists.
  const isMissing = (await run(findSchema, { schema })).length === 0;
  if (isMissing) await run(`CREATE SCHEMA "${schema}"`);
  await run(`CREATE TABLE tokenpair.tokenpair_migrations
    (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
}

async function apply(run: Run, migration: Migration): Promise<void> {
  try {
    await run(migration.sql);
  } catch (error) {
    // 42P07: a table of that name exists.
    if (toSqlState(error) !== "42P07") throw error;
    throw new SchemaVersionError(
      `${migration.name} can't be applied because the schema has another program's tables: ` +
        "give tokenpair its own schema",
      { cause: error },
    );
  }
}
