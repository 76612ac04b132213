import { describe, expect, it } from "vitest";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { createTransactionPool } from "../../support/transaction-pool.ts";
import { addSession, addUser, isLive, readAfter, rotationOf } from "../contract/records.ts";
import { provideServer } from "./server.ts";

const server = provideServer();

describe("a PostgreSQL store behind a proxy that pools transactions", () => {
  it("works and leaves no state on any server connection", async () => {
    const pool = await createTransactionPool(server.url);
    let now = 1_000;
    const store = postgresStore({ pool, now: () => now, ...longTimeouts, preparedStatements: false });
    await store.migrate();
    const alice = await addUser(store, "alice");
    const ids = ["a", "b", "c", "d"];
    await Promise.all(ids.map((id) => addSession(store, id, alice, { updateLastLogin: true })));
    const racing = ids.flatMap((id) => [1, 2, 3].map(() => store.sessions.rotate(rotationOf(id, 0))));
    expect((await Promise.all(racing)).filter((rotated) => rotated !== null)).toHaveLength(4);
    await store.sessions.decide("a", () => ({ result: null, revoke: "reuse" }));
    await store.sessions.revoke("b", "logout");
    await store.sessions.revokeOthers({ sessionId: "c", userId: alice }, "logout");
    expect(await isLive(store, "c")).toBe(true);
    await store.feed.revokeToken("token");
    expect(await store.users.setPassword(alice, "hash-2")).toMatchObject({ sessions: 1 });
    await store.sessions.revokeAll("revoked");
    expect((await store.feed.read(readAfter(null))).revocations).toHaveLength(6);
    const broken = addSession(store, "c", alice, { userEpoch: 2 });
    await expect(broken).rejects.toThrow(/duplicate key/);
    now += 10_000;
    await store.deleteExpired({ limit: 10, horizon: 60 });
    await store.close();
    expect(pool.used).toBe(3);
    expect(pool.leftovers).toEqual([]);
    await pool.end();
  });

  it("is tested with a pool that finds state left on a connection", async () => {
    const pool = await createTransactionPool(server.url, 1);
    const client = await pool.connect();
    await client.query({ text: "SET lock_timeout = 5" });
    await client.query({ text: "SELECT pg_advisory_lock(1)" });
    expect(pool.leftovers).toContain("lock_timeout = 5");
    expect(pool.leftovers).toContain("advisory lock");
    await pool.end();
  });
});
