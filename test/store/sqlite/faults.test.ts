import { DatabaseSync, StatementSync } from "node:sqlite";
import { describe, expect, it, vi } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import { addSession, addUser, isLive, newUser, rotationOf } from "../contract/records.ts";
import { provideDatabaseFile } from "./database-file.ts";

const file = provideDatabaseFile();

const { run } = StatementSync.prototype;

describe("a SQLite store that can't answer", () => {
  it("fails as unavailable and changes nothing if another process holds the lock longer than busyTimeout", async () => {
    const store = await file.openMigrated({ busyTimeout: 20 });
    await addSession(store, "s", await addUser(store, "alice"));
    const other = new DatabaseSync(file.path);
    other.exec("BEGIN IMMEDIATE");
    const attempts = [
      store.sessions.rotate(rotationOf("s", 0)),
      store.sessions.revoke("s", "logout"),
      store.users.create(newUser("bob")),
      store.deleteExpired({ limit: 1, horizon: 0 }),
    ];
    for (const attempt of attempts) await expect(attempt).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(attempts[0]).rejects.toThrow(/^sessions\.rotate: SQLITE_BUSY, another process held the lock/);
    expect(await isLive(store, "s")).toBe(true);
    other.exec("COMMIT");
    other.close();
    expect(await store.sessions.rotate(rotationOf("s", 0))).toMatchObject({ session: { generation: 1 } });
    await store.close();
  });

  it("waits for the lock without blocking the event loop, and then writes in the order of the calls", async () => {
    const store = await file.openMigrated({ busyTimeout: 60_000 });
    await addSession(store, "s", await addUser(store, "alice"));
    const other = new DatabaseSync(file.path);
    other.exec("BEGIN IMMEDIATE");
    let answered = 0;
    const writes = [
      store.sessions.rotate(rotationOf("s", 0)),
      store.users.create(newUser("bob")),
      store.users.create(newUser("carol")),
    ].map((write) => write.finally(() => (answered += 1)));
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve));
    expect(await isLive(store, "s")).toBe(true);
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

  it("stops waiting for the lock when it is closed", async () => {
    const store = await file.openMigrated();
    const other = new DatabaseSync(file.path);
    other.exec("BEGIN IMMEDIATE");
    const write = store.users.create(newUser("alice"));
    await store.close();
    await expect(write).rejects.toThrow("users.create: the store is closed");
    other.close();
  });

  it("fails only the one of many concurrent writes that the database rejects", async () => {
    const store = await file.openMigrated();
    const alice = await addUser(store, "alice");
    const ids = Array.from({ length: 50 }, (_, i) => `s${i}`);
    for (const id of ids) await addSession(store, id, alice);
    file.execute(`CREATE TRIGGER refuse BEFORE UPDATE ON sessions WHEN OLD.id = 's25'
      BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    const rotations = ids.map((id) => store.sessions.rotate(rotationOf(id, 0)));
    const bob = store.users.create(newUser("bob"));
    const results = await Promise.allSettled(rotations);
    expect(results.flatMap(({ status }, i) => (status === "rejected" ? [i] : []))).toEqual([25]);
    expect(results[25]).toMatchObject({ reason: { message: "refused" } });
    for (const id of ids) {
      expect(await store.sessions.find(id)).toMatchObject({ session: { generation: id === "s25" ? 0 : 1 } });
    }
    expect(await bob).toMatchObject({ outcome: "created" });
    await store.close();
  });

  it("fails every write of a transaction whose commit fails, and changes nothing", async () => {
    const store = await file.openMigrated();
    const alice = await addUser(store, "alice");
    for (const id of ["a", "b", "c"]) await addSession(store, id, alice);
    const commit = vi.spyOn(StatementSync.prototype, "run").mockImplementation(function (this: StatementSync, ...args) {
      if (this.sourceSQL === "COMMIT") throw Object.assign(new Error("disk I/O error"), { errcode: 1_034 });
      return run.apply(this, args);
    });
    const rotations = ["a", "b", "c"].map((id) => store.sessions.rotate(rotationOf(id, 0)));
    const results = await Promise.allSettled(rotations);
    commit.mockRestore();
    expect(results.map((answer) => answer.status === "rejected" && answer.reason.message)).toEqual(
      Array(3).fill("sessions.rotate: SQLITE_IOERR, the disk reported an error"),
    );
    for (const id of ["a", "b", "c"]) {
      expect(await store.sessions.rotate(rotationOf(id, 0))).toMatchObject({ session: { generation: 1 } });
    }
    await store.close();
  });

  it("rolls back a write that fails, wakes no subscriber and keeps working", async () => {
    const store = await file.openMigrated();
    const alice = await addUser(store, "alice");
    await addSession(store, "s", alice);
    file.execute("CREATE TRIGGER refuse BEFORE INSERT ON revocations BEGIN SELECT RAISE(ABORT, 'refused'); END");
    let wakes = 0;
    store.feed.subscribe(() => {
      wakes += 1;
    });
    await expect(store.users.disable(alice)).rejects.toThrow("refused");
    await new Promise((resolve) => setImmediate(resolve));
    expect(wakes).toBe(0);
    expect(await store.users.findById(alice)).toMatchObject({ isActive: true, epoch: 0 });
    expect(await isLive(store, "s")).toBe(true);
    file.execute("DROP TRIGGER refuse");
    expect(await store.users.disable(alice)).toMatchObject({ sessions: 1 });
    await store.close();
  });
});
