import { describe, expect, it } from "vitest";
import { addSession, addUser, isAlive, newUser, rotationOf, toHash } from "./records.ts";
import type { Scene } from "./store.ts";

/** What every store's users must do. */
export function describeUserContract(scene: Scene): void {
  describe("users.create", () => {
    it("gives consecutive numbers as ids and returns the user without the hash", async () => {
      const created = await scene.store.users.create(newUser("Alice", { email: "a@example.org", isStaff: true }));
      expect(created).toStrictEqual({
        outcome: "created",
        user: {
          id: "1",
          username: "Alice",
          email: "a@example.org",
          isActive: true,
          isStaff: true,
          epoch: 0,
          createdAt: scene.now,
          lastLoginAt: null,
        },
      });
      expect(await addUser(scene.store, "bob")).toBe("2");
    });

    it("refuses a username key that exists, and spends no number on it", async () => {
      await addUser(scene.store, "alice");
      expect(await scene.store.users.create(newUser("ALICE"))).toEqual({ outcome: "name_taken" });
      expect(await addUser(scene.store, "bob")).toBe("2");
    });

    it("lets one of several who want a username at once have it", async () => {
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => scene.store.users.create(newUser("alice"))));
      expect(outcomes.filter(({ outcome }) => outcome === "created")).toHaveLength(1);
      expect(outcomes.filter(({ outcome }) => outcome === "name_taken")).toHaveLength(7);
    });

    it("never gives the number of a deleted user again", async () => {
      await scene.store.users.delete(await addUser(scene.store, "alice"));
      expect(await addUser(scene.store, "alice")).toBe("2");
    });

    it("goes on after the highest number that was imported", async () => {
      expect(await addUser(scene.store, "alice", { id: "41" })).toBe("41");
      expect(await addUser(scene.store, "bob", { id: "7" })).toBe("7");
      expect(await addUser(scene.store, "carol", { id: "not-a-number" })).toBe("not-a-number");
      expect(await addUser(scene.store, "dave")).toBe("42");
    });

    it("throws where an id to import exists, and changes nothing", async () => {
      await addUser(scene.store, "alice", { id: "41" });
      await expect(scene.store.users.create(newUser("bob", { id: "41" }))).rejects.toBeInstanceOf(TypeError);
      expect(await scene.store.users.findByKey("bob")).toBeNull();
    });
  });

  describe("users.ensure", () => {
    it("makes an active row on first sight, and finds it again", async () => {
      const user = await scene.store.users.ensure("app-7");
      expect(user).toMatchObject({ id: "app-7", username: "", isActive: true, isStaff: false, epoch: 0 });
      expect(user).not.toHaveProperty("passwordHash");
      scene.now += 50;
      expect(await scene.store.users.ensure("app-7")).toStrictEqual(user);
    });

    it("takes any number of users, none of whom has a username here", async () => {
      await scene.store.users.ensure("a");
      await scene.store.users.ensure("b");
      expect(await scene.store.users.findByKey("")).toBeNull();
      expect(await scene.store.users.list({ limit: 10 })).toHaveLength(2);
    });

    it("gives a deleted user who comes back an epoch above every token that was ended", async () => {
      await scene.store.users.ensure("a");
      await scene.store.sessions.revokeForUser("a", "revoked");
      await scene.store.users.delete("a");
      expect(await scene.store.users.ensure("a")).toMatchObject({ epoch: 2, isActive: true });
    });
  });

  describe("users.findById, findByKey and list", () => {
    it("find a user with the hash, and no other", async () => {
      const id = await addUser(scene.store, "Alice");
      const user = await scene.store.users.findById(id);
      expect(user).toMatchObject({ id, username: "Alice", passwordHash: "hash-1" });
      expect(await scene.store.users.findByKey("alice")).toStrictEqual(user);
      expect(await scene.store.users.findById("2")).toBeNull();
      expect(await scene.store.users.findByKey("Alice")).toBeNull();
    });

    it("list users in order of creation, page after page, without hashes", async () => {
      const names = ["c", "a", "d", "b"];
      for (const name of names) await addUser(scene.store, name);
      const first = await scene.store.users.list({ limit: 3 });
      const second = await scene.store.users.list({ limit: 3, after: "3" });
      expect([...first, ...second].map(({ username }) => username)).toEqual(names);
      expect(first[0]).not.toHaveProperty("passwordHash");
      expect(await scene.store.users.list({ limit: 3, after: "4" })).toEqual([]);
    });
  });

  describe("users.disable and enable", () => {
    it("disable ends every live session of the user alone, and raises the epoch with one entry", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const bob = await addUser(store, "bob");
      await addSession(store, "a1", alice);
      await addSession(store, "a2", alice);
      await addSession(store, "expired", alice, { idleLifetime: 5 });
      await addSession(store, "b1", bob);
      scene.now += 10;
      expect(await store.users.disable(alice)).toStrictEqual({
        sessions: 2,
        revocations: [{ kind: "user", userId: alice, epoch: 1, at: scene.now }],
      });
      expect(await store.users.findById(alice)).toMatchObject({ isActive: false, epoch: 1 });
      expect((await store.sessions.find("a1"))?.session).toMatchObject({
        revokedAt: scene.now,
        revokeReason: "user_disabled",
      });
      expect((await store.sessions.find("expired"))?.session.revokedAt).toBeNull();
      expect(await isAlive(store, "b1")).toBe(true);
    });

    it("enable lets the user in again, and leaves ended sessions ended", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      await store.users.disable(alice);
      expect(await store.users.enable(alice)).toEqual({ now: scene.now });
      expect(await store.users.findById(alice)).toMatchObject({ isActive: true, epoch: 1 });
      expect(await isAlive(store, "s")).toBe(false);
      await addSession(store, "t", alice, { userEpoch: 1 });
      expect(await isAlive(store, "t")).toBe(true);
    });

    it("say so where there is no such user", async () => {
      expect(await scene.store.users.disable("9")).toBeNull();
      expect(await scene.store.users.enable("9")).toBeNull();
    });
  });

  describe("users.setPassword", () => {
    it("sets the hash and ends every session, also where there is none", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      expect(await store.users.setPassword(alice, "hash-2")).toStrictEqual({
        sessions: 0,
        revocations: [{ kind: "user", userId: alice, epoch: 1, at: scene.now }],
      });
      expect(await store.users.findById(alice)).toMatchObject({ passwordHash: "hash-2", epoch: 1 });
      expect(await store.users.setPassword("9", "hash-2")).toBeNull();
    });
  });

  describe("users.replacePasswordHash", () => {
    it("puts one hash in the place of another, and ends nothing", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const bob = await addUser(store, "bob");
      await addSession(store, "s", alice);
      scene.now += 5;
      expect(await store.users.replacePasswordHash(alice, { from: "hash-1", to: "hash-2" })).toEqual({
        now: scene.now,
      });
      expect(await store.users.findById(alice)).toMatchObject({ passwordHash: "hash-2", epoch: 0 });
      expect(await store.users.findById(bob)).toMatchObject({ passwordHash: "hash-1" });
      expect(await isAlive(store, "s")).toBe(true);
      expect(await store.sessions.rotate(rotationOf("s", 0))).not.toBeNull();
      const feed = await store.feed.read({ after: null, horizon: 1_000 });
      expect(feed.revocations).toEqual([]);
    });

    it("leaves a password alone that was changed meanwhile, and one that never was", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const bob = await addUser(store, "bob", { passwordHash: null });
      await store.users.setPassword(alice, "hash of the reset");
      expect(await store.users.replacePasswordHash(alice, { from: "hash-1", to: "hash-2" })).toBeNull();
      expect(await store.users.replacePasswordHash(bob, { from: "hash-1", to: "hash-2" })).toBeNull();
      expect(await store.users.replacePasswordHash("9", { from: "hash-1", to: "hash-2" })).toBeNull();
      expect(await store.users.findById(alice)).toMatchObject({ passwordHash: "hash of the reset" });
      expect(await store.users.findById(bob)).toMatchObject({ passwordHash: null });
    });

    it("loses against a reset that it races, whoever comes first", async () => {
      const { store } = scene;
      const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => addUser(store, `user-${i}`)));
      const races = ids.flatMap((id) => [
        store.users.replacePasswordHash(id, { from: "hash-1", to: "hash-2" }),
        store.users.setPassword(id, "hash of the reset"),
      ]);
      await Promise.all(races);
      for (const id of ids) {
        expect(await store.users.findById(id)).toMatchObject({ passwordHash: "hash of the reset", epoch: 1 });
      }
    });
  });

  describe("users.changePassword", () => {
    const keep = { sessionId: "kept", userEpoch: 0, nextHash: toHash(50), idleLifetime: 100 };

    it("keeps the named session under the new epoch with a generation of its own", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "kept", alice);
      await addSession(store, "other", alice);
      await store.sessions.rotate(rotationOf("kept", 0, { idempotencyHash: toHash(9) }));
      scene.now += 60;
      const change = await store.users.changePassword(alice, "hash-2", keep);
      expect(change).toMatchObject({
        sessions: 1,
        revocations: [{ kind: "user", userId: alice, epoch: 1, at: scene.now }],
        now: scene.now,
      });
      expect(change?.session).toMatchObject({
        userEpoch: 1,
        generation: 2,
        currentHash: toHash(50),
        previousHash: toHash(1),
        salt: null,
        idempotencyHash: null,
        rotatedAt: scene.now,
        lastUsedAt: scene.now,
        idleExpiresAt: scene.now + 100,
        revokedAt: null,
      });
      expect(await store.users.findById(alice)).toMatchObject({ passwordHash: "hash-2", epoch: 1 });
      expect((await store.sessions.find("other"))?.session.revokeReason).toBe("password_changed");
      const rotation = rotationOf("kept", 2, { presentedHash: toHash(50) });
      expect(await store.sessions.rotate(rotation)).toMatchObject({ session: { generation: 3 } });
    });

    it("changes nothing for a session that is dead, unknown or another user's", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const bob = await addUser(store, "bob");
      await addSession(store, "dead", alice);
      await store.sessions.revoke("dead", "logout");
      await addSession(store, "bobs", bob);
      await addSession(store, "other", alice);
      for (const sessionId of ["dead", "nowhere", "bobs"]) {
        expect(await store.users.changePassword(alice, "hash-2", { ...keep, sessionId })).toBeNull();
      }
      expect(await store.users.findById(alice)).toMatchObject({ passwordHash: "hash-1", epoch: 0 });
      expect((await store.sessions.find("dead"))?.session).toMatchObject({ revokeReason: "logout", generation: 0 });
      expect((await store.sessions.find("bobs"))?.session).toMatchObject({ revokedAt: null, generation: 0 });
      expect((await store.sessions.find("other"))?.session).toMatchObject({ revokedAt: null, generation: 0 });
    });

    it("changes nothing once a reset or a disable has come first", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "kept", alice);
      await store.users.setPassword(alice, "hash of the reset");
      expect(await store.users.changePassword(alice, "hash of the thief", keep)).toBeNull();
      expect(await store.users.findById(alice)).toMatchObject({ passwordHash: "hash of the reset", epoch: 1 });
      await store.users.disable(alice);
      expect(await store.users.changePassword(alice, "hash of the thief", { ...keep, userEpoch: 2 })).toBeNull();
    });
  });

  describe("users.countHashForms", () => {
    it("counts users by what stands before salt and hash, and shows neither", async () => {
      const hashes = [
        "$argon2id$v=19$m=64,t=1,p=1$U0FMVA$SEFTSA",
        "$argon2id$v=19$m=64,t=1,p=1$U0FMVEU$SEFTSEU",
        "$argon2id$v=19$m=64,t=1,p=1,keyid=QQ$U0FMVA$SEFTSA",
        "argon2$argon2id$v=19$m=64,t=1,p=1$U0FMVA$SEFTSA",
        "bcrypt$$2b$12$SALTHASH",
        "pbkdf2_sha256$1000$SALT$HASH",
        "pbkdf2_sha256$2000$SALT$HASH",
        "!random",
        "$argon2id$v=19$cut off",
        "PLAIN",
        "",
        null,
      ];
      for (const [i, passwordHash] of hashes.entries()) await addUser(scene.store, `user-${i}`, { passwordHash });
      expect(await scene.store.users.countHashForms()).toEqual([
        { form: "", users: 1 },
        { form: "!", users: 1 },
        { form: "$", users: 1 },
        { form: "$argon2id$v=19$m=64,t=1,p=1", users: 2 },
        { form: "$argon2id$v=19$m=64,t=1,p=1,keyid=QQ", users: 1 },
        { form: "P", users: 1 },
        { form: "argon2", users: 1 },
        { form: "bcrypt", users: 1 },
        { form: "pbkdf2_sha256", users: 2 },
      ]);
    });
  });

  describe("users.delete", () => {
    it("removes the user and ends every session above the last epoch", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      expect(await store.users.delete(alice)).toStrictEqual({
        sessions: 1,
        revocations: [{ kind: "user", userId: alice, epoch: 1, at: scene.now }],
      });
      expect(await store.users.findById(alice)).toBeNull();
      expect(await store.sessions.find("s")).toMatchObject({ user: null, session: { revokeReason: "user_deleted" } });
      expect(await store.users.delete(alice)).toBeNull();
    });
  });
}
