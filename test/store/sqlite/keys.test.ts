import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { migrations } from "../../../src/store/sqlite/schema/migrations.ts";
import { newKey, newService, readAfter, toHash } from "../contract/records.ts";
import { provideDatabaseFile } from "./database-file.ts";

const file = provideDatabaseFile();

/** Creates the database of a version that has these migrations, and runs `sql` on it. */
function createOlder(count: number, sql = ""): void {
  const applied = migrations.slice(0, count);
  file.execute(`CREATE TABLE tokenpair_migrations
      (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;
    ${applied.map((migration) => migration.sql).join("\n")}
    ${applied.map(({ number, name }) => `INSERT INTO tokenpair_migrations VALUES (${number}, '${name}', 1);`).join("\n")}
    ${sql}`);
}

const alice = `INSERT INTO users (id, username, is_active, is_staff, epoch, created_at) VALUES ('1', 'alice', 1, 0, 0, 1);`;
const session = `INSERT INTO sessions (id, user_id, user_epoch, generation, current_hash, created_at, last_used_at,
  idle_expires_at, absolute_expires_at, persistent, cleanup_at) VALUES ('s', '1', 0, 0, x'00', 1, 1, 9, 9, 1, 9);`;

describe("the migration to the key ring of a SQLite store", () => {
  it("gives refresh tokens their own key at once in a new database", async () => {
    const store = sqliteStore({ path: file.path, now: () => 5_000 });
    expect(await store.migrate()).toEqual(migrations.map(({ name }) => name));
    expect(await store.keys.read()).toMatchObject({ version: 0, ownRefreshSince: 0, keys: [] });
    await store.close();
  });

  it.each<[string, number, string]>([
    ["0.1 has sessions in", 4, alice + session],
    // A node of 0.1 may be serving, and the first login must not go to one that doesn't know the key.
    ["0.1 has created, but not used", 4, ""],
    ["an earlier 0.2 has migrated", 5, alice],
  ])("leaves them as they are in a database that %s, until they are adopted", async (_, count, sql) => {
    createOlder(count, sql);
    const store = sqliteStore({ path: file.path, now: () => 5_000 });
    expect(await store.migrate()).toEqual(migrations.slice(count).map(({ name }) => name));
    expect(await store.keys.read()).toMatchObject({ version: 0, ownRefreshSince: null, keys: [] });
    expect(await store.keys.change(0, { ownRefreshSince: 5_060 })).toBe(true);
    expect(await store.keys.change(1, { ownRefreshSince: 6_000 })).toBe(true);
    expect(await store.keys.read()).toMatchObject({ version: 2, ownRefreshSince: 5_060 });
    await store.close();
  });

  it("leaves nothing of itself if a later migration fails", async () => {
    file.execute("CREATE TABLE services (name TEXT)");
    const store = sqliteStore(file.path);
    await expect(store.migrate()).rejects.toThrow(
      "0006_keys can't be applied because the file has another program's tables",
    );
    await store.close();
    const database = new DatabaseSync(file.path);
    expect(database.prepare("SELECT name FROM sqlite_schema").all()).toMatchObject([{ name: "services" }]);
    database.close();
  });
});

describe("the key ring of a SQLite store", () => {
  it("wakes the subscribers of another process's store on the file once two nodes are registered", async () => {
    const [store, other] = [await file.openMigrated(), await file.openMigrated()];
    for (const [id, each] of Object.entries({ a: store, b: other })) {
      await each.nodes.register({ id, name: null, lease: 1_000, accessTokenLifetime: 300 });
    }
    let stop = () => {};
    const woken = new Promise<void>((resolve) => {
      stop = store.feed.subscribe(() => resolve());
    });
    await store.feed.read(readAfter(null, { nodeId: "a" }));
    let version = 0;
    // The watch notices only commits after its first look.
    const change = () => other.keys.change(version++, { add: [newKey(`k${version}`)] }).catch(() => {});
    const again = setInterval(() => void change(), 50);
    await woken;
    clearInterval(again);
    stop();
    expect((await store.feed.read(readAfter(null))).state.keysVersion).toBeGreaterThan(0);
    await Promise.all([store.close(), other.close()]);
  });
});

describe("the services of a SQLite store", () => {
  it("are found by unique indexes, and leave no hash behind when they are revoked", async () => {
    const store = await file.openMigrated();
    await store.services.create(newService("shop"));
    await store.services.rotate("shop", { credentialHash: toHash(2), prefix: "prefix02", overlap: 3_600 });
    const database = new DatabaseSync(file.path);
    const read = () => database.prepare("SELECT credential_hash AS a, previous_hash AS b FROM services").get();
    expect(read()).toEqual({ a: toHash(2), b: toHash(1) });
    const plan = database
      .prepare(
        "EXPLAIN QUERY PLAN SELECT 1 FROM services WHERE credential_hash = ?1 OR (previous_hash = ?1 AND previous_until > 0)",
      )
      .all();
    const details = plan.map((row) => String(row["detail"]));
    expect(details.filter((detail) => /SEARCH .* USING INDEX/.test(detail))).toHaveLength(2);
    expect(details.filter((detail) => /^SCAN/.test(detail))).toEqual([]);
    await store.services.revoke("shop");
    expect(read()).toEqual({ a: null, b: null });
    database.close();
    await store.close();
  });
});
