import { describe, expect, it } from "vitest";
import type { AuditOf } from "../../../src/core/store/audit.ts";
import { toAuditRow } from "../../../src/events/audit-row.ts";
import { addSession, addUser, importedUser, keeping, newSession, newUser, readAfter, rotationOf } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Returns one record whose reason is the change as JSON. */
const audit = (result: unknown) =>
  [
    {
      row: toAuditRow({ type: "csrf_refused", time: 7, reason: toReason(result), client: {} }),
      delivery: null,
    },
  ] as const;

function toReason(result: unknown): string {
  return JSON.stringify(result, (name, value) => (name === "session" || name === "user" ? "…" : value));
}

const fails: AuditOf<unknown> = () => {
  throw new TypeError("no such record");
};

/** Defines the tests of how every store records its changes in the audit log. */
export function describeAuditRecordContract(scene: Scene): void {
  const readAll = async (query: { readonly type?: string } = {}) =>
    (await scene.store.audit.read({ after: null, limit: 100, ...query })).entries;
  const reasons = async () => (await readAll()).map(({ reason }) => reason);

  describe("a change with an audit", () => {
    const none = { sessions: 0, revocations: [] };
    const patch = { username: undefined, usernameKey: undefined, email: "a@example.org", role: undefined };
    const keep = keeping("s");
    const addAliceWithSession = async () => {
      const { store } = scene;
      const userId = await addUser(store, "alice");
      await addSession(store, "s", userId);
      return userId;
    };

    it("writes one record from its own result", async () => {
      const { store, now } = scene;
      const { users, sessions, feed, throttle } = store;
      const created = await users.create(newUser("alice"), audit);
      const userId = created.outcome === "created" ? created.user.id : "";
      const session = await sessions.create(newSession("s", userId), audit);
      const changed = await users.changePassword(userId, "hash-2", keep, { audit });
      const revoked = await sessions.revoke("s", "logout", { audit });
      const { userEpoch } = (await sessions.find("s"))?.session ?? { userEpoch: 0 };
      await addSession(store, "t", userId, { userEpoch });
      const all = [
        await users.update(userId, patch, { audit }),
        await users.replacePasswordHash(userId, { from: "hash-2", to: "hash-2b" }, audit),
        await sessions.revokeOthers({ sessionId: "t", userId }, "logout", { audit }),
        await users.disable(userId, { audit }),
        await users.enable(userId, { audit }),
        await users.setPassword(userId, "hash-3", { audit }),
        await sessions.revokeForUser(userId, "logout", { audit }),
        await sessions.revokeAll("revoked", { audit }),
        await feed.revokeToken("jti", { audit }),
        await users.delete(userId, { audit }),
        await users.importBatch([importedUser("bob")], { audit }),
        await throttle.clear("account", audit),
      ];
      const {
        session: _,
        now: __,
        globalEpoch: ___,
        ...passwordChange
      } = changed ?? {
        session: null,
        now: 0,
        globalEpoch: 0,
      };
      const results = [created.outcome === "created" && created.user, session, passwordChange, revoked, ...all];
      expect(await reasons()).toEqual(results.map(toReason));
      expect(all[1]).toEqual({ now });
      expect(all[4]).toEqual({ now });
    });

    it("writes one record of a decision, whether or not it revoked", async () => {
      await addAliceWithSession();
      const { sessions } = scene.store;
      const kept = await sessions.decide("s", () => ({ result: 1 }), { audit });
      expect(kept).toEqual({ result: 1, ...none });
      const revoked = await sessions.decide("s", () => ({ result: 2, revoke: "reuse" }), { audit });
      expect(revoked).toMatchObject({ result: 2, sessions: 1 });
      expect(revoked.revocations).toHaveLength(1);
      expect(await reasons()).toEqual([toReason(kept), toReason(revoked)]);
    });

    it("writes nothing if there is no such user or session, or the name is taken", async () => {
      const { users, sessions } = scene.store;
      await addUser(scene.store, "alice");
      await addUser(scene.store, "bob");
      await users.create(newUser("ALICE"), audit);
      await users.update("1", { ...patch, username: "bob", usernameKey: "bob" }, { audit });
      await users.update("9", patch, { audit });
      await users.replacePasswordHash("1", { from: "another hash", to: "hash" }, audit);
      await users.disable("9", { audit });
      await users.enable("9", { audit });
      await users.setPassword("9", "hash", { audit });
      await users.changePassword("1", "hash", keep, { audit });
      await users.delete("9", { audit });
      await sessions.revokeOthers({ sessionId: "s", userId: "9" }, "logout", { audit });
      await sessions.create(newSession("s", "9"), audit);
      expect(await readAll()).toEqual([]);
    });

    it("is rolled back if its record fails", async () => {
      const userId = await addAliceWithSession();
      const { users, sessions, feed, throttle } = scene.store;
      const count = { failures: 1, lastAt: 1, expiresAt: null };
      await throttle.decide(["account"], () => ({ result: null, changes: new Map([["account", count]]) }));
      const before = await users.findById(userId);
      const attempts = [
        () => users.create(newUser("bob"), fails),
        () => users.update(userId, patch, { audit: fails }),
        () => users.replacePasswordHash(userId, { from: "hash-1", to: "hash-2" }, fails),
        () => users.importBatch([importedUser("bob")], { audit: fails }),
        () => users.disable(userId, { audit: fails }),
        () => users.setPassword(userId, "hash-2", { audit: fails }),
        () => users.changePassword(userId, "hash-2", keep, { audit: fails }),
        () => users.delete(userId, { audit: fails }),
        () => sessions.create(newSession("t", userId), fails),
        () => sessions.decide("s", () => ({ result: 1, revoke: "reuse" }), { audit: fails }),
        () => sessions.revoke("s", "logout", { audit: fails }),
        () => sessions.revokeForUser(userId, "logout", { audit: fails }),
        () => sessions.revokeOthers({ sessionId: "s", userId }, "logout", { audit: fails }),
        () => sessions.revokeAll("logout", { audit: fails }),
        () => feed.revokeToken("jti", { audit: fails }),
        () => throttle.clear("account", fails),
      ];
      for (const attempt of attempts) await expect(attempt()).rejects.toThrow("no such record");
      expect(await readAll()).toEqual([]);
      expect((await feed.read(readAfter(null))).revocations).toEqual([]);
      expect((await users.list({ limit: 9 })).map(({ epoch }) => epoch)).toEqual([0]);
      expect(await users.findById(userId)).toStrictEqual(before);
      expect(await throttle.clear("account")).toMatchObject({ counts: 1 });
      expect((await sessions.list({ limit: 9 })).sessions.map(({ id }) => id)).toEqual(["s"]);
      expect(await sessions.revoke("s", "logout", { userId: "9", audit })).toEqual(none);
    });
  });

  describe("an audited rotation", () => {
    it("writes one entry, alone and in a batch, and none if it did not match", async () => {
      const { store } = scene;
      const userId = await addUser(store, "alice");
      const ids = Array.from({ length: 20 }, (_, n) => `s${n}`);
      for (const id of ids) await addSession(store, id, userId);
      const audited = (id: string, generation: number) =>
        store.sessions.rotate(rotationOf(id, generation, { isAudited: true, ip: "192.0.2.9" }));
      expect(await audited("s0", 0)).not.toBeNull();
      const together = await Promise.all(ids.map((id) => audited(id, 0)));
      expect(together.map((rotated) => rotated !== null)).toEqual(ids.map((id) => id !== "s0"));
      await store.sessions.rotate(rotationOf("s0", 1));
      const entries = await readAll({ type: "refresh" });
      expect(entries.map(({ sessionId }) => sessionId).sort()).toEqual([...ids].sort());
      expect(entries[0]).toEqual({
        id: expect.any(Number),
        time: scene.now,
        type: "refresh",
        userId,
        sessionId: "s0",
        ip: "192.0.2.9",
        userAgent: null,
        actor: null,
        note: null,
        reason: null,
        details: { outcome: "rotated", generation: 0 },
      });
    });
  });
}
