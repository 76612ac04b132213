import { afterAll, beforeAll } from "vitest";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { describeStoreContract } from "./store-contract.ts";

let server: PostgresServer;
let schemas = 0;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

describeStoreContract("PostgreSQL", async ({ now }) => {
  schemas += 1;
  const store = postgresStore({ connectionString: server.url, schema: `contract_${schemas}`, now });
  await store.migrate();
  return { store, cleanup: () => store.close() };
});
