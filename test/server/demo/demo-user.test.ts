import { expect, it, onTestFinished } from "vitest";
import { createAuth } from "../../../src/index.ts";
import { ensureDemoUser } from "../../../src/server/demo/demo-user.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";

it("ensureDemoUser returns null if another process creates the demo user at the same time", async () => {
  const store = sqliteStore(":memory:");
  await store.migrate();
  const { users, close } = createAuth({ store, signingKey: "a signing key for tests of at least 32 bytes" });
  onTestFinished(async () => {
    await close();
    await store.close();
  });
  // The list is read before the other process creates the user.
  const outdated = { list: async () => [], create: users.create };
  expect(await ensureDemoUser(outdated, { minPasswordLength: 8 })).toMatchObject({ username: "demo" });
  expect(await ensureDemoUser(outdated, { minPasswordLength: 8 })).toBeNull();
  expect(await users.list()).toHaveLength(1);
});
