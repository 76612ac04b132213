import { renameSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { addSession, addUser, readAfter } from "../contract/records.ts";
import { provideDatabaseFile } from "./database-file.ts";

const file = provideDatabaseFile();
const node = (id: string) => ({ id, name: null, lease: 1_000, accessTokenLifetime: 300 });

describe("the registry of a SQLite store", () => {
  it("believes nothing of a file that was replaced", async () => {
    const store = await file.openMigrated();
    await store.nodes.register(node("a"));
    renameSync(file.path, `${file.path}.old`);
    const other = await file.openMigrated();
    await expect(store.feed.read(readAfter(null, { nodeId: "a" }))).rejects.toThrow(/replaced/);
    await expect(store.nodes.look()).rejects.toThrow(/replaced/);
    expect((await other.nodes.look()).nodes).toEqual([]);
    await Promise.all([store.close(), other.close()]);
  });

  it("wakes the subscribers of another process's store on the file once two nodes are registered", async () => {
    const [store, other] = [await file.openMigrated(), await file.openMigrated()];
    await store.nodes.register(node("a"));
    await other.nodes.register(node("b"));
    let stop = () => {};
    const woken = new Promise<void>((resolve) => {
      stop = store.feed.subscribe(() => resolve());
    });
    const { cursor } = await store.feed.read(readAfter(null, { nodeId: "a" }));
    // The watch notices only commits after its first look.
    const again = setInterval(() => void other.feed.revokeToken("t"), 50);
    await woken;
    clearInterval(again);
    stop();
    expect((await store.feed.read(readAfter(cursor))).revocations.length).toBeGreaterThan(0);
    await Promise.all([store.close(), other.close()]);
  });

  it("gives every one of 2,000 sessions the reason of a disable, in transactions of 500 rows", async () => {
    const store = await file.openMigrated();
    await addSession(store, "first", await addUser(store, "alice"));
    file.execute(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
      INSERT INTO sessions SELECT 's' || i, user_id, user_epoch, generation, current_hash, previous_hash, salt, attempt_hash,
      rotated_at, created_at, last_used_at, idle_expires_at, absolute_expires_at, revoked_at, revoke_reason, persistent,
      user_agent, ip, label, cleanup_at, access_until, least_epoch, change_hash FROM sessions, n`);
    expect(await store.users.disable("1")).toMatchObject({ sessions: 2_001 });
    const reason = async (id: string) => (await store.sessions.find(id))?.session.revokeReason;
    expect([await reason("first"), await reason("s2000")]).toEqual(["user_disabled", null]);
    await expect.poll(() => reason("s2000"), { timeout: 20_000 }).toBe("user_disabled");
    await store.close();
  });
});
