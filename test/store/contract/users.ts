import { describe, expect, it } from "vitest";
import { toAuditRow } from "../../../src/events/audit-row.ts";
import { addSession, addUser, isLive, newUser } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store creates, finds, disables and deletes users. */
export function describeUserContract(scene: Scene): void {
  describe("users.create", () => {
    it("uses consecutive numbers as ids and returns the user without the hash", async () => {
      const created = await scene.store.users.create(newUser("Alice", { email: "a@example.org", role: "admin" }));
      expect(created).toStrictEqual({
        outcome: "created",
        user: {
          id: "1",
          username: "Alice",
          email: "a@example.org",
          isActive: true,
          role: "admin",
          epoch: 0,
          createdAt: scene.now,
          lastLoginAt: null,
        },
      });
      expect(await addUser(scene.store, "bob")).toBe("2");
    });

    it("refuses a username key that exists and uses no number for it", async () => {
      await addUser(scene.store, "alice");
      expect(await scene.store.users.create(newUser("ALICE"))).toEqual({ outcome: "name_taken" });
      expect(await addUser(scene.store, "bob")).toBe("2");
    });

    it("gives a username to only one of several users who are created with it at once", async () => {
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => scene.store.users.create(newUser("alice"))));
      expect(outcomes.filter(({ outcome }) => outcome === "created")).toHaveLength(1);
      expect(outcomes.filter(({ outcome }) => outcome === "name_taken")).toHaveLength(7);
    });

    it("never uses the number of a deleted user again", async () => {
      await scene.store.users.delete(await addUser(scene.store, "alice"));
      expect(await addUser(scene.store, "alice")).toBe("2");
    });

    it("continues after the highest id that was given as a number", async () => {
      expect(await addUser(scene.store, "alice", { id: "41" })).toBe("41");
      expect(await addUser(scene.store, "bob", { id: "7" })).toBe("7");
      expect(await addUser(scene.store, "carol", { id: "not-a-number" })).toBe("not-a-number");
      expect(await addUser(scene.store, "dave")).toBe("42");
    });

    it("throws a TypeError and changes nothing if the given id exists", async () => {
      await addUser(scene.store, "alice", { id: "41" });
      await expect(scene.store.users.create(newUser("bob", { id: "41" }))).rejects.toBeInstanceOf(TypeError);
      expect(await scene.store.users.findByKey("bob")).toBeNull();
    });
  });

  describe("users.ensure", () => {
    it("inserts an active user at the first call and returns the same one later", async () => {
      const user = await scene.store.users.ensure("app-7");
      expect(user).toMatchObject({ id: "app-7", username: "", isActive: true, role: null, epoch: 0 });
      expect(user).not.toHaveProperty("passwordHash");
      scene.now += 50;
      expect(await scene.store.users.ensure("app-7")).toStrictEqual(user);
    });

    it("inserts any number of users without usernames", async () => {
      await scene.store.users.ensure("a");
      await scene.store.users.ensure("b");
      expect(await scene.store.users.findByKey("")).toBeNull();
      expect(await scene.store.users.list({ limit: 10 })).toHaveLength(2);
    });

    it("gives an id that was deleted an epoch above that of every revoked token", async () => {
      await scene.store.users.ensure("a");
      await scene.store.sessions.revokeForUser("a", "revoked");
      await scene.store.users.delete("a");
      expect(await scene.store.users.ensure("a")).toMatchObject({ epoch: 2, isActive: true });
    });
  });

  describe("users.findById, users.findByKey and users.list", () => {
    it("find a user with the password hash, and return null for any other id or key", async () => {
      const id = await addUser(scene.store, "Alice");
      const user = await scene.store.users.findById(id);
      expect(user).toMatchObject({ id, username: "Alice", passwordHash: "hash-1" });
      expect(await scene.store.users.findByKey("alice")).toStrictEqual(user);
      expect(await scene.store.users.findById("2")).toBeNull();
      expect(await scene.store.users.findByKey("Alice")).toBeNull();
    });

    it("list users without hashes in the order of creation, page by page", async () => {
      const names = ["c", "a", "d", "b"];
      for (const name of names) await addUser(scene.store, name);
      const first = await scene.store.users.list({ limit: 3 });
      const second = await scene.store.users.list({ limit: 3, after: "3" });
      expect([...first, ...second].map(({ username }) => username)).toEqual(names);
      expect(first[0]).not.toHaveProperty("passwordHash");
      expect(await scene.store.users.list({ limit: 3, after: "4" })).toEqual([]);
    });
  });

  describe("users.disable and users.enable", () => {
    it("disable a user, revoke exactly that user's live sessions and raise the epoch with one feed entry", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const bob = await addUser(store, "bob");
      await addSession(store, "a1", alice);
      await addSession(store, "a2", alice);
      await addSession(store, "expired", alice, { idleLifetime: 5 });
      await addSession(store, "b1", bob);
      scene.now += 10;
      expect(await store.users.disable(alice)).toMatchObject({
        sessions: 2,
        revocations: [{ kind: "user", userId: alice, epoch: 1, at: scene.now, reason: "user_disabled" }],
      });
      expect(await store.users.findById(alice)).toMatchObject({ isActive: false, epoch: 1 });
      expect((await store.sessions.find("a1"))?.session).toMatchObject({
        revokedAt: scene.now,
        revokeReason: "user_disabled",
      });
      expect((await store.sessions.find("expired"))?.session.revokedAt).toBeNull();
      expect(await isLive(store, "b1")).toBe(true);
    });

    it("enable a user for new sessions and keep revoked sessions revoked", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      await store.users.disable(alice);
      expect(await store.users.enable(alice)).toEqual({ now: scene.now });
      expect(await store.users.findById(alice)).toMatchObject({ isActive: true, epoch: 1 });
      expect(await isLive(store, "s")).toBe(false);
      await addSession(store, "t", alice, { userEpoch: 1 });
      expect(await isLive(store, "t")).toBe(true);
    });

    it("say that the user is in that state already, and record nothing then", async () => {
      const { users, audit } = scene.store;
      const alice = await addUser(scene.store, "alice");
      const event = { type: "key_changed", time: 7, change: "generated" } as const;
      const record = () => [{ row: toAuditRow(event), delivery: null }];
      expect(await users.enable(alice, { audit: record })).toEqual({ now: scene.now, wasEnabled: true });
      await users.disable(alice, { audit: record });
      const entry = { kind: "user", userId: alice, epoch: 2, at: scene.now, reason: "user_disabled" };
      const again = { sessions: 0, revocations: [entry], wasDisabled: true };
      expect(await users.disable(alice, { audit: record })).toMatchObject(again);
      expect(await users.findById(alice)).toMatchObject({ isActive: false, epoch: 2 });
      await users.enable(alice, { audit: record });
      expect((await audit.read({ after: null, limit: 10 })).entries).toHaveLength(2);
    });

    it("return null if there is no such user", async () => {
      expect(await scene.store.users.disable("9")).toBeNull();
      expect(await scene.store.users.enable("9")).toBeNull();
    });
  });

  describe("users.delete", () => {
    it("deletes the user and revokes every session with an entry above the last epoch", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      expect(await store.users.delete(alice)).toMatchObject({
        sessions: 1,
        revocations: [{ kind: "user", userId: alice, epoch: 1, at: scene.now, reason: "user_deleted" }],
      });
      expect(await store.users.findById(alice)).toBeNull();
      expect(await store.sessions.find("s")).toMatchObject({ user: null, session: { revokeReason: "user_deleted" } });
      expect(await store.users.delete(alice)).toBeNull();
    });
  });
}
