import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import type { Store } from "../../src/core/store/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { toReset } from "./empty-schema.ts";
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

/** Schemas whose stores have been closed, each with the statements that empty it. */
const unused: { readonly schema: string; readonly reset: string }[] = [];

async function openSchema(pool: pg.Pool, now: () => number): Promise<Store> {
  const used = unused.pop();
  const schema = used?.schema ?? `test_${randomBytes(8).toString("hex")}`;
  const store = postgresStore({ pool, schema, now, ...longTimeouts });
  if (used === undefined) await store.migrate();
  else await pool.query(used.reset);
  const reset = used?.reset ?? (await toReset(pool, schema));
  return { ...store, close: () => store.close().then(() => void unused.push({ schema, reset })) };
}
