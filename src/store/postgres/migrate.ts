import { SchemaVersionError } from "../../core/errors.ts";
import { assertUpToDate, type Migration, toPending } from "../migrations.ts";
import type { Connection, Run } from "./connection.ts";
import { migrations } from "./migrations.ts";
import { toSqlState } from "./unavailable.ts";

const isThere = "SELECT to_regclass('tokenpair.tokenpair_migrations') IS NOT NULL AS found";
const isSchemaThere = "SELECT to_regnamespace(quote_ident(:schema)) IS NOT NULL AS found";
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
  while (toPending(migrations, await readVersion(toRun(connection, "migrate"))).length > 0) {
    const name = await connection.transact("migrate", ({ run }) => applyNext(run, schema), { isUnbounded: true });
    if (name !== null) applied.push(name);
  }
  return applied;
}

/** @throws SchemaVersionError where the schema is older or newer than this version's. */
export async function checkSchema(connection: Connection): Promise<void> {
  assertUpToDate(migrations, await readVersion(toRun(connection, "checkSchema")));
}

function toRun(connection: Connection, operation: string): Run {
  return (sql, parameters) => connection.run(operation, sql, parameters);
}

/** The highest number applied; 0 for a database without our tables. */
async function readVersion(run: Run): Promise<number> {
  const [table] = await run<{ found: boolean }>(isThere);
  if (table?.found !== true) return 0;
  const [row] = await run<{ number: number }>(version);
  return row?.number ?? 0;
}

/** Applies one step, where another process has not done so since we looked. */
async function applyNext(run: Run, schema: string): Promise<string | null> {
  await run(lock);
  const [next] = toPending(migrations, await readVersion(run));
  if (next === undefined) return null;
  if (next.number === 1) await prepare(run, schema);
  await apply(run, next);
  await run(note, { number: next.number, name: next.name });
  return next.name;
}

async function prepare(run: Run, schema: string): Promise<void> {
  // IF NOT EXISTS would ask for the right to make schemas also where this one is there.
  const [{ found } = { found: false }] = await run<{ found: boolean }>(isSchemaThere, { schema });
  if (!found) await run(`CREATE SCHEMA "${schema}"`);
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
