import pg from "pg";
import { afterAll, beforeAll, describe } from "vitest";
import type { Store } from "../../../src/core/store/index.ts";
import { createStatements } from "../../../src/store/postgres/connection/statement.ts";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { postgresDialect } from "../../../src/store/postgres/staff.ts";
import type { ListStatement } from "../../../src/store/staff-lists.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { testLongLists } from "../staff-lists.ts";
import { provideServer } from "./server.ts";

describe("long lists in PostgreSQL", () => {
  const server = provideServer();
  let store: Store;
  let client: pg.Client;
  beforeAll(async () => {
    store = postgresStore({ connectionString: server.url, ...longTimeouts });
    await store.migrate();
    client = new pg.Client(server.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await store.close();
  });

  const statements = createStatements({ schema: "tokenpair", now: undefined, preparedStatements: false } as never);
  async function explain({ sql, parameters }: ListStatement, sorting: "on" | "off"): Promise<string> {
    await client.query(`SET enable_sort = ${sorting}; SET enable_bitmapscan = ${sorting}`);
    const { text, values } = statements.toQuery(`EXPLAIN ${sql}`, parameters, 1_000);
    const { rows } = await client.query(text, values as unknown[]);
    return rows.map((row: Record<string, string>) => row["QUERY PLAN"]).join("\n");
  }

  testLongLists({
    store: () => store,
    dialect: postgresDialect,
    bytes: "decode(repeat('00', 32), 'hex')",
    run: async (sql) => void (await client.query(sql)),
    explain: (statement) => explain(statement, "on"),
    explainOrder: (statement) => explain(statement, "off"),
    fullScan: /Seq Scan on (?:users|sessions|audit_log)/,
    sort: /Sort/,
  });
});
