import { describe, expect, it } from "vitest";
import { addSession, addUser, isLive, keeping, readAfter, rotationOf, toHash } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store keeps and changes password hashes. */
export function describePasswordContract(scene: Scene): void {
  describe("users.setPassword", () => {
    it("sets the hash and raises the epoch even if the user has no session", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const until = scene.now + 86_400;
      expect(await store.users.setPassword(alice, "hash-2")).toStrictEqual({
        sessions: 0,
        revocations: [{ kind: "user", userId: alice, epoch: 1, at: scene.now, until, reason: "password_changed" }],
        position: expect.any(String),
      });
      expect(await store.users.findById(alice)).toMatchObject({ passwordHash: "hash-2", epoch: 1 });
      expect(await store.users.setPassword("9", "hash-2")).toBeNull();
    });
  });

  describe("users.replacePasswordHash", () => {
    it("replaces one hash by another and revokes nothing", async () => {
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
      expect(await isLive(store, "s")).toBe(true);
      expect(await store.sessions.rotate(rotationOf("s", 0))).not.toBeNull();
      const feed = await store.feed.read(readAfter(null));
      expect(feed.revocations).toEqual([]);
    });

    it("changes nothing if the user is gone, has another hash by now or has none", async () => {
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

    it("never overwrites the hash of a concurrent reset", async () => {
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
    const keep = keeping("kept");

    it("keeps the given session under the new epoch with a new generation and revokes the others", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "kept", alice);
      await addSession(store, "other", alice);
      await store.sessions.rotate(rotationOf("kept", 0, { idempotencyHash: toHash(9) }));
      scene.now += 60;
      const change = await store.users.changePassword(alice, "hash-2", keep);
      expect(change).toMatchObject({
        sessions: 1,
        revocations: [{ kind: "user", userId: alice, epoch: 1, at: scene.now, reason: "password_changed" }],
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

    it("changes nothing if the session is revoked, unknown or another user's", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const bob = await addUser(store, "bob");
      await addSession(store, "revoked", alice);
      await store.sessions.revoke("revoked", "logout");
      await addSession(store, "bobs", bob);
      await addSession(store, "other", alice);
      for (const sessionId of ["revoked", "nowhere", "bobs"]) {
        expect(await store.users.changePassword(alice, "hash-2", { ...keep, sessionId })).toBeNull();
      }
      expect(await store.users.findById(alice)).toMatchObject({ passwordHash: "hash-1", epoch: 0 });
      expect((await store.sessions.find("revoked"))?.session).toMatchObject({ revokeReason: "logout", generation: 0 });
      expect((await store.sessions.find("bobs"))?.session).toMatchObject({ revokedAt: null, generation: 0 });
      expect((await store.sessions.find("other"))?.session).toMatchObject({ revokedAt: null, generation: 0 });
    });

    it("changes nothing after a reset or a disable", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "kept", alice);
      await store.users.setPassword(alice, "hash of the reset");
      expect(await store.users.changePassword(alice, "hash of the attacker", keep)).toBeNull();
      expect(await store.users.findById(alice)).toMatchObject({ passwordHash: "hash of the reset", epoch: 1 });
      await store.users.disable(alice);
      expect(await store.users.changePassword(alice, "hash of the attacker", { ...keep, userEpoch: 2 })).toBeNull();
    });
  });

  describe("users.countHashForms", () => {
    it("counts users by the form of their hash, and returns neither salts nor hashes", async () => {
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
}
