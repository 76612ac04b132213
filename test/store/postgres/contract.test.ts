import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { toReset } from "../../support/empty-schema.ts";
import { hasLongTests } from "../../support/long-tests.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { describeStoreContract } from "../contract/store.ts";
import { provideServer } from "./server.ts";

// A transaction of autovacuum would hold back the horizon that the tests read.
const server = provideServer({ autovacuum: "off" });
let operator: pg.Pool;
beforeAll(() => {
  operator = new pg.Pool({ connectionString: server.url });
  // A connection may still be closing when the server stops.
  operator.on("error", () => {});
});
afterAll(() => operator.end());

/** Creates a function that migrates a schema the first time, and empties it before every other test. */
function createPreparation(schema: string): (migrate: () => Promise<unknown>) => Promise<void> {
  let reset: string | null = null;
  return async (migrate) => {
    if (reset !== null) await operator.query(reset);
    else {
      await migrate();
      reset = await toReset(operator, schema);
    }
  };
}

const prepare = createPreparation("prepared");
describeStoreContract("PostgreSQL", async ({ now }) => {
  const store = postgresStore({ connectionString: server.url, schema: "prepared", now, ...longTimeouts });
  await prepare(store.migrate);
  return { store, cleanup: () => store.close() };
});

const prepareUnprepared = createPreparation("unprepared");
if (hasLongTests)
  describeStoreContract("PostgreSQL without prepared statements, with a pool of the application", async ({ now }) => {
    const pool = new pg.Pool({ connectionString: server.url });
    const store = postgresStore({ pool, schema: "unprepared", now, ...longTimeouts, preparedStatements: false });
    await prepareUnprepared(store.migrate);
    return { store, cleanup: () => store.close().then(() => pool.end()) };
  });
