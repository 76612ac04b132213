import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { SchemaVersionError, StoreUnavailableError } from "../../../src/core/errors.ts";
import { openDatabase } from "../../../src/store/sqlite/connection/open.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { migrations } from "../../../src/store/sqlite/schema/migrations.ts";
import { addSession, addUser, readAfter, rotationOf } from "../contract/records.ts";
import { provideDatabaseFile } from "./database-file.ts";

const file = provideDatabaseFile();

describe("sqliteStore", () => {
  const toMode = (file: string) => statSync(file).mode & 0o777;

  it("creates the folders and the file with modes that only admit their owner", async () => {
    const nested = join(file.folder, "data", "auth", "tokenpair.db");
    const store = sqliteStore(nested);
    await store.migrate();
    expect([join(file.folder, "data"), join(file.folder, "data", "auth")].map(toMode)).toEqual([0o700, 0o700]);
    expect([nested, `${nested}-wal`, `${nested}-shm`].map(toMode)).toEqual([0o600, 0o600, 0o600]);
    await store.close();
  });

  it("keeps the mode of an existing file", async () => {
    writeFileSync(file.path, "", { mode: 0o640 });
    await sqliteStore(file.path).close();
    expect(toMode(file.path)).toBe(0o640);
  });

  it("gives every store in memory its own data", async () => {
    const [one, other] = [sqliteStore(":memory:"), sqliteStore(":memory:")];
    await one.migrate();
    await expect(other.checkSchema()).rejects.toBeInstanceOf(SchemaVersionError);
    await one.close();
    await other.close();
  });

  it("throws a TypeError for unknown or invalid options", () => {
    expect(() => sqliteStore("")).toThrow(TypeError);
    for (const busyTimeout of [-1, 0.5, Number.NaN]) {
      expect(() => sqliteStore({ path: file.path, busyTimeout })).toThrow(TypeError);
    }
    const misspelt = { path: file.path, busyTimout: 1 };
    expect(() => sqliteStore(misspelt)).toThrow(
      new TypeError("sqliteStore: busyTimout is not an option. Did you mean busyTimeout?"),
    );
  });

  it("throws a StoreUnavailableError if the path can't be a database", () => {
    writeFileSync(file.path, "this is no database, and it is long enough to be read as one".repeat(20));
    expect(() => sqliteStore(file.path)).toThrow("open: SQLITE_NOTADB, the file is not a SQLite database");
    expect(() => sqliteStore(file.folder)).toThrow("open: SQLITE_CANTOPEN");
    expect(() => sqliteStore(join(file.path, "below-a-file.db"))).toThrow(StoreUnavailableError);
  });
});

describe("openDatabase", () => {
  it("syncs every commit to the disk and uses a write-ahead log", () => {
    const database = openDatabase(file.path, 0);
    // 2: FULL. With NORMAL, a power cut undoes the last commits.
    expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
    expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    database.close();
  });
});

describe("the schema of a SQLite store", () => {
  it("is created by `migrate`, and `checkSchema` says how to create it", async () => {
    const store = sqliteStore(file.path);
    await expect(store.checkSchema()).rejects.toThrow(/tokenpair migrate.*store\.migrate\(\)/);
    expect(await store.migrate()).toEqual(migrations.map(({ name }) => name));
    expect(await store.migrate()).toEqual([]);
    await store.checkSchema();
    await store.close();
  });

  it("is refused if it is newer than this version", async () => {
    const store = await file.openMigrated();
    file.execute("INSERT INTO tokenpair_migrations VALUES (99, '0099_future', 0)");
    for (const attempt of [store.checkSchema(), store.migrate()]) {
      await expect(attempt).rejects.toThrow(SchemaVersionError);
      await expect(attempt).rejects.toThrow("upgrade tokenpair");
    }
    await store.close();
  });

  it("is not created beside another program's tables, which stay as they are", async () => {
    file.execute("CREATE TABLE sessions (cookie TEXT)");
    const store = sqliteStore(file.path);
    await expect(store.migrate()).rejects.toThrow("its own database file");
    await store.close();
    const database = new DatabaseSync(file.path);
    expect(database.prepare("SELECT name FROM sqlite_schema").all()).toMatchObject([{ name: "sessions" }]);
    database.close();
  });
});

describe("the sessions of a SQLite store", () => {
  it.each(["is_active = 0", "epoch = epoch + 1"])(
    "can't be refreshed after their user's row was changed by hand: %s",
    async (change) => {
      const store = await file.openMigrated();
      await addSession(store, "s", await addUser(store, "alice"));
      file.execute(`UPDATE users SET ${change}`);
      expect(await store.sessions.rotate(rotationOf("s", 0))).toBeNull();
      await store.close();
    },
  );

  it("get a new cleanup time only from the cleanup, not from every refresh", async () => {
    let now = 1_000;
    const store = sqliteStore({ path: file.path, now: () => now });
    await store.migrate();
    await addSession(store, "s", await addUser(store, "alice"), { idleLifetime: 100 });
    const database = new DatabaseSync(file.path);
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
  it("returns at most 10,000 entries per read, and whether there are more", async () => {
    const store = sqliteStore(":memory:");
    await store.migrate();
    for (let i = 0; i < 10_001; i++) await store.feed.revokeToken(String(i));
    const first = await store.feed.read(readAfter(null));
    expect([first.revocations.length, first.more]).toEqual([10_000, true]);
    const second = await store.feed.read(readAfter(first.cursor));
    expect([second.revocations.length, second.more]).toEqual([1, false]);
    expect(second.revocations).toMatchObject([{ tokenId: "10000" }]);
    await store.close();
  });

  it("is read from the beginning if the cursor is from a newer copy of the database", async () => {
    const store = await file.openMigrated();
    await store.feed.revokeToken("1");
    await store.feed.revokeToken("2");
    const { cursor, place } = await store.feed.read(readAfter(null));
    file.execute(
      "DELETE FROM revocations WHERE seq = 2; UPDATE sqlite_sequence SET seq = 1 WHERE name = 'revocations'",
    );
    for (const _ of [1, 2]) {
      expect(await store.feed.read(readAfter(cursor))).toMatchObject({ isCursorLost: true, cursor, revocations: [] });
    }
    const again = await store.feed.read(readAfter(null));
    expect(again).toMatchObject({ revocations: [{ tokenId: "1" }] });
    expect(again.isCursorLost).toBeUndefined();
    // What comes now gets the positions that others had.
    expect(again.place.history).not.toBe(place.history);
    expect((await store.feed.read(readAfter(again.cursor))).revocations).toEqual([]);
    await store.close();
  });

  it("returns what another store on the file has appended since an empty read", async () => {
    const store = await file.openMigrated();
    const other = await file.openMigrated();
    let { cursor } = await store.feed.read(readAfter(null));
    for (const tokenId of ["1", "2", "3"]) {
      expect((await store.feed.read(readAfter(cursor))).revocations).toEqual([]);
      await other.feed.revokeToken(tokenId);
      const batch = await store.feed.read(readAfter(cursor));
      expect(batch.revocations).toMatchObject([{ tokenId }]);
      cursor = batch.cursor;
    }
    await store.close();
    await other.close();
  });
});
