import { expect, it } from "vitest";
import { checkNodes } from "../../src/staff/health/node-checks.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";

it("says which node's clock differs by more than half a minute, and in which direction", async () => {
  const store = sqliteStore(":memory:");
  await store.migrate();
  for (const [name, clockAhead] of Object.entries({ right: -30_000, slow: -40_000, fast: 90_000 })) {
    await store.nodes.register({ id: name, name, lease: 10_000, accessTokenLifetime: 300 });
    await store.nodes.acknowledge(name, { seen: "0", clockAhead });
  }
  const warnings = (await checkNodes(store, { maxStaleness: 10 })).filter(({ status }) => status === "warn");
  expect(warnings.map(({ detail }) => detail).sort()).toEqual([
    "The clock of fast is 90 s ahead of the database's. Synchronize it.",
    "The clock of slow is 40 s behind the database's. Synchronize it.",
  ]);
  await store.close();
});

it("says which node waits for a service with a long maxStaleness", async () => {
  const store = sqliteStore(":memory:");
  await store.migrate();
  for (const [name, lease] of Object.entries({ short: 10_000, own: 100_000, long: 600_600 })) {
    await store.nodes.register({ id: name, name, lease, accessTokenLifetime: 300 });
  }
  const warnings = (await checkNodes(store, { maxStaleness: 100 })).filter(({ status }) => status === "warn");
  expect(warnings.map(({ detail }) => detail)).toEqual([
    "A service reads the feed of long with a maxStaleness of about 601 s. If it disconnects, confirmations wait that long. Lower it there.",
  ]);
  await store.close();
});
