import { SchemaVersionError } from "../../../core/errors.ts";
import { assertUpToDate, type Migration, toPending } from "../../migrations.ts";
import type { Connection, Run } from "../connection/connection.ts";
import { toSqlState } from "../connection/unavailable.ts";
import { migrations } from "./migrations.ts";

// Asks the catalogue's tables: to_regclass() answers from a cache, which the wait for the lock leaves as it was.
const findTable = "SELECT FROM pg_tables WHERE schemaname = :schema AND tablename = 'tokenpair_migrations'";
const findSchema = "SELECT FROM pg_namespace WHERE nspname = :schema";
const version = "SELECT coalesce(max(number), 0) AS number FROM tokenpair.tokenpair_migrations";
const lock = "SELECT pg_advisory_xact_lock(hashtextextended('tokenpair.tokenpair_migrations', 0))";
const note = "INSERT INTO tokenpair.tokenpair_migrations (number, name) VALUES (:number, :name)";

/**
 * Applies what is pending, each step in a transaction of its own under an advisory lock, and names it: of several processes
 * that do so at once one applies a step and the others wait for it. Where nothing is pending, it needs no right to change
 * tables.
 *
 * @throws SchemaVersionError where the database is newer, or the tables of another program are in the way.
 */
export async function migrate(connection: Connection, schema: string): Promise<readonly string[]> {
  const applied: string[] = [];
  while (toPending(migrations, await readVersion(toRun(connection, "migrate"), schema)).length > 0) {
    const name = await connection.transact("migrate", ({ run }) => applyNext(run, schema), { isUnbounded: true });
    if (name !== null) applied.push(name);
  }
  return applied;
}

/** @throws SchemaVersionError where the schema is older or newer than this version's. */
export async function checkSchema(connection: Connection, schema: string): Promise<void> {
  assertUpToDate(migrations, await readVersion(toRun(connection, "checkSchema"), schema));
}

function toRun(connection: Connection, operation: string): Run {
  return (sql, parameters) => connection.run(operation, sql, parameters);
}

/** The highest number applied; 0 for a database without our tables. */
async function readVersion(run: Run, schema: string): Promise<number> {
  if ((await run(findTable, { schema })).length === 0) return 0;
  const [row] = await run<{ number: number }>(version);
  return row?.number ?? 0;
}

/** Applies one step, where another process has not done so since we looked. */
async function applyNext(run: Run, schema: string): Promise<string | null> {
  await run(lock);
  const [next] = toPending(migrations, await readVersion(run, schema));
  if (next === undefined) return null;
  if (next.number === 1) await prepare(run, schema);
  await apply(run, next);
  await run(note, { number: next.number, name: next.name });
  return next.name;
}

async function prepare(run: Run, schema: string): Promise<void> {
  // IF NOT EXISTS would ask for the right to make schemas also where this one is there.
  const isMissing = (await run(findSchema, { schema })).length === 0;
  if (isMissing) await run(`CREATE SCHEMA "${schema}"`);
  await run(`CREATE TABLE tokenpair.tokenpair_migrations
    (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
}

async function apply(run: Run, migration: Migration): Promise<void> {
  try {
    await run(migration.sql);
  } catch (error) {
    // A table of that name exists.
    if (toSqlState(error) !== "42P07") throw error;
    const reason = `${migration.name} cannot be applied: give tokenpair a schema of its own`;
    throw new SchemaVersionError(reason, { cause: error });
  }
}
