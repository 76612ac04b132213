import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres.ts";
import { describeStoreContract } from "../contract/store.ts";

let server: PostgresServer;
let schemas = 0;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

function toSchema(): string {
  schemas += 1;
  return `contract_${schemas}`;
}

describeStoreContract("PostgreSQL", async ({ now }) => {
  const store = postgresStore({ connectionString: server.url, schema: toSchema(), now });
  await store.migrate();
  return { store, cleanup: () => store.close() };
});

describeStoreContract("PostgreSQL, a pool of the application's and prepared statements", async ({ now }) => {
  const pool = new pg.Pool({ connectionString: server.url });
  const store = postgresStore({ pool, schema: toSchema(), now, preparedStatements: true });
  await store.migrate();
  return { store, cleanup: () => store.close().then(() => pool.end()) };
});
