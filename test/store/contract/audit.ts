import { describe, expect, it } from "vitest";
import type { AuditEntry, AuditOf, AuditRow } from "../../../src/core/store/audit.ts";
import { toAuditRow } from "../../../src/events/audit-row.ts";
import type { AuthEvent } from "../../../src/events/events.ts";
import { addSession, addUser, newSession } from "./records.ts";
import type { Scene } from "./scene.ts";

const client = { ip: "192.0.2.7", userAgent: "Firefox", actor: "cli/root" };

/** Returns the row of a refused request. */
const refusal = (time: number, userId = "1", sessionId = "s"): AuditRow =>
  toAuditRow({ type: "csrf_refused", time, reason: "CSRF token missing.", userId, sessionId, client });

const keyChange = (time: number): AuditRow => toAuditRow({ type: "key_changed", time, change: "generated" });

/** Defines the tests of how every store appends to, reads and deletes the audit log. */
export function describeAuditContract(scene: Scene): void {
  const readAll = async (query: Partial<Parameters<typeof scene.store.audit.read>[0]> = {}) =>
    (await scene.store.audit.read({ after: null, limit: 100, ...query })).entries;

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
      const nothing = {
        userId: null,
        sessionId: null,
        ip: null,
        note: null,
        userAgent: null,
        actor: null,
        reason: null,
      };
      expect(await readAll()).toEqual([
        {
          id: expect.any(Number),
          type: "refresh",
          time: 1_000,
          userId: "1",
          sessionId: "s",
          ...client,
          note: null,
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

  describe("audit.erase", () => {
    it("erases addresses, user agents, notes and labels of a deleted user, and nothing of other users or of actors", async () => {
      const { store } = scene;
      const [alice, bob] = [await addUser(store, "alice"), await addUser(store, "bob")];
      await addSession(store, "a", alice, { ip: "192.0.2.1" });
      await addSession(store, "b", bob, { ip: "192.0.2.2" });
      await store.sessions.label("a", alice, "Alice's phone");
      const own = { ip: "192.0.2.7", userAgent: "Firefox" };
      const event = { type: "csrf_refused", time: 1, reason: "" } as const;
      await store.audit.append([
        toAuditRow({ ...event, userId: alice, client: own }),
        toAuditRow({ ...event, userId: alice, client: { ...client, note: "Alice called" } }),
        toAuditRow({ ...event, userId: bob, client: own }),
        toAuditRow({ ...event, client: own }),
      ]);
      await store.users.delete(alice);
      expect(await store.audit.erase(alice)).toEqual({ entries: 2, sessions: 1, now: scene.now });
      const shown = (await readAll()).map(({ ip, userAgent, actor, note }) => ({ ip, userAgent, actor, note }));
      const nothing = { ip: null, userAgent: null, actor: null, note: null };
      expect(shown).toEqual([nothing, { ...client, note: null }, { ...nothing, ...own }, { ...nothing, ...own }]);
      expect(await store.sessions.find("a")).toMatchObject({ session: { ip: null, userAgent: null, label: null } });
      expect(await store.sessions.find("b")).toMatchObject({ session: { ip: "192.0.2.2", userAgent: "Firefox" } });
      expect(await store.audit.erase(alice)).toMatchObject({ entries: 0, sessions: 0 });
    });

    it("changes nothing if the user exists", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await store.audit.append([refusal(1, alice)]);
      expect(await store.audit.erase(alice, () => [{ row: refusal(2), delivery: null }])).toBeNull();
      expect((await readAll()).map(({ ip }) => ip)).toEqual([client.ip]);
    });

    it("erases addresses and user agents from messages of the user that wait, but not an actor's", async () => {
      const body = (data: object) => JSON.stringify({ type: "reuse_detected", data });
      const own = { ip: "192.0.2.7", user_agent: "Firefox" };
      const bodies = [
        body({ user_id: "1", ...own }),
        body({ user_id: "1", ...own, actor: "x" }),
        body({ user_id: "2", ...own }),
      ];
      const audit: AuditOf<unknown> = () =>
        bodies.map((text, index) => ({ row: null, delivery: { id: `m${index}`, body: text, at: scene.now } }));
      await scene.store.feed.revokeToken("jti", { audit });
      await scene.store.audit.erase("1");
      const claimed = (await scene.store.outbox.claim({ limit: 9, lease: 60 })).toSorted((a, b) =>
        a.id < b.id ? -1 : 1,
      );
      expect(claimed.map((message) => JSON.parse(message.body).data)).toEqual([
        { user_id: "1" },
        { user_id: "1", ...own, actor: "x" },
        { user_id: "2", ...own },
      ]);
    });

    it("records the erasure in the same transaction", async () => {
      await scene.store.audit.append([refusal(1)]);
      await scene.store.audit.erase("1", ({ entries, now }) => [
        {
          row: { ...refusal(now, "1"), ip: null, actor: null, userAgent: null, details: `{"entries":${entries}}` },
          delivery: null,
        },
      ]);
      expect((await readAll()).at(-1)).toMatchObject({ time: scene.now, details: { entries: 0 } });
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
      await addSession(store, "first", alice, { userAgent: null });
      await addSession(store, "bob's first", bob, { userAgent: null });
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
      await addSession(store, "first", alice, { userAgent: null });
      expect(await isNew("a", alice, "Firefox".repeat(500), true)).toBe(true);
      await store.sessions.revokeForUser(alice, "logout");
      const { epoch = 0 } = (await store.users.findById(alice)) ?? {};
      const again = newSession("b", alice, { userAgent: "Firefox".repeat(500), userEpoch: epoch });
      expect(await store.sessions.create(again)).toMatchObject({ isNewDevice: false });
    });

    it("is false for a user's first login, and true for the next if only lastLoginAt tells of the first", async () => {
      const { store } = scene;
      const [alice, bob] = [await addUser(store, "alice"), await addUser(store, "bob")];
      expect(await isNew("a", alice, "Firefox")).toBe(false);
      await addSession(store, "b", bob, { updateLastLogin: true });
      await store.sessions.revoke("b", "logout");
      expect(await isNew("c", bob, "Firefox")).toBe(true);
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
