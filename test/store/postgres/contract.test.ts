import pg from "pg";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { describeStoreContract } from "../contract/store.ts";
import { provideServer } from "./server.ts";

const server = provideServer();
let schemas = 0;

/** Returns the name of a schema that no other test uses. */
function nextSchema(): string {
  schemas += 1;
  return `contract_${schemas}`;
}

describeStoreContract("PostgreSQL", async ({ now }) => {
  const store = postgresStore({ connectionString: server.url, schema: nextSchema(), now, ...longTimeouts });
  await store.migrate();
  return { store, cleanup: () => store.close() };
});

describeStoreContract("PostgreSQL without prepared statements, with a pool of the application", async ({ now }) => {
  const pool = new pg.Pool({ connectionString: server.url });
  const store = postgresStore({ pool, schema: nextSchema(), now, ...longTimeouts, preparedStatements: false });
  await store.migrate();
  return { store, cleanup: () => store.close().then(() => pool.end()) };
});
