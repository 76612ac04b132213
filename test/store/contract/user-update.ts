import { describe, expect, it } from "vitest";
import type { AuditOf } from "../../../src/core/store/audit.ts";
import type { UpdatedUser, UserPatch } from "../../../src/core/store/users.ts";
import { addSession, addUser, isLive, newUser, readAfter } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store changes a user's name, email address and staff flag. */
export function describeUserUpdateContract(scene: Scene): void {
  const unchanged: UserPatch = { username: undefined, usernameKey: undefined, email: undefined, role: undefined };

  /** Changes a user, and also returns the changes for which an audit record was asked. */
  async function update(id: string, patch: Partial<UserPatch>) {
    const audited: UpdatedUser[] = [];
    const audit: AuditOf<UpdatedUser> = (change) => {
      audited.push(change);
      return [];
    };
    return { result: await scene.store.users.update(id, { ...unchanged, ...patch }, { audit }), audited };
  }

  const find = (id: string) => scene.store.users.findById(id);

  describe("users.update", () => {
    it("changes the members of the patch, keeps the others and returns the user without the hash", async () => {
      const alice = await addUser(scene.store, "alice", { email: "a@example.org" });
      const createdAt = scene.now;
      scene.now += 5;
      const { result } = await update(alice, { username: "Alicia", usernameKey: "alicia", role: "admin" });
      const user = { id: alice, username: "Alicia", email: "a@example.org", isActive: true, role: "admin", epoch: 0 };
      expect(result).toStrictEqual({
        outcome: "updated",
        user: { ...user, createdAt, lastLoginAt: null },
        now: scene.now,
      });
      expect(await find(alice)).toStrictEqual({ ...user, createdAt, lastLoginAt: null, passwordHash: "hash-1" });
      expect(await scene.store.users.findByKey("alicia")).toMatchObject({ id: alice });
      expect(await scene.store.users.findByKey("alice")).toBeNull();
    });

    it("sets, keeps and removes the email address", async () => {
      const alice = await addUser(scene.store, "alice");
      await update(alice, { email: "a@example.org" });
      expect(await find(alice)).toMatchObject({ email: "a@example.org" });
      await update(alice, { role: "admin" });
      expect(await find(alice)).toMatchObject({ email: "a@example.org" });
      expect((await update(alice, { email: null })).result).toMatchObject({ user: { email: null } });
      expect(await find(alice)).toMatchObject({ email: null, role: "admin" });
    });

    it("sets and removes the staff flag", async () => {
      const alice = await addUser(scene.store, "alice");
      await update(alice, { role: "admin" });
      expect(await find(alice)).toMatchObject({ role: "admin" });
      await update(alice, { role: null });
      expect(await find(alice)).toMatchObject({ role: null });
    });

    it("refuses the name of another user and changes nothing", async () => {
      const alice = await addUser(scene.store, "alice");
      await addUser(scene.store, "bob");
      const before = await find(alice);
      const { result, audited } = await update(alice, { username: "Bob", usernameKey: "bob", role: "admin" });
      expect(result).toEqual({ outcome: "name_taken" });
      expect(audited).toEqual([]);
      expect(await find(alice)).toStrictEqual(before);
    });

    it("lets a user change the spelling of their own name", async () => {
      const alice = await addUser(scene.store, "alice");
      const { result } = await update(alice, { username: "ALICE", usernameKey: "alice" });
      expect(result).toMatchObject({ outcome: "updated", user: { username: "ALICE" } });
    });

    it("gives a name to only one of several users who want it at once", async () => {
      const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => addUser(scene.store, `user-${i}`)));
      const patch = { username: "alice", usernameKey: "alice" };
      const changes = await Promise.all([
        scene.store.users.create(newUser("alice")),
        ...ids.map(async (id) => (await update(id, patch)).result),
      ]);
      const outcomes = changes.map((change) => change?.outcome);
      expect(outcomes.filter((outcome) => outcome === "name_taken")).toHaveLength(8);
      expect(outcomes.filter((outcome) => outcome === "created" || outcome === "updated")).toHaveLength(1);
    });

    it("returns null if there is no such user, even if the name is taken", async () => {
      await addUser(scene.store, "alice");
      const { result, audited } = await update("9", { username: "alice", usernameKey: "alice" });
      expect(result).toBeNull();
      expect((await update("9", { role: "admin" })).result).toBeNull();
      expect(audited).toEqual([]);
    });

    it("keeps the user's sessions, epoch and password, and appends nothing to the feed", async () => {
      const alice = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", alice);
      await update(alice, { username: "alicia", usernameKey: "alicia", email: "a@example.org", role: "admin" });
      expect(await isLive(scene.store, "s")).toBe(true);
      expect(await find(alice)).toMatchObject({ epoch: 0, passwordHash: "hash-1" });
      expect((await scene.store.feed.read(readAfter(null))).revocations).toEqual([]);
    });

    it("asks for an audit record only if a member has changed", async () => {
      const alice = await addUser(scene.store, "alice", { email: "a@example.org" });
      const changed = await update(alice, { email: "b@example.org" });
      expect(changed.audited).toEqual([changed.result]);
      const same = { username: "alice", usernameKey: "alice", email: "b@example.org", role: null };
      for (const patch of [{}, same]) {
        const { result, audited } = await update(alice, patch);
        expect(result).toMatchObject({ outcome: "unchanged", user: { email: "b@example.org" }, now: scene.now });
        expect(audited).toEqual([]);
      }
      await update(alice, { email: null });
      expect((await update(alice, { email: null })).audited).toEqual([]);
    });
  });
}
