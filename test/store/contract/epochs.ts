import { describe, expect, it } from "vitest";
import type { Session } from "../../../src/core/session.ts";
import { addSession, addUser, isLive, keeping, newSession, readAfter, rotationOf, toHash, useOf } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store revokes by epochs instead of times. */
export function describeEpochContract(scene: Scene): void {
  const find = async (id: string): Promise<Session | undefined> => (await scene.store.sessions.find(id))?.session;
  const others = (sessionId: string) =>
    scene.store.sessions.revokeOthers({ sessionId, userId: "1" }, "logout", { confirm: false });

  /** Adds the user "1" with these sessions. */
  async function addSessions(...ids: string[]): Promise<void> {
    await addUser(scene.store, "alice");
    for (const id of ids) await addSession(scene.store, id, "1");
  }

  describe("the global epoch", () => {
    it("comes with every session for which a token is issued", async () => {
      const { sessions, users } = scene.store;
      await sessions.revokeAll("revoked");
      await addSessions("s");
      expect(await sessions.find("s")).toMatchObject({ globalEpoch: 1 });
      await scene.store.nodes.raiseGlobalEpoch(5);
      expect(await sessions.touch(useOf("s"))).toMatchObject({ globalEpoch: 5 });
      expect(await sessions.rotate(rotationOf("s", 0))).toMatchObject({ globalEpoch: 5 });
      expect(await sessions.decide("s", (snapshot) => ({ result: snapshot?.globalEpoch }))).toMatchObject({
        result: 5,
      });
      expect(await users.changePassword("1", "hash-2", keeping("s"))).toMatchObject({ globalEpoch: 5 });
    });

    it("leaves no usable token of a rotation that overlaps `revokeAll`", async () => {
      const { sessions } = scene.store;
      const ids = Array.from({ length: 30 }, (_, i) => `s${i}`);
      await addSessions(...ids);
      const rotate = (id: string) => sessions.rotate(rotationOf(id, 0));
      const [first, [all], second] = await Promise.all([
        Promise.all(ids.slice(0, 15).map(rotate)),
        Promise.all([sessions.revokeAll("revoked")]),
        Promise.all(ids.slice(15).map(rotate)),
      ]);
      expect(all?.revocations).toMatchObject([{ kind: "all", epoch: 1 }]);
      for (const rotated of [...first, ...second]) expect(rotated?.globalEpoch ?? 0).toBe(0);
      for (const id of ids) expect(await find(id)).toMatchObject({ revokeReason: "revoked" });
    });
  });

  describe("sessions.revokeOthers", () => {
    it("touches no row of the others, and appends one entry that excepts the caller", async () => {
      await addSessions("a", "b", "c");
      const before = await find("b");
      scene.now += 5;
      const revoked = await others("a");
      expect(revoked).toStrictEqual({
        sessions: 2,
        revocations: [
          {
            kind: "user",
            userId: "1",
            epoch: 1,
            except: "a",
            at: scene.now,
            until: scene.now + 86_400,
            reason: "logout",
          },
        ],
        position: expect.any(String),
      });
      expect(await find("b")).toStrictEqual(before);
      expect(await find("a")).toMatchObject({ userEpoch: 1, leastEpoch: 0, generation: 0, revokedAt: null });
      expect((await scene.store.feed.read(readAfter(null))).revocations).toStrictEqual(revoked?.revocations);
    });

    it("leaves sessions that nothing treats as live", async () => {
      const { sessions, users } = scene.store;
      await addSessions("a", "b");
      await others("a");
      expect(await isLive(scene.store, "b")).toBe(false);
      expect((await sessions.list({ userId: "1", limit: 9 })).sessions.map(({ id }) => id)).toEqual(["a"]);
      expect(await sessions.label("b", "1", "x")).toBeNull();
      expect(await sessions.revoke("b", "revoked")).toStrictEqual({ sessions: 0, revocations: [] });
      expect(await sessions.rotate(rotationOf("b", 0))).toBeNull();
      expect(await sessions.touch(useOf("b"))).toBeNull();
      expect((await sessions.find("b"))?.user).toStrictEqual({ isActive: true, epoch: 1, epochReason: "logout" });
      expect(await sessions.rotate(rotationOf("a", 0))).toMatchObject({ session: { userEpoch: 1, leastEpoch: 0 } });
      expect(await users.disable("1")).toMatchObject({ sessions: 1 });
    });

    it("keeps the lowest epoch of the caller's tokens if it is called again", async () => {
      await addSessions("a", "b");
      await others("a");
      expect(await others("a")).toMatchObject({ sessions: 0, revocations: [{ epoch: 2, except: "a" }] });
      expect(await find("a")).toMatchObject({ userEpoch: 2, leastEpoch: 0 });
    });

    it("lets only a live session of the user revoke all of them with `revokeForUser`", async () => {
      const { sessions, users } = scene.store;
      await addSessions("a", "revoked", "expired");
      await addUser(scene.store, "bob");
      await addSession(scene.store, "bobs", "2");
      await sessions.revoke("revoked", "logout");
      const all = (by: string) => sessions.revokeForUser("1", "logout", { by });
      for (const by of ["revoked", "nowhere", "bobs"]) {
        expect(await all(by)).toEqual({ sessions: 0, revocations: [] });
      }
      expect([await users.findById("1"), await find("a")]).toMatchObject([{ epoch: 0 }, { revokedAt: null }]);
      expect(await all("a")).toMatchObject({ sessions: 2, revocations: [{ kind: "user", epoch: 1 }] });
      expect(await all("a")).toEqual({ sessions: 0, revocations: [] });
    });

    it("changes nothing if the caller isn't live, is another user's, or its user isn't active", async () => {
      const { sessions, users } = scene.store;
      await addSessions("a", "revoked", "expired", "b");
      await sessions.revoke("revoked", "logout");
      expect(await others("revoked")).toBeNull();
      expect(await others("nowhere")).toBeNull();
      expect(await sessions.revokeOthers({ sessionId: "a", userId: "9" }, "logout")).toBeNull();
      await others("a");
      expect(await others("b")).toBeNull();
      expect(await users.findById("1")).toMatchObject({ epoch: 1 });
      await users.disable("1");
      expect(await others("a")).toBeNull();
      scene.now += 1_000;
      expect(await others("expired")).toBeNull();
      expect(await users.findById("1")).toMatchObject({ epoch: 2 });
    });

    it("leaves exactly one of two sessions that log each other out at once", async () => {
      await addSessions("a", "b");
      const results = await Promise.all([others("a"), others("b")]);
      expect(results.filter((result) => result !== null)).toHaveLength(1);
      const { sessions } = await scene.store.sessions.list({ userId: "1", limit: 9 });
      expect(sessions.map(({ id }) => id)).toEqual([results[0] === null ? "b" : "a"]);
    });

    it("revokes logins that race it, even if no other session was live", async () => {
      const { sessions } = scene.store;
      await addSessions("a");
      const logIn = (n: number) => sessions.create(newSession(`new-${n}`, "1"));
      const [first, , second] = await Promise.all([logIn(1), others("a"), logIn(2)]);
      for (const { outcome } of [first, second]) expect(["created", "refused"]).toContain(outcome);
      expect((await sessions.list({ userId: "1", limit: 9 })).sessions.map(({ id }) => id)).toEqual(["a"]);
    });

    it("never makes a logout of the same session find nothing while the session stays live", async () => {
      const { sessions } = scene.store;
      await addUser(scene.store, "alice");
      for (let round = 0; round < 10; round++) {
        const epoch = (await scene.store.users.findById("1"))?.epoch ?? 0;
        const id = `s${round}`;
        await addSession(scene.store, id, "1", { userEpoch: epoch });
        await Promise.all([others(id), sessions.revoke(id, "logout")]);
        expect(await isLive(scene.store, id)).toBe(false);
      }
    });

    it("counts at most 1,000 sessions, and only those that were live", async () => {
      await addUser(scene.store, "alice");
      const ids = Array.from({ length: 1_002 }, (_, i) => `s${i}`);
      for (let first = 0; first < ids.length; first += 200) {
        await Promise.all(ids.slice(first, first + 200).map((id) => addSession(scene.store, id, "1")));
      }
      expect(await others("s7")).toMatchObject({ sessions: 1_000 });
      await addSession(scene.store, "new", "1", { userEpoch: 1 });
      expect(await others("s7")).toMatchObject({ sessions: 1 });
      expect(await scene.store.users.disable("1")).toMatchObject({ sessions: 1 });
    });
  });

  describe("feed.isRevoked after `revokeOthers`", () => {
    it("excepts the caller's tokens of the epoch before, until the epoch is raised again", async () => {
      const { feed, users } = scene.store;
      await addSessions("a", "b");
      await others("a");
      const token = { sessionId: "a", userId: "1", userEpoch: 0, globalEpoch: 0, tokenId: "t", issuedAt: scene.now };
      expect(await feed.isRevoked(token)).toBe(false);
      expect(await feed.isRevoked({ ...token, userEpoch: 1 })).toBe(false);
      expect(await feed.isRevoked({ ...token, sessionId: "b" })).toBe(true);
      await users.changePassword("1", "hash-2", keeping("a", { userEpoch: 1 }));
      expect(await feed.isRevoked({ ...token, userEpoch: 1 })).toBe(true);
      expect(await feed.isRevoked({ ...token, userEpoch: 2 })).toBe(false);
    });
  });

  describe("users.changePassword with a kept session", () => {
    it("excepts no access token, and lets no refresh token of an earlier epoch in", async () => {
      const { users, feed } = scene.store;
      await addSessions("a", "b");
      await others("a");
      const changed = await users.changePassword(
        "1",
        "hash-2",
        keeping("a", { userEpoch: 1, changeHash: toHash(3), accessLifetime: 90 }),
      );
      expect(changed?.revocations).toMatchObject([{ kind: "user", epoch: 2, reason: "password_changed" }]);
      expect(changed?.revocations[0]).not.toHaveProperty("except");
      expect(changed?.session).toMatchObject({ leastEpoch: 2, userEpoch: 2, changeHash: toHash(3) });
      expect(changed?.session.accessUntil).toBe(scene.now + 90);
      expect((await feed.read(readAfter(null))).revocations.at(-1)).not.toHaveProperty("except");
      const again = await users.changePassword("1", "hash-3", keeping("a", { userEpoch: 2 }));
      expect(again?.session).toMatchObject({ changeHash: null, leastEpoch: 3 });
    });
  });

  describe("an id that is used again", () => {
    it("starts past the epochs of every session that its row says is live", async () => {
      const { users, sessions } = scene.store;
      await users.ensure("external");
      await addSession(scene.store, "s", "external");
      await users.delete("external");
      expect((await users.ensure("external")).epoch).toBe(1);
      expect(await sessions.rotate(rotationOf("s", 0, { userId: "external" }))).toBeNull();
    });
  });
}
