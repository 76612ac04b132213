import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SchemaVersionError, StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Store } from "../../../src/core/store/index.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { migrations } from "../../../src/store/sqlite/schema/migrations.ts";
import { addSession, addUser, isAlive, newUser, rotationOf } from "../contract/records.ts";
import { describeStoreContract } from "../contract/store.ts";

const { run } = StatementSync.prototype;

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  path = join(folder, "tokenpair.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describeStoreContract("SQLite in memory", async ({ now }) => {
  const store = sqliteStore({ path: ":memory:", now });
  await store.migrate();
  return { store, cleanup: () => store.close() };
});

describeStoreContract("SQLite in a file", async ({ now }) => {
  const store = sqliteStore({ path, now });
  await store.migrate();
  return { store, cleanup: () => store.close() };
});

/** Runs `sql` over a connection of its own, as another program would. */
function execute(sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

async function openMigrated(options: { busyTimeout?: number } = {}): Promise<Store> {
  const store = sqliteStore({ path, ...options });
  await store.migrate();
  return store;
}

describe("opening a SQLite store", () => {
  const toMode = (file: string) => statSync(file).mode & 0o777;

  it("makes the directory and the file for their owner alone", async () => {
    const nested = join(folder, "data", "auth", "tokenpair.db");
    const store = sqliteStore(nested);
    await store.migrate();
    expect([join(folder, "data"), join(folder, "data", "auth")].map(toMode)).toEqual([0o700, 0o700]);
    expect([nested, `${nested}-wal`, `${nested}-shm`].map(toMode)).toEqual([0o600, 0o600, 0o600]);
    await store.close();
  });

  it("leaves the mode of a file that exists", async () => {
    writeFileSync(path, "", { mode: 0o640 });
    await sqliteStore(path).close();
    expect(toMode(path)).toBe(0o640);
  });

  it("gives every in-memory store data of its own", async () => {
    const [one, other] = [sqliteStore(":memory:"), sqliteStore(":memory:")];
    await one.migrate();
    await expect(other.checkSchema()).rejects.toBeInstanceOf(SchemaVersionError);
    await one.close();
    await other.close();
  });

  it("refuses options that make no sense", () => {
    expect(() => sqliteStore("")).toThrow(TypeError);
    for (const busyTimeout of [-1, 0.5, Number.NaN]) {
      expect(() => sqliteStore({ path, busyTimeout })).toThrow(TypeError);
    }
    const misspelt = { path, busyTimout: 1 };
    expect(() => sqliteStore(misspelt)).toThrow(
      new TypeError("sqliteStore: busyTimout is not an option. Did you mean busyTimeout?"),
    );
  });

  it("is unavailable where the path cannot be a database", () => {
    writeFileSync(path, "this is no database, and it is long enough to be read as one".repeat(20));
    expect(() => sqliteStore(path)).toThrow("open: SQLITE_NOTADB");
    expect(() => sqliteStore(folder)).toThrow("open: SQLITE_CANTOPEN");
    expect(() => sqliteStore(join(path, "below-a-file.db"))).toThrow(StoreUnavailableError);
  });
});

describe("the schema of a SQLite store", () => {
  it("is applied by migrate, step by step", async () => {
    const store = sqliteStore(path);
    await expect(store.checkSchema()).rejects.toThrow(/tokenpair migrate.*store\.migrate\(\)/);
    expect(await store.migrate()).toEqual(migrations.map(({ name }) => name));
    expect(await store.migrate()).toEqual([]);
    await store.checkSchema();
    await store.close();
  });

  it("is refused where it is newer than the program", async () => {
    const store = await openMigrated();
    execute("INSERT INTO tokenpair_migrations VALUES (99, '0099_future', 0)");
    for (const attempt of [store.checkSchema(), store.migrate()]) {
      await expect(attempt).rejects.toThrow(SchemaVersionError);
      await expect(attempt).rejects.toThrow("upgrade tokenpair");
    }
    await store.close();
  });

  it("is not mixed with the tables of another program, which stay as they are", async () => {
    execute("CREATE TABLE sessions (cookie TEXT)");
    const store = sqliteStore(path);
    await expect(store.migrate()).rejects.toThrow("a database file of its own");
    await store.close();
    const database = new DatabaseSync(path);
    expect(database.prepare("SELECT name FROM sqlite_schema").all()).toMatchObject([{ name: "sessions" }]);
    database.close();
  });
});

describe("a SQLite store that cannot answer", () => {
  it("is unavailable while another holds the write lock past the busy timeout, and has changed nothing", async () => {
    const store = await openMigrated({ busyTimeout: 20 });
    await addSession(store, "s", await addUser(store, "alice"));
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const attempts = [
      store.sessions.rotate(rotationOf("s", 0)),
      store.sessions.revoke("s", "logout"),
      store.users.create(newUser("bob")),
      store.deleteExpired({ limit: 1, horizon: 0 }),
    ];
    for (const attempt of attempts) await expect(attempt).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(attempts[0]).rejects.toThrow(/^sessions\.rotate: SQLITE_BUSY$/);
    expect(await isAlive(store, "s")).toBe(true);
    other.exec("COMMIT");
    other.close();
    expect(await store.sessions.rotate(rotationOf("s", 0))).toMatchObject({ session: { generation: 1 } });
    await store.close();
  });

  it("waits for the lock while the process goes on with its work, and then writes in the order of the calls", async () => {
    const store = await openMigrated();
    await addSession(store, "s", await addUser(store, "alice"));
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    let answered = 0;
    const writes = [
      store.sessions.rotate(rotationOf("s", 0)),
      store.users.create(newUser("bob")),
      store.users.create(newUser("carol")),
    ].map((write) => write.finally(() => (answered += 1)));
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve));
    expect(await isAlive(store, "s")).toBe(true);
    expect(answered).toBe(0);
    other.exec("COMMIT");
    other.close();
    expect(await Promise.all(writes)).toMatchObject([
      { session: { generation: 1 } },
      { user: { id: "2", username: "bob" } },
      { user: { id: "3", username: "carol" } },
    ]);
    await store.close();
  });

  it("gives up a wait for the lock when it is closed", async () => {
    const store = await openMigrated();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const write = store.users.create(newUser("alice"));
    await store.close();
    await expect(write).rejects.toThrow("users.create: the store is closed");
    other.close();
  });

  it("fails the one write of many at once that the database refuses, and no other", async () => {
    const store = await openMigrated();
    const alice = await addUser(store, "alice");
    const ids = Array.from({ length: 50 }, (_, i) => `s${i}`);
    for (const id of ids) await addSession(store, id, alice);
    execute(`CREATE TRIGGER refuse BEFORE UPDATE ON sessions WHEN OLD.id = 's25'
      BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    const rotations = ids.map((id) => store.sessions.rotate(rotationOf(id, 0)));
    const bob = store.users.create(newUser("bob"));
    const answers = await Promise.allSettled(rotations);
    expect(answers.flatMap(({ status }, i) => (status === "rejected" ? [i] : []))).toEqual([25]);
    expect(answers[25]).toMatchObject({ reason: { message: "refused" } });
    for (const id of ids) {
      expect(await store.sessions.find(id)).toMatchObject({ session: { generation: id === "s25" ? 0 : 1 } });
    }
    expect(await bob).toMatchObject({ outcome: "created" });
    await store.close();
  });

  it("answers all of a transaction whose commit fails as unavailable, and has changed nothing", async () => {
    const store = await openMigrated();
    const alice = await addUser(store, "alice");
    for (const id of ["a", "b", "c"]) await addSession(store, id, alice);
    const commit = vi.spyOn(StatementSync.prototype, "run").mockImplementation(function (this: StatementSync, ...args) {
      if (this.sourceSQL === "COMMIT") throw Object.assign(new Error("disk I/O error"), { errcode: 1_034 });
      return run.apply(this, args);
    });
    const rotations = ["a", "b", "c"].map((id) => store.sessions.rotate(rotationOf(id, 0)));
    const answers = await Promise.allSettled(rotations);
    commit.mockRestore();
    expect(answers.map((answer) => answer.status === "rejected" && answer.reason.message)).toEqual(
      Array(3).fill("sessions.rotate: SQLITE_IOERR"),
    );
    for (const id of ["a", "b", "c"]) {
      expect(await store.sessions.rotate(rotationOf(id, 0))).toMatchObject({ session: { generation: 1 } });
    }
    await store.close();
  });

  it("rolls a failed statement back with all before it, wakes nobody, and works on", async () => {
    const store = await openMigrated();
    const alice = await addUser(store, "alice");
    await addSession(store, "s", alice);
    execute("CREATE TRIGGER refuse BEFORE INSERT ON revocations BEGIN SELECT RAISE(ABORT, 'refused'); END");
    let wakes = 0;
    store.feed.subscribe(() => {
      wakes += 1;
    });
    await expect(store.users.disable(alice)).rejects.toThrow("refused");
    await new Promise((resolve) => setImmediate(resolve));
    expect(wakes).toBe(0);
    expect(await store.users.findById(alice)).toMatchObject({ isActive: true, epoch: 0 });
    expect(await isAlive(store, "s")).toBe(true);
    execute("DROP TRIGGER refuse");
    expect(await store.users.disable(alice)).toMatchObject({ sessions: 1 });
    await store.close();
  });
});

describe("the rows of a SQLite store", () => {
  it.each(["is_active = 0", "epoch = epoch + 1"])(
    "give no tokens to a user whose row was set by hand: %s",
    async (change) => {
      const store = await openMigrated();
      await addSession(store, "s", await addUser(store, "alice"));
      execute(`UPDATE users SET ${change}`);
      expect(await store.sessions.rotate(rotationOf("s", 0))).toBeNull();
      await store.close();
    },
  );

  it("are looked at once in an idle time by the cleanup, however often they are rotated", async () => {
    let now = 1_000;
    const store = sqliteStore({ path, now: () => now });
    await store.migrate();
    await addSession(store, "s", await addUser(store, "alice"), { idleLifetime: 100 });
    const database = new DatabaseSync(path);
    const readCleanupAt = () => database.prepare("SELECT cleanup_at FROM sessions").get()?.["cleanup_at"];

    now += 90;
    await store.sessions.rotate(rotationOf("s", 0));
    expect(readCleanupAt()).toBe(1_100);
    now += 10;
    await store.deleteExpired({ limit: 10, horizon: 60 });
    expect(readCleanupAt()).toBe(1_190);
    database.close();
    await store.close();
  });
});

describe("the feed of a SQLite store", () => {
  it("comes in batches of at most 10,000, and says when more is waiting", async () => {
    const store = sqliteStore(":memory:");
    await store.migrate();
    for (let i = 0; i < 10_001; i++) await store.feed.revokeToken(String(i));
    const first = await store.feed.read({ after: null, horizon: 60 });
    expect([first.revocations.length, first.more]).toEqual([10_000, true]);
    const second = await store.feed.read({ after: first.cursor, horizon: 60 });
    expect([second.revocations.length, second.more]).toEqual([1, false]);
    expect(second.revocations).toMatchObject([{ tokenId: "10000" }]);
    await store.close();
  });

  it("is read again in full where the database is from before the cursor", async () => {
    const store = await openMigrated();
    await store.feed.revokeToken("1");
    await store.feed.revokeToken("2");
    const { cursor } = await store.feed.read({ after: null, horizon: 60 });
    execute("DELETE FROM revocations WHERE seq = 2; UPDATE sqlite_sequence SET seq = 1 WHERE name = 'revocations'");
    const again = await store.feed.read({ after: cursor, horizon: 60 });
    expect(again.revocations).toMatchObject([{ tokenId: "1" }]);
    expect((await store.feed.read({ after: again.cursor, horizon: 60 })).revocations).toEqual([]);
    await store.close();
  });

  it("sees what another store on the file appends between two idle reads", async () => {
    const store = await openMigrated();
    const other = await openMigrated();
    let { cursor } = await store.feed.read({ after: null, horizon: 60 });
    for (const tokenId of ["1", "2", "3"]) {
      expect((await store.feed.read({ after: cursor, horizon: 60 })).revocations).toEqual([]);
      await other.feed.revokeToken(tokenId);
      const batch = await store.feed.read({ after: cursor, horizon: 60 });
      expect(batch.revocations).toMatchObject([{ tokenId }]);
      cursor = batch.cursor;
    }
    await store.close();
    await other.close();
  });
});
