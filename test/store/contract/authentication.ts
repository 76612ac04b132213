import { describe, expect, it } from "vitest";
import type { NewSession } from "../../../src/core/store/sessions.ts";
import { addSession, addUser, keeping, rotationOf, toHash, useOf } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store keeps when, how and by whom a session's user was authenticated. */
export function describeAuthenticationContract(scene: Scene): void {
  const facts: Partial<NewSession> = { authenticatedAt: 900_000, amr: "pwd otp", actor: "support/bob" };
  const kept = { authenticatedAt: 900_000, amr: "pwd otp", actor: "support/bob" };

  describe("when, how and by whom a user was authenticated", () => {
    it("is stored with the session, and read with it", async () => {
      const { sessions } = scene.store;
      const created = await addSession(scene.store, "s", await addUser(scene.store, "alice"), facts);
      expect(created.session).toMatchObject(kept);
      expect((await sessions.find("s"))?.session).toStrictEqual(created.session);
      expect((await sessions.list({ limit: 10 })).sessions).toStrictEqual([created.session]);
    });

    it("stays the same in every change that a token is issued for", async () => {
      const { sessions, users } = scene.store;
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user, facts);
      scene.now += 10;
      expect((await sessions.touch(useOf("s")))?.session).toMatchObject(kept);
      expect((await sessions.rotate(rotationOf("s", 0)))?.session).toMatchObject(kept);
      const ids = ["a", "b", "c", "d"];
      for (const id of ids) await addSession(scene.store, id, user, { ...facts, amr: id });
      const rotated = await Promise.all(ids.map((id) => sessions.rotate(rotationOf(id, 0))));
      expect(rotated.map((each) => each?.session)).toMatchObject(ids.map((amr) => ({ ...kept, amr })));
      const decided = await sessions.decide("s", (snapshot) => ({ result: snapshot?.session }));
      expect(decided.result).toMatchObject(kept);
      expect((await sessions.label("s", user, "x")) ?? {}).toMatchObject(kept);
      await sessions.revokeOthers({ sessionId: "s", userId: user }, "logout");
      const changed = await users.changePassword(user, "hash-2", keeping("s", { userEpoch: 1 }));
      expect(changed?.session).toMatchObject({ ...kept, generation: 2 });
    });

    it("is written to the audit log with the rotations of an actor", async () => {
      const { sessions, audit } = scene.store;
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user, facts);
      await addSession(scene.store, "t", user);
      for (const id of ["s", "t"]) await sessions.rotate(rotationOf(id, 0, { isAudited: true }));
      const many = ["s", "t"].map((id) => sessions.rotate(rotationOf(id, 1, { isAudited: true })));
      await Promise.all(many);
      const { entries } = await audit.read({ after: null, limit: 10 });
      const actors = entries.map(({ sessionId, actor }) => [sessionId, actor]);
      expect(actors.sort()).toEqual([
        ["s", "support/bob"],
        ["s", "support/bob"],
        ["t", null],
        ["t", null],
      ]);
    });

    it("doesn't make the actor's device one of the user's", async () => {
      const user = await addUser(scene.store, "alice");
      const acting = await addSession(scene.store, "first", user, { actor: "support/bob" });
      expect(acting.isNewDevice).toBe(false);
      // The user's own first login isn't one on a new device, although somebody has acted for the user before.
      expect((await addSession(scene.store, "s", user, { userAgent: "Safari" })).isNewDevice).toBe(false);
      const again = { userAgent: "Chrome", currentHash: toHash(1) };
      expect((await addSession(scene.store, "acting", user, { ...again, actor: "support/bob" })).isNewDevice).toBe(
        false,
      );
      expect((await addSession(scene.store, "t", user, again)).isNewDevice).toBe(true);
    });

    it("doesn't make a device known by the audit log if an actor has logged in there", async () => {
      const { store } = scene;
      const user = await addUser(store, "alice");
      const entry = {
        time: scene.now,
        type: "login",
        userId: user,
        sessionId: "gone",
        ip: null,
        reason: null,
        details: "{}",
      };
      await store.audit.append([
        { ...entry, userAgent: "Safari", actor: null },
        { ...entry, userAgent: "Chrome", actor: "support/bob" },
      ]);
      expect((await addSession(store, "s", user, { userAgent: "Safari" })).isNewDevice).toBe(false);
      expect((await addSession(store, "t", user, { userAgent: "Chrome" })).isNewDevice).toBe(true);
    });
  });
}
