import pg from "pg";
import { afterAll } from "vitest";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { describeStoreContract } from "../contract/store.ts";
import { createEmptySchema } from "./schema.ts";
import { provideServer } from "./server.ts";

const server = provideServer();
const [prepared, unprepared] = [createEmptySchema("prepared"), createEmptySchema("unprepared")];
afterAll(async () => {
  await Promise.all([prepared, unprepared].map((schema) => schema.close()));
});

describeStoreContract("PostgreSQL", async ({ now }) => {
  const store = postgresStore({ connectionString: server.url, schema: prepared.name, now, ...longTimeouts });
  await prepared.empty(server.url, store.migrate);
  return { store, cleanup: () => store.close() };
});

describeStoreContract("PostgreSQL without prepared statements, with a pool of the application", async ({ now }) => {
  const pool = new pg.Pool({ connectionString: server.url });
  const store = postgresStore({ pool, schema: unprepared.name, now, ...longTimeouts, preparedStatements: false });
  await unprepared.empty(server.url, store.migrate);
  return { store, cleanup: () => store.close().then(() => pool.end()) };
});
