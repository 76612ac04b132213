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
const setOwnRefresh = "UPDATE tokenpair.installation SET own_refresh_since = 0";
const recordMigration = "INSERT INTO tokenpair.tokenpair_migrations (number, name) VALUES (:number, :name)";

/**
 * Applies the pending migrations, each in its own transaction under an advisory lock, and returns their names. In a new
 * database, applies all of them in one transaction. If several processes migrate at the same time, one of them applies a
 * migration and the others wait for it. If nothing is pending, the role doesn't need the right to change tables.
 *
 * @throws SchemaVersionError if the database is newer than this version, or if the schema contains tables of a different
 * program.
 */
export async function migrate(connection: PostgresConnection, schema: string): Promise<readonly string[]> {
  const applied: string[] = [];
  while (toPending(migrations, await readVersion(toRun(connection, "migrate"), schema)).length > 0) {
    applied.push(...(await connection.transact("migrate", ({ run }) => applyNext(run, schema), { isUnbounded: true })));
  }
  return applied;
}

/**
 * Checks that the schema is the one of this version.
 *
 * @throws SchemaVersionError if the schema is older or newer.
 */
export async function checkSchema(connection: PostgresConnection, schema: string): Promise<void> {
  requireUpToDate(migrations, await readVersion(toRun(connection, "checkSchema"), schema));
}

function toRun(connection: PostgresConnection, operation: string): Run {
  return (sql, parameters) => connection.run(operation, sql, parameters);
}

/** Returns the number of the last migration that was applied, or 0 if none was applied. */
async function readVersion(run: Run, schema: string): Promise<number> {
  if ((await run(findTable, { schema })).length === 0) return 0;
  const [row] = await run<{ number: number }>(version);
  return row?.number ?? 0;
}

/**
 * Applies the next migration or, to a new database, all of them. Returns their names, or no names if another process was
 * faster.
 */
async function applyNext(run: Run, schema: string): Promise<readonly string[]> {
  await run(lock);
  const before = await readVersion(run, schema);
  const isNew = before === 0;
  const next = toPending(migrations, before).slice(0, isNew ? undefined : 1);
  if (isNew) await createSchema(run, schema);
  for (const migration of next) {
    await apply(run, migration);
    await run(recordMigration, { number: migration.number, name: migration.name });
  }
  // No node of an earlier version can have used the database, so none has to understand the refresh tokens.
  if (isNew) await run(setOwnRefresh);
  return next.map(({ name }) => name);
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
