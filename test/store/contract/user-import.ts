import { describe, expect, it } from "vitest";
import type { ImportOutcome, UserStore } from "../../../src/core/store/users.ts";
import { addSession, addUser, importedUser } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store imports users of another system. */
export function describeUserImportContract(scene: Scene): void {
  const importBatch: (...batch: Parameters<UserStore["importBatch"]>) => Promise<readonly ImportOutcome[]> = async (
    ...batch
  ) => (await scene.store.users.importBatch(...batch)).outcomes;
  const namesInOrder = async () => (await scene.store.users.list({ limit: 100 })).map(({ username }) => username);

  describe("users.importBatch", () => {
    it("inserts users with every field, in order", async () => {
      const alice = importedUser("Alice", {
        id: "17",
        email: "alice@example.org",
        role: "admin",
        isActive: false,
        passwordHash: "a hash of theirs",
        createdAt: 1_000,
        lastLoginAt: 2_000,
      });
      const bob = importedUser("bob", { id: "8b1c-of-theirs", passwordHash: null });
      expect(await importBatch([alice, bob])).toEqual([
        { outcome: "created", userId: "17" },
        { outcome: "created", userId: "8b1c-of-theirs" },
      ]);
      const { usernameKey: _, ...asIs } = alice;
      expect(await scene.store.users.findByKey("alice")).toStrictEqual({ ...asIs, epoch: 0 });
      expect(await scene.store.users.findById("8b1c-of-theirs")).toMatchObject({
        username: "bob",
        isActive: true,
        passwordHash: null,
        createdAt: scene.now,
        lastLoginAt: null,
      });
      expect(await namesInOrder()).toEqual(["Alice", "bob"]);
    });

    it("changes no existing user and returns who has the id or the name", async () => {
      await addUser(scene.store, "alice", { id: "1" });
      await addUser(scene.store, "bob", { id: "2" });
      const answers = await importBatch([
        importedUser("ALICE", { id: "1", passwordHash: "hash-2", email: "new@example.org" }),
        importedUser("carol", { id: "2" }),
        importedUser("Bob", { id: "3" }),
        importedUser("dave", { id: "4" }),
        importedUser("bob"),
      ]);
      expect(answers).toEqual([
        { outcome: "same", userId: "1" },
        { outcome: "id_taken", userId: "2" },
        { outcome: "name_taken", userId: "2" },
        { outcome: "created", userId: "4" },
        { outcome: "same", userId: "2" },
      ]);
      expect(await namesInOrder()).toEqual(["alice", "bob", "dave"]);
      expect(await scene.store.users.findById("1")).toMatchObject({ passwordHash: "hash-1", email: null });
    });

    it("gives an id or a name to the first user of a batch that wants it", async () => {
      const answers = await importBatch([
        importedUser("alice", { id: "5" }),
        importedUser("alice", { id: "5" }),
        importedUser("bob", { id: "5" }),
        importedUser("alice", { id: "6" }),
        importedUser("carol"),
        importedUser("carol"),
      ]);
      expect(answers.map(({ outcome }) => outcome)).toEqual([
        ...["created", "same", "id_taken", "name_taken", "created", "same"],
      ]);
      expect(await namesInOrder()).toEqual(["alice", "carol"]);
    });

    it("returns `same` for every user if the import is repeated", async () => {
      const users = [importedUser("alice", { id: "1" }), importedUser("bob", { id: "x" }), importedUser("carol")];
      const first = await importBatch(users);
      const again = await importBatch(users);
      expect(again).toEqual(first.map(({ userId }) => ({ outcome: "same", userId })));
    });

    it("gives users without an id numbers above every number that was ever used", async () => {
      await scene.store.users.delete(await addUser(scene.store, "gone", { id: "20" }));
      const answers = await importBatch([
        importedUser("alice"),
        importedUser("bob", { id: "41" }),
        importedUser("carol", { id: "7" }),
        importedUser("dave", { id: "007" }),
        importedUser("erin"),
      ]);
      expect(answers.map(({ userId }) => userId)).toEqual(["42", "41", "7", "007", "43"]);
      expect(await addUser(scene.store, "frank")).toBe("44");
    });

    it("continues with longer numbers after the longest number that counts", async () => {
      const answers = await importBatch([importedUser("alice", { id: "999999999999999" }), importedUser("bob")]);
      expect(answers.map(({ userId }) => userId)).toEqual(["999999999999999", "1000000000000000"]);
      expect(await addUser(scene.store, "carol")).toBe("1000000000000001");
      expect(await addUser(scene.store, "dave")).toBe("1000000000000002");
    });

    it("uses no number for users who exist or are refused", async () => {
      await addUser(scene.store, "alice", { id: "1" });
      await importBatch([importedUser("alice"), importedUser("ALICE", { id: "99" })]);
      expect(await addUser(scene.store, "bob")).toBe("2");
    });

    it("gives a deleted user's id an epoch above that of the deleted user's tokens", async () => {
      const alice = await addUser(scene.store, "alice", { id: "5" });
      await addSession(scene.store, "s", alice);
      await scene.store.users.delete(alice);
      await importBatch([importedUser("mallory", { id: "5" })]);
      expect(await scene.store.users.findById("5")).toMatchObject({ username: "mallory", epoch: 1 });
      expect((await scene.store.sessions.find("s"))?.session.revokeReason).toBe("user_deleted");
    });

    it("refuses the id of a user of the application's own table", async () => {
      await scene.store.users.ensure("app-7");
      const answers = await importBatch([importedUser("alice", { id: "app-7" })]);
      expect(answers).toEqual([{ outcome: "id_taken", userId: "app-7" }]);
    });

    it("returns the same outcomes for a dry run and inserts no user", async () => {
      await addUser(scene.store, "alice", { id: "1" });
      const users = ["alice", "bob", "bob"].map((name, index) => importedUser(name, { id: String(index + 1) }));
      const dryRun = await importBatch(users, { dryRun: true });
      expect(await namesInOrder()).toEqual(["alice"]);
      expect(await addUser(scene.store, "zoe")).toBe("2");
      await scene.store.users.delete("2");
      expect(await importBatch(users)).toEqual(dryRun);
    });

    it("creates each user once if several imports of the same users run at once", async () => {
      const users = Array.from({ length: 20 }, (_, index) => importedUser(`user-${index}`, { id: `id-${index}` }));
      const all = await Promise.all(Array.from({ length: 4 }, () => importBatch(users)));
      expect(all.flat().filter(({ outcome }) => outcome === "created")).toHaveLength(20);
      expect(all.flat().filter(({ outcome }) => outcome === "same")).toHaveLength(60);
    });

    it("accepts an empty batch, and text that databases can't hold", async () => {
      expect(await importBatch([])).toEqual([]);
      const [answer] = await importBatch([importedUser("a\ud800b\0c", { id: '"\\\u2028' })]);
      expect(answer).toEqual({ outcome: "created", userId: '"\\\u2028' });
    });
  });
}
