import { describe, expect, it } from "vitest";
import type { Session } from "../../../src/core/session.ts";
import { addSession, addUser, keeping, readAfter, rotationOf, toHash, useOf } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how long every store keeps revocations, why it says they happened, and of the limit of sessions. */
export function describeLifetimeContract(scene: Scene): void {
  const find = async (id: string): Promise<Session | undefined> => (await scene.store.sessions.find(id))?.session;
  const register = (accessTokenLifetime: number) =>
    scene.store.nodes.register({ id: `n${accessTokenLifetime}`, name: null, lease: 1_000, accessTokenLifetime });

  describe("sessions.accessUntil", () => {
    it("is raised by everything for which a token is issued, never lowered, and never past the session's end", async () => {
      const { sessions, users } = scene.store;
      await addUser(scene.store, "alice");
      const start = scene.now;
      const { session } = await addSession(scene.store, "s", "1", { accessLifetime: 50 });
      expect(session.accessUntil).toBe(start + 50);
      const shorter = await sessions.rotate(rotationOf("s", 0, { accessLifetime: 10 }));
      expect(shorter?.session.accessUntil).toBe(start + 50);
      const longer = await sessions.rotate(rotationOf("s", 1, { accessLifetime: 70 }));
      expect(longer?.session.accessUntil).toBe(start + 70);
      const presentedHash = longer?.session.currentHash ?? toHash(0);
      const use = useOf("s", { generation: 2, presentedHash, accessLifetime: 80 });
      expect((await sessions.touch(use))?.session.accessUntil).toBe(start + 80);
      await sessions.decide("s", () => ({ result: null, accessUntil: start + 60 }));
      expect((await find("s"))?.accessUntil).toBe(start + 80);
      await sessions.decide("s", () => ({ result: null, accessUntil: start + 90 }));
      expect((await find("s"))?.accessUntil).toBe(start + 90);
      const changed = await users.changePassword("1", "hash-2", keeping("s", { accessLifetime: 5_000 }));
      expect(changed?.session.accessUntil).toBe(start + 1_000);
    });
  });

  describe("the `until` of an entry", () => {
    it("covers every token of the sessions that it revokes, and those that are being issued", async () => {
      const { sessions, users } = scene.store;
      await register(300);
      await addUser(scene.store, "alice");
      const start = scene.now;
      await addSession(scene.store, "short", "1", { accessLifetime: 60 });
      await addSession(scene.store, "long", "1", { accessLifetime: 900 });
      await addSession(scene.store, "kept", "1", { accessLifetime: 950 });
      const untilOf = (change: { revocations: readonly { until?: number }[] } | null) => change?.revocations[0]?.until;
      expect(untilOf(await sessions.revoke("short", "logout"))).toBe(start + 300);
      expect(untilOf(await users.changePassword("1", "hash-2", keeping("kept")))).toBe(start + 950);
      await addSession(scene.store, "again", "1", { userEpoch: 1, accessLifetime: 800 });
      await sessions.revoke("kept", "logout");
      expect(untilOf(await sessions.revokeAll("revoked"))).toBe(start + 800);
    });

    it("is the `exp` of a token that was revoked alone", async () => {
      await register(300);
      const { revocations } = await scene.store.feed.revokeToken("t", { until: scene.now + 7 });
      expect(revocations).toMatchObject([{ kind: "token", until: scene.now + 7, reason: "revoked" }]);
    });

    it("decides when an entry is deleted", async () => {
      const { store } = scene;
      await store.feed.revokeToken("a", { until: scene.now + 10 });
      await store.feed.revokeToken("b", { until: scene.now + 20 });
      scene.now += 71;
      expect(await store.deleteExpired({ limit: 9, horizon: 60 })).toMatchObject({ revocations: 1 });
      expect((await store.feed.read(readAfter(null))).revocations).toMatchObject([{ tokenId: "b" }]);
    });
  });

  describe("the limit of sessions", () => {
    const logIn = (id: string, maxSessions: number | null, userEpoch = 0) =>
      addSession(scene.store, id, "1", { maxSessions, userEpoch });

    it("revokes the least recently used sessions beyond it, with an entry each", async () => {
      const { sessions, feed } = scene.store;
      await addUser(scene.store, "alice");
      for (const id of ["a", "b", "c"]) {
        await logIn(id, 3);
        scene.now += 1;
      }
      await sessions.rotate(rotationOf("a", 0));
      const created = await logIn("d", 3);
      expect(created.limited).toEqual(["b"]);
      expect(created.revocations).toMatchObject([{ kind: "session", sessionId: "b", reason: "limit" }]);
      expect(await find("b")).toMatchObject({ revokeReason: "limit" });
      expect((await feed.read(readAfter(null))).revocations).toStrictEqual(created.revocations);
      expect((await logIn("e", 2)).limited).toEqual(["c", "a"]);
    });

    it("neither counts nor revokes a session in which an actor acts for the user", async () => {
      await addUser(scene.store, "alice");
      await addSession(scene.store, "acting", "1", { actor: "support/bob" });
      scene.now += 1;
      await logIn("a", 2);
      expect((await logIn("b", 2)).limited).toEqual([]);
      expect((await logIn("c", 1)).limited).toEqual(["a", "b"]);
    });

    it("counts neither the replaced session, nor expired, revoked or logged-out ones", async () => {
      const { sessions } = scene.store;
      await addUser(scene.store, "alice");
      await addUser(scene.store, "bob");
      await addSession(scene.store, "bobs", "2");
      await addSession(scene.store, "expired", "1", { idleLifetime: 1 });
      for (const id of ["revoked", "a", "b"]) await logIn(id, null);
      await sessions.revoke("revoked", "logout");
      scene.now += 1;
      const replaces = { sessionId: "b", userId: "1" };
      expect((await addSession(scene.store, "c", "1", { maxSessions: 2, replaces })).limited).toEqual([]);
      await sessions.revokeOthers({ sessionId: "a", userId: "1" }, "logout");
      expect((await logIn("d", 2, 1)).limited).toEqual([]);
      expect((await logIn("e", 1, 1)).limited).toEqual(["a", "d"]);
    });

    it("revokes at most ten sessions a login", async () => {
      await addUser(scene.store, "alice");
      for (let n = 0; n < 15; n++) await logIn(`s${n}`, null);
      expect((await logIn("x", 2)).limited).toHaveLength(10);
      expect((await logIn("y", 2)).limited).toHaveLength(5);
      expect((await logIn("z", null)).limited).toEqual([]);
    });

    it("is soft if logins race, and holds again after the next one", async () => {
      await addUser(scene.store, "alice");
      await Promise.all(Array.from({ length: 8 }, (_, n) => logIn(`s${n}`, 2)));
      await logIn("last", 2);
      await logIn("very last", 2);
      const { sessions } = await scene.store.sessions.list({ userId: "1", limit: 99 });
      expect(sessions.length).toBeLessThanOrEqual(2);
      expect(sessions.map(({ id }) => id)).toContain("very last");
    });
  });
}
