import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { describeStoreContract } from "../contract/store.ts";

describeStoreContract("SQLite in memory", async ({ now }) => {
  const store = sqliteStore({ path: ":memory:", now });
  await store.migrate();
  return { store, cleanup: () => store.close() };
});

describeStoreContract("SQLite in a file", async ({ now }) => {
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const store = sqliteStore({ path: join(folder, "tokenpair.db"), now });
  await store.migrate();
  return { store, cleanup: () => store.close().then(() => rmSync(folder, { recursive: true, force: true })) };
});
