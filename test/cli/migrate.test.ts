import { join } from "node:path";
import { expect, it } from "vitest";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { createFolder } from "../server/folder.ts";
import { runCommand } from "../support/run-command.ts";

/** Creates a database whose users have the keys of tokenpair 0.1. */
async function createDatabase(usernames: readonly string[]): Promise<string> {
  const path = join(createFolder(), "tokenpair.db");
  const store = sqliteStore({ path });
  await store.migrate();
  for (const username of usernames) {
    const usernameKey = username.toLowerCase();
    await store.users.create({ username, usernameKey, email: null, role: null, passwordHash: null });
  }
  await store.close();
  return path;
}

async function migrate(path: string, ...options: readonly string[]) {
  const { exit, stdout: printed } = await runCommand(["migrate", ...options, "--database", `sqlite:${path}`]);
  return { exit, printed };
}

it("gives users of tokenpair 0.1 the username keys of today, and lists names that differ only in case, every time", async () => {
  const path = await createDatabase(["Straße", "strasse", "Gauß", "alice"]);
  const upToDate = "No pending migrations: the schema is up to date.\n";
  const collision =
    "The usernames Straße (id 1) and strasse (id 2) differ only in case. Both work; rename one of them.\n";
  const changed = "Usernames are now compared without case: 1 user changed.\n";
  expect(await migrate(path)).toEqual({ exit: 0, printed: upToDate + changed + collision });
  expect(await migrate(path)).toEqual({ exit: 0, printed: upToDate + collision });
  expect(JSON.parse((await migrate(path, "--json")).printed)).toEqual({
    applied: [],
    username_keys: 0,
    username_collisions: [{ id: "1", other_id: "2" }],
  });
});
