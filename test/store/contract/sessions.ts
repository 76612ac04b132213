import { describe, expect, it } from "vitest";
import type { Session } from "../../../src/core/session.ts";
import { addSession, addUser, isLive, newSession, rotationOf, toHash, useOf } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store creates sessions, decides about them and records their use. */
export function describeSessionContract(scene: Scene): void {
  const find = async (id: string): Promise<Session | undefined> => (await scene.store.sessions.find(id))?.session;

  describe("sessions.create", () => {
    it("returns the session exactly as it is stored", async () => {
      const user = await addUser(scene.store, "alice");
      const created = await addSession(scene.store, "s", user);
      expect(created).toMatchObject({ now: scene.now, globalEpoch: 0, revocations: [], limited: [] });
      expect(created.session).toStrictEqual({
        id: "s",
        userId: user,
        userEpoch: 0,
        generation: 0,
        currentHash: toHash(0),
        previousHash: null,
        salt: null,
        idempotencyHash: null,
        rotatedAt: null,
        createdAt: scene.now,
        authenticatedAt: scene.now,
        amr: null,
        actor: null,
        lastUsedAt: scene.now,
        idleExpiresAt: scene.now + 100,
        absoluteExpiresAt: scene.now + 1_000,
        accessUntil: scene.now + 60,
        leastEpoch: null,
        changeHash: null,
        revokedAt: null,
        revokeReason: null,
        persistent: true,
        userAgent: "Firefox",
        ip: "192.0.2.1",
        label: null,
      });
      expect(await find("s")).toStrictEqual(created.session);
    });

    it("never sets the idle expiry after the absolute expiry", async () => {
      const user = await addUser(scene.store, "alice");
      const { session } = await addSession(scene.store, "s", user, { idleLifetime: 100, absoluteLifetime: 40 });
      expect(session.idleExpiresAt).toBe(session.absoluteExpiresAt);
    });

    it("is refused and changes nothing if the user is gone, is inactive or has another epoch", async () => {
      const { users, sessions } = scene.store;
      const alice = await addUser(scene.store, "alice");
      await addSession(scene.store, "earlier", alice);
      const attempt = (userId: string, userEpoch: number) =>
        sessions.create(
          newSession("s", userId, {
            userEpoch,
            replaces: { sessionId: "earlier", userId: alice },
            updateLastLogin: true,
          }),
        );

      expect(await attempt("9", 0)).toEqual({ outcome: "refused", reason: "user_gone" });
      expect(await attempt(alice, 1)).toEqual({ outcome: "refused", reason: "user_epoch_changed" });
      expect(await isLive(scene.store, "earlier")).toBe(true);
      await users.disable(alice);
      expect(await attempt(alice, 1)).toEqual({ outcome: "refused", reason: "user_inactive" });
      expect(await find("s")).toBeUndefined();
      expect(await users.findById(alice)).toMatchObject({ lastLoginAt: null });
    });

    it("sets the user's last login only if asked to", async () => {
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user);
      expect(await scene.store.users.findById(user)).toMatchObject({ lastLoginAt: null });
      await addSession(scene.store, "t", user, { updateLastLogin: true });
      expect(await scene.store.users.findById(user)).toMatchObject({ lastLoginAt: scene.now });
    });

    it("revokes the live session that it replaces, even another user's", async () => {
      const alice = await addUser(scene.store, "alice");
      const bob = await addUser(scene.store, "bob");
      await addSession(scene.store, "first", alice);
      const replaces = { sessionId: "first", userId: alice };
      const second = await addSession(scene.store, "second", bob, { replaces });
      expect(second.revocations).toMatchObject([
        { kind: "session", sessionId: "first", at: scene.now, reason: "replaced" },
      ]);
      expect(await find("first")).toMatchObject({ revokedAt: scene.now, revokeReason: "replaced" });
      const third = await addSession(scene.store, "third", bob, { replaces });
      expect(third.revocations).toEqual([]);
    });

    it("leaves a session that it should replace, but that is another user's than the one named", async () => {
      const alice = await addUser(scene.store, "alice");
      const bob = await addUser(scene.store, "bob");
      await addSession(scene.store, "first", alice);
      const second = await addSession(scene.store, "second", bob, { replaces: { sessionId: "first", userId: bob } });
      expect(second.revocations).toEqual([]);
      expect(await isLive(scene.store, "first")).toBe(true);
    });

    it("leaves no live session if it races a disable", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const attempts = Array.from({ length: 20 }, (_, i) => store.sessions.create(newSession(`s${i}`, alice)));
      await Promise.all([...attempts.slice(0, 10), store.users.disable(alice), ...attempts.slice(10)]);
      expect((await store.sessions.list({ limit: 100 })).sessions).toEqual([]);
    });
  });

  describe("sessions.decide", () => {
    it("passes the session, its user and the time to the decision and returns its result", async () => {
      const user = await addUser(scene.store, "alice");
      const { session } = await addSession(scene.store, "s", user);
      const decided = await scene.store.sessions.decide("s", (locked) => ({ result: locked }));
      expect(decided).toStrictEqual({
        result: { session, user: { isActive: true, epoch: 0, epochReason: null }, now: scene.now, globalEpoch: 0 },
        sessions: 0,
        revocations: [],
      });
      expect(await scene.store.sessions.decide("t", (locked) => ({ result: locked }))).toMatchObject({ result: null });
    });

    it("revokes a live session once if the verdict says so", async () => {
      const { sessions } = scene.store;
      await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      const detectReuse = () => sessions.decide("s", () => ({ result: "reuse", revoke: "reuse" as const }));
      expect(await detectReuse()).toMatchObject({
        result: "reuse",
        sessions: 1,
        revocations: [{ kind: "session", sessionId: "s", at: scene.now, reason: "reuse" }],
      });
      expect(await find("s")).toMatchObject({ revokedAt: scene.now, revokeReason: "reuse" });
      expect(await detectReuse()).toStrictEqual({ result: "reuse", sessions: 0, revocations: [] });
      const nowhere = await sessions.decide("t", () => ({ result: "reuse", revoke: "reuse" as const }));
      expect(nowhere).toEqual({ result: "reuse", sessions: 0, revocations: [] });
    });

    it("changes nothing and keeps working if the decision throws", async () => {
      await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      const failure = new Error("undecided");
      const decided = scene.store.sessions.decide("s", () => {
        throw failure;
      });
      await expect(decided).rejects.toBe(failure);
      expect(await scene.store.sessions.rotate(rotationOf("s", 0))).not.toBeNull();
    });
  });

  describe("sessions.touch", () => {
    it("records the use of the current generation without moving the expiry", async () => {
      const { session } = await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      scene.now += 30;
      const use = { ...useOf("s"), userAgent: "Chrome" };
      const touched = await scene.store.sessions.touch(use);
      expect(touched).toStrictEqual({
        session: { ...session, lastUsedAt: scene.now, userAgent: "Chrome", accessUntil: scene.now + 60 },
        now: scene.now,
        globalEpoch: 0,
      });
      expect(await find("s")).toStrictEqual(touched?.session);
    });

    it("records that a refresh token of the same generation was issued, and nothing else", async () => {
      const { session } = await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      scene.now += 30;
      const touched = await scene.store.sessions.touch(useOf("s", { issuesRefreshToken: true }));
      const accessUntil = (session.accessUntil ?? 0) + 30;
      const expected = { ...session, lastUsedAt: scene.now, rotatedAt: scene.now, accessUntil };
      expect(touched).toStrictEqual({ session: expected, now: scene.now, globalEpoch: 0 });
      expect(await find("s")).toStrictEqual(expected);
      scene.now += 30;
      expect((await scene.store.sessions.touch(useOf("s")))?.session.rotatedAt).toBe(scene.now - 30);
      const rotated = await scene.store.sessions.rotate(rotationOf("s", 0));
      expect(rotated?.session).toMatchObject({ generation: 1, rotatedAt: scene.now });
    });

    it("returns null for another generation, hash, user or session, a later epoch, or a disabled user", async () => {
      const { sessions, users } = scene.store;
      await addUser(scene.store, "bob");
      const { session } = await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      const use = useOf("s", { userId: session.userId });
      expect(await sessions.touch({ ...use, generation: 1 })).toBeNull();
      expect(await sessions.touch({ ...use, presentedHash: toHash(1) })).toBeNull();
      expect(await sessions.touch({ ...use, sessionId: "t" })).toBeNull();
      expect(await sessions.touch({ ...use, userId: "1" })).toBeNull();
      expect(await sessions.touch({ ...use, userEpoch: 1 })).toBeNull();
      expect(await sessions.touch(use)).not.toBeNull();
      await users.disable(session.userId);
      expect(await sessions.touch(use)).toBeNull();
    });
  });
}
