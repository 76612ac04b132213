import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Store } from "../../../src/core/store/index.ts";
import type { RevokedSessions } from "../../../src/core/store/sessions.ts";
import { addSession, addUser, keeping, newSession, rotationOf } from "../contract/records.ts";
import { provideDatabaseFile } from "./database-file.ts";

const file = provideDatabaseFile();

/** How many rows one transaction may change, and so one turn of the event loop. */
const mostRows = 500;

/** Opens a store in which the user `1` has the session `first` and `count` others, `s1` to `sN`. */
async function openCrowded(count: number): Promise<Store> {
  const store = await file.openMigrated();
  await addSession(store, "first", await addUser(store, "alice"));
  const database = new DatabaseSync(file.path);
  const names = database.prepare("SELECT name FROM pragma_table_info('sessions') WHERE name <> 'id'").all();
  const columns = names.map(({ name }) => String(name)).join(", ");
  database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    INSERT INTO sessions (id, ${columns}) SELECT 's' || i, ${columns} FROM sessions, n`);
  database.close();
  return store;
}

/** Runs `act`, then waits until it has changed `all` rows. @returns how many rows were changed in each turn of the event loop. */
async function countByTurn(act: () => Promise<unknown>, all: number): Promise<readonly number[]> {
  const database = new DatabaseSync(file.path);
  const count = database.prepare("SELECT count(*) AS number FROM sessions WHERE revoked_at IS NOT NULL");
  const read = () => Number(count.get()?.["number"]);
  await act();
  const turns = [read()];
  let changed = read();
  while (changed < all) {
    await setImmediate();
    const now = read();
    if (now > changed) turns.push(now - changed);
    changed = now;
  }
  database.close();
  return turns;
}

describe("a user with 2,000 sessions over SQLite", () => {
  it.each<[string, (store: Store) => Promise<RevokedSessions | null>, number]>([
    ["a disable", (store) => store.users.disable("1"), 2_001],
    ["a new password", (store) => store.users.setPassword("1", "hash-2"), 2_001],
    ["a change of the password", (store) => store.users.changePassword("1", "hash-2", keeping("first")), 2_000],
    ["a deletion", (store) => store.users.delete("1"), 2_001],
    ["a revocation of the user's sessions", (store) => store.sessions.revokeForUser("1", "revoked"), 2_001],
    ["a revocation of all sessions", (store) => store.sessions.revokeAll("revoked"), 2_001],
  ])("is logged out by %s in transactions of at most 500 rows", async (_, act, sessions) => {
    const store = await openCrowded(2_000);
    const turns = await countByTurn(async () => expect(await act(store)).toMatchObject({ sessions }), sessions);
    expect(turns[0]).toBeLessThanOrEqual(mostRows);
    expect(Math.max(...turns)).toBeLessThanOrEqual(mostRows);
    expect(turns.reduce((sum, rows) => sum + rows)).toBe(sessions);
    await store.close();
  });

  it("is logged out by one of the sessions without a change of any other row", async () => {
    const store = await openCrowded(2_000);
    const owner = { sessionId: "first", userId: "1" };
    const act = async () =>
      expect(await store.sessions.revokeOthers(owner, "logout")).toMatchObject({ sessions: 1_000 });
    expect(await countByTurn(act, 0)).toEqual([0]);
    await store.close();
  });

  it("has the reason of a disable in every row", async () => {
    const store = await openCrowded(2_000);
    await countByTurn(() => store.users.disable("1"), 2_001);
    const reason = async (id: string) => (await store.sessions.find(id))?.session.revokeReason;
    expect([await reason("first"), await reason("s2000")]).toEqual(["user_disabled", "user_disabled"]);
    await store.close();
  });
});

describe("a revocation of all of 2,000 sessions over SQLite", () => {
  it("holds at once for the sessions whose rows it has not changed yet, and not for a later login", async () => {
    const store = await openCrowded(2_000);
    await store.sessions.revokeAll("revoked");
    const [{ now, session } = expect.fail(), { sessions: listed }, rotated, { outcome }] = await Promise.all([
      store.sessions.find("s2000").then((found) => found ?? undefined),
      store.sessions.list({ limit: 10 }),
      store.sessions.rotate(rotationOf("s2000", 0)),
      store.sessions.create(newSession("later", "1")),
    ]);
    expect(session).toMatchObject({ revokedAt: expect.any(Number), revokeReason: "revoked" });
    expect(Math.abs(now - (session.revokedAt ?? 0))).toBeLessThan(60);
    expect([listed, rotated, outcome]).toEqual([[], null, "created"]);
    expect(await store.sessions.revoke("s1999", "logout")).toMatchObject({ sessions: 0 });
    expect(await store.sessions.label("s1999", "1", "mine")).toBeNull();

    await countByTurn(async () => {}, 2_001);
    expect((await store.sessions.list({ limit: 10 })).sessions.map(({ id }) => id)).toEqual(["later"]);
    expect(await store.sessions.rotate(rotationOf("later", 0))).toMatchObject({ globalEpoch: 1 });
    await store.close();
  });

  it("holds after a crash that comes before the rest of the rows, and after a second one", async () => {
    const store = await openCrowded(2_000);
    await store.sessions.revokeAll("revoked");
    await store.close();
    const again = await file.openMigrated();
    expect((await again.sessions.find("s2000"))?.session.revokeReason).toBe("revoked");
    expect(await again.sessions.rotate(rotationOf("s2000", 0))).toBeNull();
    await countByTurn(() => again.sessions.revokeAll("revoked"), 2_001);
    await again.close();
  });

  it("leaves a session alone that version 0.1 has created after it", async () => {
    const store = await openCrowded(1);
    await store.sessions.revokeAll("revoked");
    file.execute(`INSERT INTO sessions (id, user_id, user_epoch, generation, current_hash, created_at, last_used_at,
      idle_expires_at, absolute_expires_at, persistent, cleanup_at) SELECT 'old', user_id, user_epoch, 0, current_hash,
      created_at, last_used_at, idle_expires_at, absolute_expires_at, persistent, cleanup_at FROM sessions
      WHERE id = 'first'`);
    expect((await store.sessions.find("old"))?.session.revokeReason).toBeNull();
    expect(await store.sessions.rotate(rotationOf("old", 0))).toMatchObject({ globalEpoch: 1 });
    await store.close();
  });
});
