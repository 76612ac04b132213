import { describe, expect, it } from "vitest";
import type { AuditEntry, AuditOf, AuditRow } from "../../../src/core/store/audit.ts";
import { toAuditRow } from "../../../src/events/audit-row.ts";
import type { AuthEvent } from "../../../src/events/events.ts";
import { addSession, addUser, newSession, newUser, rotationOf, toHash } from "./records.ts";
import type { Scene } from "./scene.ts";

const client = { ip: "192.0.2.7", userAgent: "Firefox", actor: "cli/root" };

/** Returns the row of a refused request. */
const refusal = (time: number, userId = "1", sessionId = "s"): AuditRow =>
  toAuditRow({ type: "csrf_refused", time, reason: "CSRF token missing.", userId, sessionId, client });

const keyChange = (time: number): AuditRow => toAuditRow({ type: "key_changed", time, change: "generated" });

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

/** Defines the tests of how every store writes and reads the audit log. */
export function describeAuditContract(scene: Scene): void {
  const readAll = async (query: Partial<Parameters<typeof scene.store.audit.read>[0]> = {}) =>
    (await scene.store.audit.read({ after: null, limit: 100, ...query })).entries;
  const reasons = async () => (await readAll()).map(({ reason }) => reason);

  describe("audit.append and audit.read", () => {
    it("return every column of an entry, and the other fields as details", async () => {
      const event: AuthEvent = {
        type: "refresh",
        time: 1_000,
        outcome: "refused",
        userId: "1",
        sessionId: "s",
        generation: 3,
        reason: "session ended: logout",
        client,
      };
      await scene.store.audit.append([toAuditRow(event), keyChange(1_001)]);
      const nothing = { userId: null, sessionId: null, ip: null, userAgent: null, actor: null, reason: null };
      expect(await readAll()).toEqual([
        {
          id: expect.any(Number),
          type: "refresh",
          time: 1_000,
          userId: "1",
          sessionId: "s",
          ...client,
          reason: "session ended: logout",
          details: { outcome: "refused", generation: 3 },
        },
        { ...nothing, id: expect.any(Number), type: "key_changed", time: 1_001, details: { change: "generated" } },
      ]);
    });

    it("find refreshes by their outcome, even if other members have the same text", async () => {
      const refresh = { type: "refresh", time: 1, client: {} } as const;
      const misleading: AuthEvent = { ...refresh, outcome: "refused", reason: "reuse_detected" };
      await scene.store.audit.append([
        toAuditRow({
          ...refresh,
          outcome: "reuse_detected",
          userId: "1",
          sessionId: "s",
          generation: 2,
          reason: "spent",
        }),
        toAuditRow(misleading),
        { ...refusal(2), details: JSON.stringify({ note: '"outcome":"reuse_detected"' }) },
      ]);
      expect((await readAll({ outcome: "reuse_detected" })).map(({ reason }) => reason)).toEqual(["spent"]);
      expect(await readAll({ outcome: "reuse_detected", type: "login" })).toEqual([]);
    });

    it("keep any text that `toAuditRow` returns", async () => {
      const userAgent = "a\0b'\"\\\u001b[31m\ud800☃";
      await scene.store.audit.append([
        toAuditRow({ type: "csrf_refused", time: 1, reason: "", client: { userAgent } }),
      ]);
      const [entry] = await readAll();
      expect(entry?.userAgent).toBe("a\uFFFDb'\"\\\u001b[31m\uFFFD☃");
    });

    it("find entries by user, session, type and time, also combined", async () => {
      const { audit } = scene.store;
      await audit.append([refusal(1), refusal(2, "2", "t"), refusal(3, "1", "u")]);
      await audit.append([keyChange(4)]);
      const times = async (query: object) => (await readAll(query)).map(({ time }) => time);
      expect(await times({ userId: "1" })).toEqual([1, 3]);
      expect(await times({ sessionId: "t" })).toEqual([2]);
      expect(await times({ type: "key_changed" })).toEqual([4]);
      expect(await times({ since: 3 })).toEqual([3, 4]);
      expect(await times({ userId: "1", since: 2, type: "csrf_refused" })).toEqual([3]);
      expect(await times({ userId: "1' OR '1'='1" })).toEqual([]);
    });

    it("return the newest entries to a new reader, and every later entry once after its cursor", async () => {
      const { audit } = scene.store;
      await audit.append([1, 2, 3].map((time) => refusal(time)));
      const first = await audit.read({ after: null, limit: 2 });
      expect(first.entries.map(({ time }) => time)).toEqual([2, 3]);
      expect(first.more).toBe(false);
      await audit.append([4, 5, 6, 7, 8].map((time) => refusal(time, time === 6 ? "2" : "1")));
      const seen: AuditEntry[] = [];
      let { cursor } = first;
      for (let more = true; more; ) {
        const page = await audit.read({ after: cursor, limit: 2, userId: "1" });
        seen.push(...page.entries);
        ({ cursor, more } = page);
      }
      expect(seen.map(({ time }) => time)).toEqual([4, 5, 7, 8]);
      expect((await audit.read({ after: cursor, limit: 2 })).entries).toEqual([]);
    });

    it("continue from the end of an empty log", async () => {
      const { audit } = scene.store;
      const { cursor, entries } = await audit.read({ after: null, limit: 5 });
      expect(entries).toEqual([]);
      await audit.append([refusal(1)]);
      expect((await audit.read({ after: cursor, limit: 5 })).entries).toHaveLength(1);
    });
  });

  describe("a change with an audit", () => {
    const none = { sessions: 0, revocations: [] };
    const keep = { sessionId: "s", userEpoch: 0, nextHash: toHash(9), idleLifetime: 100 };
    const addAliceWithSession = async () => {
      const { store } = scene;
      const userId = await addUser(store, "alice");
      await addSession(store, "s", userId);
      return userId;
    };

    it("writes one record from its own result", async () => {
      const { store, now } = scene;
      const { users, sessions, feed } = store;
      const created = await users.create(newUser("alice"), audit);
      const userId = created.outcome === "created" ? created.user.id : "";
      const session = await sessions.create(newSession("s", userId), audit);
      const changed = await users.changePassword(userId, "hash-2", keep, audit);
      const revoked = await sessions.revoke("s", "logout", { audit });
      const all = [
        await users.disable(userId, audit),
        await users.enable(userId, audit),
        await users.setPassword(userId, "hash-3", audit),
        await sessions.revokeForUser(userId, "logout", { audit }),
        await sessions.revokeForUser(userId, "logout", { except: "s", audit }),
        await sessions.revokeAll("revoked", audit),
        await feed.revokeToken("jti", audit),
        await users.delete(userId, audit),
      ];
      const { session: _, now: __, ...passwordChange } = changed ?? { session: null, now: 0 };
      const results = [created.outcome === "created" && created.user, session, passwordChange, revoked, ...all];
      expect(await reasons()).toEqual(results.map(toReason));
      expect(all[1]).toEqual({ now });
    });

    it("writes one record of a decision, whether or not it revoked", async () => {
      await addAliceWithSession();
      const { sessions } = scene.store;
      const kept = await sessions.decide("s", () => ({ result: 1 }), audit);
      expect(kept).toEqual({ result: 1, ...none });
      const revoked = await sessions.decide("s", () => ({ result: 2, revoke: "reuse" }), audit);
      expect(revoked).toMatchObject({ result: 2, sessions: 1 });
      expect(revoked.revocations).toHaveLength(1);
      expect(await reasons()).toEqual([toReason(kept), toReason(revoked)]);
    });

    it("writes nothing if there is no such user or session, or the name is taken", async () => {
      const { users, sessions } = scene.store;
      await addUser(scene.store, "alice");
      await users.create(newUser("ALICE"), audit);
      await users.disable("9", audit);
      await users.enable("9", audit);
      await users.setPassword("9", "hash", audit);
      await users.changePassword("1", "hash", keep, audit);
      await users.delete("9", audit);
      await sessions.create(newSession("s", "9"), audit);
      expect(await readAll()).toEqual([]);
    });

    it("is rolled back if its record fails", async () => {
      const userId = await addAliceWithSession();
      const { users, sessions, feed } = scene.store;
      const attempts = [
        () => users.create(newUser("bob"), fails),
        () => users.disable(userId, fails),
        () => users.enable(userId, fails),
        () => users.setPassword(userId, "hash-2", fails),
        () => users.changePassword(userId, "hash-2", keep, fails),
        () => users.delete(userId, fails),
        () => sessions.create(newSession("t", userId), fails),
        () => sessions.decide("s", () => ({ result: 1, revoke: "reuse" }), fails),
        () => sessions.revoke("s", "logout", { audit: fails }),
        () => sessions.revokeForUser(userId, "logout", { audit: fails }),
        () => sessions.revokeAll("logout", fails),
        () => feed.revokeToken("jti", fails),
      ];
      for (const attempt of attempts) await expect(attempt()).rejects.toThrow("no such record");
      expect(await readAll()).toEqual([]);
      expect((await feed.read({ after: null, horizon: 60 })).revocations).toEqual([]);
      expect((await users.list({ limit: 9 })).map(({ epoch }) => epoch)).toEqual([0]);
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
        reason: null,
        details: { outcome: "rotated", generation: 0 },
      });
    });
  });

  describe("the isNewDevice of a login", () => {
    const isNew = async (id: string, userId: string, userAgent: string | null, kept = false) => {
      const client = { userAgent: userAgent ?? undefined };
      const row = toAuditRow({ type: "login", time: 1, userId, sessionId: id, client });
      const login: AuditOf<unknown> = () => [{ row: kept ? row : null, delivery: null }];
      const created = await scene.store.sessions.create(newSession(id, userId, { userAgent }), login);
      return created.outcome === "created" && created.isNewDevice;
    };

    it("is true if no unrevoked session of the user has the user agent", async () => {
      const { store } = scene;
      const [alice, bob] = [await addUser(store, "alice"), await addUser(store, "bob")];
      expect(await isNew("a", alice, "Firefox")).toBe(true);
      expect(await isNew("b", alice, "Firefox")).toBe(false);
      expect(await isNew("c", alice, "Opera")).toBe(true);
      expect(await isNew("d", bob, "Firefox")).toBe(true);
      await store.sessions.revoke("c", "logout");
      expect(await isNew("e", alice, "Opera")).toBe(true);
    });

    it("is false if the audit log has a login with the user agent", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      expect(await isNew("a", alice, "Firefox".repeat(500), true)).toBe(true);
      await store.sessions.revokeForUser(alice, "logout");
      const { epoch = 0 } = (await store.users.findById(alice)) ?? {};
      const again = newSession("b", alice, { userAgent: "Firefox".repeat(500), userEpoch: epoch });
      expect(await store.sessions.create(again)).toMatchObject({ isNewDevice: false });
    });

    it("is false for a login without a user agent", async () => {
      expect(await isNew("a", await addUser(scene.store, "alice"), null)).toBe(false);
    });
  });

  describe("deleteExpired with an auditHorizon", () => {
    it("deletes audit entries older than it, at most `limit` per call, and none without it", async () => {
      const { store, now } = scene;
      await store.audit.append([300, 200, 101, 100, 0].map((age) => refusal(now - age)));
      const options = { limit: 2, horizon: 60, auditHorizon: 100 };
      expect(await store.deleteExpired({ limit: 2, horizon: 60 })).toMatchObject({ auditEntries: 0 });
      expect(await store.deleteExpired(options)).toMatchObject({ auditEntries: 2 });
      expect(await store.deleteExpired(options)).toMatchObject({ auditEntries: 1 });
      expect((await readAll()).map(({ time }) => now - time)).toEqual([100, 0]);
      scene.now += 1;
      expect(await store.deleteExpired({ ...options, limit: 9, auditHorizon: 0 })).toMatchObject({ auditEntries: 2 });
    });
  });
}
