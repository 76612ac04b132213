import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import type { Store } from "../../src/core/store/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { longTimeouts } from "./long-timeouts.ts";

/** Opens an empty, migrated store: SQLite in memory, or the PostgreSQL that the project provides. */
export async function openTestStore(now: () => number): Promise<Store> {
  if (postgres !== null) return openSchema(postgres, now);
  const store = sqliteStore({ path: ":memory:", now });
  await store.migrate();
  return store;
}

const connectionString = inject("postgresUrl");
const postgres = connectionString === undefined ? null : new pg.Pool({ connectionString, allowExitOnIdle: true });

/** Schemas whose stores have been closed. Emptying one takes a tenth of the time of creating one. */
const unused: string[] = [];

async function openSchema(pool: pg.Pool, now: () => number): Promise<Store> {
  const used = unused.pop();
  const schema = used ?? `test_${randomBytes(8).toString("hex")}`;
  const store = postgresStore({ pool, schema, now, ...longTimeouts });
  if (used === undefined) await store.migrate();
  else await empty(pool, schema);
  return { ...store, close: () => store.close().then(() => void unused.push(schema)) };
}

/** Empties a schema, as the migrations leave it. */
async function empty(pool: pg.Pool, schema: string): Promise<void> {
  await pool.query(`DO $$ BEGIN EXECUTE (
      SELECT 'TRUNCATE ' || string_agg(format('%I.%I', schemaname, tablename), ', ') || ' RESTART IDENTITY'
      FROM pg_tables WHERE schemaname = '${schema}' AND tablename <> 'tokenpair_migrations');
    INSERT INTO ${schema}.user_numbers (last) VALUES (0);
    INSERT INTO ${schema}.installation (longest_access, longest_lease_ms, settled, own_refresh_since)
      VALUES (0, 10000, extract(epoch FROM pg_postmaster_start_time())::text, 0); END $$`);
}
