import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe } from "vitest";
import type { Store } from "../../../src/core/store/index.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { sqliteDialect } from "../../../src/store/sqlite/staff.ts";
import type { ListStatement } from "../../../src/store/staff-lists.ts";
import { testLongLists } from "../staff-lists.ts";

describe("long lists in SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const path = join(folder, "tokenpair.db");
  let store: Store;
  let database: DatabaseSync;
  beforeAll(async () => {
    store = sqliteStore(path);
    await store.migrate();
    database = new DatabaseSync(path);
  });
  afterAll(async () => {
    database.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function explain({ sql, parameters }: ListStatement): Promise<string> {
    const time = sql.includes(":now") ? { now: 1 } : {};
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all({ ...parameters, ...time });
    return plan.map(({ detail }) => String(detail)).join("\n");
  }

  testLongLists({
    store: () => store,
    dialect: sqliteDialect,
    bytes: "zeroblob(32)",
    run: async (sql) => database.exec(sql),
    explain,
    explainOrder: explain,
    // Rows of users are stored in the order of their positions, so that list needs no index.
    fullScan: /^(?:CO-ROUTINE \w+\n)?SCAN (?:sessions|audit_log)(?! USING)/,
    sort: /TEMP B-TREE/,
  });
});
