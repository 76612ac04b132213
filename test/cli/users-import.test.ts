import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Context } from "../../src/cli/context.ts";
import { run } from "../../src/cli/program.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { childEnvironment } from "../support/child-environment.ts";

const main = resolve(import.meta.dirname, "../../src/cli/main.ts");

/** How many users are imported: a multiple of the batch size. */
const count = 6_000;

let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const store = sqliteStore(join(folder, "data/tokenpair.db"));
  await store.migrate();
  await store.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Returns a record of Django's dumpdata. */
function toRecord(index: number): string {
  const password = `pbkdf2_sha256$600000$salt${index}$${Buffer.alloc(32, index).toString("base64")}`;
  const dates = { date_joined: "2020-01-01T00:00:00Z", last_login: "2021-01-01T00:00:00.5Z" };
  const fields = { password, username: `User${index}`, email: `user${index}@example.org`, is_active: true, ...dates };
  return JSON.stringify({ model: "auth.user", pk: 1_000 + index, fields });
}

function start(...args: string[]) {
  return spawn(process.execPath, [main, "users", "import", ...args], {
    cwd: folder,
    env: childEnvironment,
    stdio: ["pipe", "pipe", "inherit"],
  });
}

function query(sql: string): Record<string, unknown> {
  const database = new DatabaseSync(join(folder, "data/tokenpair.db"), { timeout: 60_000 });
  try {
    return database.prepare(sql).get() ?? {};
  } finally {
    database.close();
  }
}

const countUsers = () => Number(query("SELECT count(*) AS users FROM users")["users"]);

it("an import that is killed in the middle can be repeated, with the same result as an uninterrupted one", async () => {
  const records = Array.from({ length: count }, (_, index) => toRecord(index));
  const killed = start("-");
  const exited = once(killed, "exit");
  // Fails with EPIPE for the bytes that the process has not read when it is killed.
  killed.stdin.on("error", () => {});
  // The end of the file never comes, so the process can't finish the import before it is killed.
  killed.stdin.write(`[${records.slice(0, count - 123).join(",\n")},`);
  await expect.poll(countUsers, { interval: 5 }).toBeGreaterThanOrEqual(1_000);
  expect(killed.exitCode).toBeNull();
  killed.kill("SIGKILL");
  await exited;
  const survivors = countUsers();
  expect(survivors % 500).toBe(0);
  expect(survivors).toBeLessThan(count);

  writeFileSync(join(folder, "dump.json"), `[${records.join(",\n")}]`);
  const restarted = start("dump.json", "--json");
  expect(JSON.parse(await text(restarted.stdout))).toMatchObject({
    imported: count - survivors,
    already_there: survivors,
    refused: [],
  });
  expect(
    query(
      "SELECT count(*) AS users, count(DISTINCT password_hash) AS hashes, max(CAST(id AS INTEGER)) AS highest FROM users",
    ),
  ).toEqual({
    users: count,
    hashes: count,
    highest: 999 + count,
  });
  expect(query("SELECT group_concat(DISTINCT created_at || ' ' || last_login_at) AS times FROM users")).toEqual({
    times: "1577836800 1609459200",
  });
  expect(query("SELECT username, username_key AS key, email, last FROM users, user_numbers WHERE id = '1007'")).toEqual(
    {
      username: "User7",
      key: "user7",
      email: "user7@example.org",
      last: 999 + count,
    },
  );
});

it("an import that fails keeps the users that it has imported, and says how to continue", async () => {
  async function* records() {
    yield Buffer.from(Array.from({ length: 500 }, (_, index) => `${toRecord(index)}\n`).join(""));
    // The import reads on only after it has stored the first 500.
    query("DROP TABLE user_numbers");
    yield Buffer.from(Array.from({ length: 500 }, (_, index) => `${toRecord(500 + index)}\n`).join(""));
  }
  const printed: string[] = [];
  const write = (text: string) => printed.push(text);
  const context = { directory: folder, env: {}, stdin: records(), stdout: { write }, stderr: { write } };
  expect(await run(["users", "import", "-"], context as unknown as Context)).toBe(1);
  expect(printed).toEqual([
    "Stopped after importing 500 users. Run it again to continue.\n",
    expect.stringMatching(/^tokenpair: Error: no such table/),
  ]);
  expect(countUsers()).toBe(500);
});
