import { execFile } from "node:child_process";
import { closeSync, copyFileSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { createAuth } from "../../src/index.ts";
import { copyDatabase } from "../../src/store/sqlite/backup.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { createFolder } from "../server/folder.ts";
import { childEnvironment } from "../support/child-environment.ts";
import { startServer } from "../support/server-process.ts";
import { post, postRefresh, toPair, verifyAccess } from "../support/wire.ts";

const main = resolve(import.meta.dirname, "../../src/cli/main.ts");
const alice = { username: "alice", password: "correct horse battery staple" };
const cheap = {
  TOKENPAIR_PASSWORD_MEMORY_COST: "64",
  TOKENPAIR_PASSWORD_TIME_COST: "1",
  TOKENPAIR_PAGE: "false",
  TOKENPAIR_MAX_SESSIONS_PER_USER: "none",
};

async function start(cwd: string) {
  const server = await startServer({ cwd, env: { ...cheap, TOKENPAIR_LOG_LEVEL: "info" } });
  onTestFinished(() => server.stop());
  return server;
}

const tokenpair = (cwd: string, ...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [main, ...args], { cwd, env: { ...childEnvironment, ...cheap } });

/** Creates the user alice, and enough rows that the copying takes several steps. */
async function fill(cwd: string): Promise<void> {
  const store = sqliteStore({ path: join(cwd, "data/tokenpair.db"), busyTimeout: 60_000 });
  const signingKey = readFileSync(join(cwd, "data/signing.key"), "utf8").trim();
  const auth = createAuth({ store, signingKey, passwordMemoryCost: 64, passwordTimeCost: 1, maxSessionsPerUser: null });
  await auth.ready();
  const { id } = await auth.users.create(alice);
  await Promise.all(Array.from({ length: 100 }, () => auth.issue(id)));
  await auth.close();
  await store.close();
  const database = new DatabaseSync(join(cwd, "data/tokenpair.db"));
  database.exec(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
      INSERT INTO audit_log (at, type, user_id, details) SELECT unixepoch(), 'login', 'user ' || i, '{}' FROM n`,
  );
  database.close();
}

describe("tokenpair backup", { timeout: 180_000 }, () => {
  it("copies a database under load, and users and sessions of the copy work", async () => {
    const [cwd, restored] = [createFolder(), createFolder()];
    const server = await start(cwd);
    await fill(cwd);
    const logIn = async (url: string) => toPair(await post(`${url}/api/token/`, alice));
    const untouched = await logIn(server.url);
    let busy = await logIn(server.url);
    const revoked = await logIn(server.url);

    // Refreshes and logins while the command runs, and after it until something has changed for certain.
    let isDone = false;
    let writes = 0;
    const load = (async () => {
      while (!isDone || writes === 0) {
        busy = toPair(await postRefresh(server.url, busy.refresh));
        await logIn(server.url);
        writes++;
      }
    })();
    const file = join(restored, "data/tokenpair.db");
    mkdirSync(join(restored, "data"));
    const { stdout } = await tokenpair(cwd, "backup", file, "--json");
    isDone = true;
    await load;
    expect(JSON.parse(stdout)).toMatchObject({ file, bytes: statSync(file).size });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(restored, "data"))).toEqual(["tokenpair.db"]);

    // What happens after the backup: a refresh more than the reuse interval allows, a new session, and a logout.
    busy = toPair(await postRefresh(server.url, busy.refresh));
    busy = toPair(await postRefresh(server.url, busy.refresh));
    const begun = await logIn(server.url);
    expect((await post(`${server.url}/api/token/blacklist/`, { refresh: revoked.refresh })).status).toBe(200);
    await server.stop();

    copyFileSync(join(cwd, "data/signing.key"), join(restored, "data/signing.key"));
    const copy = await start(restored);
    await logIn(copy.url);
    expect((await postRefresh(copy.url, untouched.refresh)).status).toBe(200);
    expect((await postRefresh(copy.url, begun.refresh)).status).toBe(401);
    expect((await postRefresh(copy.url, busy.refresh)).status).toBe(401);
    expect(copy.log()).toContain('"outcome":"state_lost"');
    // As docs/operating.md says: it is not revoked there, until the operator revokes everything.
    expect((await postRefresh(copy.url, revoked.refresh)).status).toBe(200);
    await tokenpair(restored, "sessions", "revoke", "--all", "--yes");
    await expect.poll(() => verifyAccess(copy.url, untouched.access), { timeout: 20_000 }).toBe(401);
  });

  it("has everything up to one moment, whether Node copies in steps or not", async () => {
    for (const inSteps of [true, false]) {
      const folder = createFolder();
      const path = join(folder, "source.db");
      const writer = new DatabaseSync(path);
      onTestFinished(() => writer.close());
      writer.exec("PRAGMA journal_mode = wal; CREATE TABLE pairs (a INTEGER, b BLOB)");
      insertRows(writer, 3_000);
      const copy = join(folder, "copy.db");
      new DatabaseSync(copy).close();
      await copyDatabase(path, copy, { inSteps, onProgress: () => insertRows(writer, 1) });
      const reader = new DatabaseSync(copy);
      onTestFinished(() => reader.close());
      expect(reader.prepare("SELECT count(*) AS rows FROM pairs").get()?.["rows"]).toBe(3_000);
    }
  });

  it("leaves no file behind if the database is damaged", async () => {
    const cwd = createFolder();
    await tokenpair(cwd, "migrate");
    const path = join(cwd, "data/tokenpair.db");
    // The header of the second page.
    const descriptor = openSync(path, "r+");
    writeSync(descriptor, Buffer.alloc(64, 0xff), 0, 64, 4_096);
    closeSync(descriptor);
    await expect(tokenpair(cwd, "backup", "copy.db")).rejects.toThrow(/SQLITE_CORRUPT|damaged/);
    expect(readdirSync(cwd)).toEqual(["data"]);
  });
});

function insertRows(database: DatabaseSync, count: number): void {
  database.exec("BEGIN");
  const insert = database.prepare("INSERT INTO pairs VALUES (?, randomblob(2000))");
  for (let n = 0; n < count; n++) insert.run(n);
  database.exec("COMMIT");
}
