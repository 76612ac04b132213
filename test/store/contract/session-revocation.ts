import { describe, expect, it } from "vitest";
import type { CommitPosition } from "../../../src/core/revocation.ts";
import type { Session } from "../../../src/core/session.ts";
import { addSession, addUser, isLive, rotationOf } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store lists, labels and revokes sessions. */
export function describeSessionRevocationContract(scene: Scene): void {
  const find = async (id: string): Promise<Session | undefined> => (await scene.store.sessions.find(id))?.session;

  describe("sessions.revokeEach", () => {
    it("revokes the live ones of some sessions, with an entry for each", async () => {
      const { store } = scene;
      const [alice, bob] = [await addUser(store, "alice"), await addUser(store, "bob")];
      for (const id of ["a", "b", "gone", "kept"]) await addSession(store, id, alice);
      await addSession(store, "c", bob);
      await store.sessions.revoke("gone", "logout");
      const ids = ["a", "b", "gone", "c", "nobody"];
      const seen: unknown[] = [];
      const audit = (revoked: unknown) => {
        seen.push(revoked);
        return [];
      };
      const { sessions, revocations, position } = await store.sessions.revokeEach(ids, "revoked", { audit });
      const revoked = revocations.map((each) => (each.kind === "session" ? each.sessionId : each.kind));
      expect([sessions, [...revoked].sort(), seen.length]).toEqual([3, ["a", "b", "c"], 1]);
      expect(await store.nodes.hasCommit(position as CommitPosition)).toBe(true);
      expect((await find("a"))?.revokeReason).toBe("revoked");
      expect((await find("gone"))?.revokeReason).toBe("logout");
      expect((await find("kept"))?.revokedAt).toBeNull();
      expect(await store.sessions.revokeEach(ids, "revoked")).toEqual({ sessions: 0, revocations: [] });
      expect(await store.sessions.revokeEach([], "revoked")).toEqual({ sessions: 0, revocations: [] });
    });

    it("changes nothing if its guard refuses", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "a", alice);
      const check = () => {
        throw new Error("no");
      };
      const guard = { actorId: alice, targetId: alice, check };
      await expect(store.sessions.revokeEach(["a"], "revoked", { guard })).rejects.toThrow("no");
      expect((await find("a"))?.revokedAt).toBeNull();
    });
  });

  describe("sessions.list and sessions.label", () => {
    it("list live sessions, newest first, of one user or of all users", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const bob = await addUser(store, "bob");
      for (const [id, user] of [
        ["c", alice],
        ["a", alice],
        ["b", bob],
        ["revoked", alice],
      ] as const) {
        await addSession(store, id, user);
        scene.now += 1;
      }
      await addSession(store, "brief", alice, { idleLifetime: 1 });
      scene.now += 1;
      await store.sessions.revoke("revoked", "logout");
      const ids = async (options: { userId?: string; limit: number }) =>
        (await store.sessions.list(options)).sessions.map(({ id }) => id);
      expect(await ids({ limit: 10 })).toEqual(["b", "a", "c"]);
      expect(await ids({ limit: 2 })).toEqual(["b", "a"]);
      expect(await ids({ userId: alice, limit: 10 })).toEqual(["a", "c"]);
      expect(await store.sessions.list({ userId: "9", limit: 10 })).toEqual({ sessions: [], now: scene.now });
    });

    it("set and clear the label of the given user's live session only", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      expect(await store.sessions.label("s", alice, "Laptop")).toMatchObject({ id: "s", label: "Laptop" });
      expect(await store.sessions.label("s", "9", "Mine")).toBeNull();
      expect(await find("s")).toMatchObject({ label: "Laptop" });
      expect(await store.sessions.label("s", alice, null)).toMatchObject({ label: null });
      await store.sessions.revoke("s", "logout");
      expect(await store.sessions.label("s", alice, "Late")).toBeNull();
    });
  });

  describe("sessions.revoke", () => {
    it("revokes a live session once, with one feed entry", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      await addSession(store, "t", alice);
      expect(await store.sessions.revoke("s", "logout")).toStrictEqual({
        sessions: 1,
        revocations: [{ kind: "session", sessionId: "s", at: scene.now, until: scene.now + 86_400, reason: "logout" }],
        position: expect.any(String),
      });
      expect(await find("s")).toMatchObject({ revokedAt: scene.now, revokeReason: "logout" });
      scene.now += 5;
      expect(await store.sessions.revoke("s", "revoked")).toStrictEqual({ sessions: 0, revocations: [] });
      expect(await find("s")).toMatchObject({ revokedAt: scene.now - 5, revokeReason: "logout" });
      expect(await isLive(store, "t")).toBe(true);
    });

    it("changes nothing if the session has expired, is unknown or isn't the given user's", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      const none = { sessions: 0, revocations: [] };
      expect(await store.sessions.revoke("t", "logout")).toEqual(none);
      expect(await store.sessions.revoke("s", "logout", { userId: "9" })).toEqual(none);
      scene.now += 100;
      expect(await store.sessions.revoke("s", "logout")).toEqual(none);
      expect(await find("s")).toMatchObject({ revokedAt: null });
    });

    it("makes every later rotation fail", async () => {
      const { store } = scene;
      await addSession(store, "s", await addUser(store, "alice"));
      const rotations = Array.from({ length: 10 }, (_, i) => store.sessions.rotate(rotationOf("s", i)));
      const revoked = store.sessions.revoke("s", "logout");
      await Promise.all([...rotations, revoked]);
      const generation = (await find("s"))?.generation ?? 0;
      expect(await store.sessions.rotate(rotationOf("s", generation))).toBeNull();
    });
  });

  describe("sessions.revokeForUser and sessions.revokeAll", () => {
    it("raise the user's epoch with one feed entry, even if no session is left", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      const entry = { kind: "user", userId: alice, at: scene.now, until: scene.now + 86_400, reason: "revoked" };
      expect(await store.sessions.revokeForUser(alice, "revoked")).toStrictEqual({
        sessions: 1,
        revocations: [{ ...entry, epoch: 1 }],
        position: expect.any(String),
      });
      expect(await store.sessions.revokeForUser(alice, "revoked")).toStrictEqual({
        sessions: 0,
        revocations: [{ ...entry, epoch: 2 }],
        position: expect.any(String),
      });
      expect(await store.users.findById(alice)).toMatchObject({ epoch: 2, isActive: true });
      expect(await store.sessions.revokeForUser("9", "revoked")).toEqual({ sessions: 0, revocations: [] });
    });

    it("revoke every live session of every user with a single feed entry", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const bob = await addUser(store, "bob");
      await addSession(store, "a", alice);
      await addSession(store, "b", bob);
      await addSession(store, "expired", bob, { idleLifetime: 5 });
      scene.now += 10;
      const all = { kind: "all", at: scene.now, until: scene.now + 86_400, reason: "revoked" };
      expect(await store.sessions.revokeAll("revoked")).toStrictEqual({
        sessions: 2,
        revocations: [{ ...all, epoch: 1 }],
        position: expect.any(String),
      });
      expect((await store.sessions.list({ limit: 10 })).sessions).toEqual([]);
      expect(await store.sessions.revokeAll("revoked")).toMatchObject({
        sessions: 0,
        revocations: [{ ...all, epoch: 2 }],
      });
      expect(await store.users.findById(alice)).toMatchObject({ epoch: 0 });
    });
  });
}
