import { describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Session } from "../../../src/core/session.ts";
import type { Rotation } from "../../../src/core/store/sessions.ts";
import { addSession, addUser, isAlive, newSession, rotationOf, toHash } from "./records.ts";
import type { Scene } from "./store.ts";

/** How every store makes sessions and moves them on. */
export function describeSessionContract(scene: Scene): void {
  const find = async (id: string): Promise<Session | undefined> => (await scene.store.sessions.find(id))?.session;

  describe("sessions.create", () => {
    it("returns the session as it stands in the row", async () => {
      const user = await addUser(scene.store, "alice");
      const created = await addSession(scene.store, "s", user);
      expect(created).toMatchObject({ now: scene.now, revocations: [] });
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
        lastUsedAt: scene.now,
        idleExpiresAt: scene.now + 100,
        absoluteExpiresAt: scene.now + 1_000,
        revokedAt: null,
        revokeReason: null,
        persistent: true,
        userAgent: "Firefox",
        ip: "192.0.2.1",
        label: null,
      });
      expect(await find("s")).toStrictEqual(created.session);
    });

    it("never lets the idle time pass the absolute time", async () => {
      const user = await addUser(scene.store, "alice");
      const { session } = await addSession(scene.store, "s", user, { idleLifetime: 100, absoluteLifetime: 40 });
      expect(session.idleExpiresAt).toBe(session.absoluteExpiresAt);
    });

    it("is refused where the user is gone, inactive, or has another epoch, and then changes nothing", async () => {
      const { users, sessions } = scene.store;
      const alice = await addUser(scene.store, "alice");
      await addSession(scene.store, "earlier", alice);
      const attempt = (userId: string, userEpoch: number) =>
        sessions.create(newSession("s", userId, { userEpoch, replaces: "earlier", updateLastLogin: true }));

      expect(await attempt("9", 0)).toEqual({ outcome: "refused", reason: "user_gone" });
      expect(await attempt(alice, 1)).toEqual({ outcome: "refused", reason: "user_epoch_changed" });
      expect(await isAlive(scene.store, "earlier")).toBe(true);
      await users.disable(alice);
      expect(await attempt(alice, 1)).toEqual({ outcome: "refused", reason: "user_inactive" });
      expect(await find("s")).toBeUndefined();
      expect(await users.findById(alice)).toMatchObject({ lastLoginAt: null });
    });

    it("notes the login on the user where it is asked to", async () => {
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user);
      expect(await scene.store.users.findById(user)).toMatchObject({ lastLoginAt: null });
      await addSession(scene.store, "t", user, { updateLastLogin: true });
      expect(await scene.store.users.findById(user)).toMatchObject({ lastLoginAt: scene.now });
    });

    it("ends the session that it replaces, whosever it was, where that is live", async () => {
      const alice = await addUser(scene.store, "alice");
      const bob = await addUser(scene.store, "bob");
      await addSession(scene.store, "first", alice);
      const second = await addSession(scene.store, "second", bob, { replaces: "first" });
      expect(second.revocations).toStrictEqual([{ kind: "session", sessionId: "first", at: scene.now }]);
      expect(await find("first")).toMatchObject({ revokedAt: scene.now, revokeReason: "replaced" });
      const third = await addSession(scene.store, "third", bob, { replaces: "first" });
      expect(third.revocations).toEqual([]);
    });

    it("that races a disable is refused or ended by it", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const attempts = Array.from({ length: 20 }, (_, i) => store.sessions.create(newSession(`s${i}`, alice)));
      await Promise.all([...attempts.slice(0, 10), store.users.disable(alice), ...attempts.slice(10)]);
      expect((await store.sessions.list({ limit: 100 })).sessions).toEqual([]);
    });
  });

  describe("sessions.rotate", () => {
    it("moves to the next generation and remembers the one before", async () => {
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user);
      scene.now += 30;
      const rotation = rotationOf("s", 0, { idempotencyHash: toHash(9), userAgent: "Chrome", ip: "192.0.2.2" });
      const rotated = await scene.store.sessions.rotate(rotation);
      expect(rotated?.now).toBe(scene.now);
      expect(rotated?.session).toMatchObject({
        generation: 1,
        currentHash: toHash(1),
        previousHash: toHash(0),
        salt: rotation.salt,
        idempotencyHash: toHash(9),
        rotatedAt: scene.now,
        lastUsedAt: scene.now,
        createdAt: scene.now - 30,
        idleExpiresAt: scene.now + 100,
        absoluteExpiresAt: scene.now + 970,
        userAgent: "Chrome",
        ip: "192.0.2.2",
      });
      expect(await find("s")).toStrictEqual(rotated?.session);
    });

    it("keeps what is known of the browser where nothing is given, and forgets the last attempt", async () => {
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user);
      await scene.store.sessions.rotate(rotationOf("s", 0, { idempotencyHash: toHash(9) }));
      const rotated = await scene.store.sessions.rotate(rotationOf("s", 1));
      expect(rotated?.session).toMatchObject({ userAgent: "Firefox", ip: "192.0.2.1", idempotencyHash: null });
    });

    it("never slides past the absolute time, and stops there", async () => {
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user, { absoluteLifetime: 120 });
      scene.now += 90;
      const rotated = await scene.store.sessions.rotate(rotationOf("s", 0));
      expect(rotated?.session.idleExpiresAt).toBe(scene.now + 30);
      scene.now += 30;
      expect(await scene.store.sessions.rotate(rotationOf("s", 1))).toBeNull();
    });

    it("lets exactly one of many that present one generation at once win", async () => {
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user);
      const attempt = (_: unknown, i: number) =>
        scene.store.sessions.rotate(rotationOf("s", 0, { nextHash: toHash(100 + i) }));
      const answers = await Promise.all(Array.from({ length: 20 }, attempt));
      const winners = answers.filter((answer) => answer !== null);
      expect(winners).toHaveLength(1);
      expect(await find("s")).toStrictEqual(winners[0]?.session);
    });

    it("moves each of many sessions at once by its own rotation", async () => {
      const { sessions } = scene.store;
      const user = await addUser(scene.store, "alice");
      const ids = Array.from({ length: 50 }, (_, i) => `s${i}`);
      for (const id of ids) await addSession(scene.store, id, user, { ip: id });
      const rotations = ids.map((id, i) =>
        rotationOf(id, 0, {
          nextHash: toHash(100 + i),
          salt: new Uint8Array(16).fill(i),
          idempotencyHash: i % 3 === 0 ? null : toHash(200 + i),
          idleLifetime: 50 + i,
          userAgent: i % 2 === 0 ? null : `"{\\${i}}", a browser`,
        }),
      );
      const answers = await Promise.all(rotations.map((rotation) => sessions.rotate(rotation)));
      for (const [i, rotation] of rotations.entries()) {
        expect(answers[i]).toMatchObject({
          now: scene.now,
          session: {
            id: `s${i}`,
            generation: 1,
            currentHash: rotation.nextHash,
            previousHash: toHash(0),
            salt: rotation.salt,
            idempotencyHash: rotation.idempotencyHash,
            idleExpiresAt: scene.now + rotation.idleLifetime,
            userAgent: rotation.userAgent ?? "Firefox",
            ip: `s${i}`,
          },
        });
        expect(await find(`s${i}`)).toStrictEqual(answers[i]?.session);
      }
    });

    it("answers null to those of many at once that do not match, and to no others", async () => {
      const { sessions, users } = scene.store;
      const [alice, bob] = [await addUser(scene.store, "alice"), await addUser(scene.store, "bob")];
      for (let i = 0; i < 20; i++) await addSession(scene.store, `s${i}`, i % 4 === 3 ? bob : alice);
      for (let i = 1; i < 20; i += 4) await sessions.revoke(`s${i}`, "logout");
      await users.disable(bob);
      const rotations = Array.from({ length: 24 }, (_, i) =>
        rotationOf(`s${i}`, 0, i % 4 === 2 ? { presentedHash: toHash(9) } : {}),
      );
      const answers = await Promise.all(rotations.map((rotation) => sessions.rotate(rotation)));
      const winners = answers.flatMap((answer, i) => (answer === null ? [] : [i]));
      expect(winners).toEqual([0, 4, 8, 12, 16]);
    });

    it("lets one for each session win where each of many is presented several times at once", async () => {
      const user = await addUser(scene.store, "alice");
      const ids = Array.from({ length: 20 }, (_, i) => `s${i}`);
      for (const id of ids) await addSession(scene.store, id, user);
      const attempts = [1, 2, 3, 4].flatMap((device) => ids.map((id) => ({ id, nextHash: toHash(device) })));
      const answers = await Promise.all(
        attempts.map(({ id, nextHash }) => scene.store.sessions.rotate(rotationOf(id, 0, { nextHash }))),
      );
      const winners = answers.filter((answer) => answer !== null).map(({ session }) => session);
      expect(winners.map(({ id }) => id).sort()).toEqual(ids.sort());
      for (const winner of winners) expect(await find(winner.id)).toStrictEqual(winner);
    });

    it("refuses as unavailable what a close of the store leaves undone, and leaves nobody without an answer", async () => {
      const user = await addUser(scene.store, "alice");
      const ids = Array.from({ length: 50 }, (_, i) => `s${i}`);
      for (const id of ids) await addSession(scene.store, id, user);
      const rotations = ids.map((id) => scene.store.sessions.rotate(rotationOf(id, 0)));
      await scene.store.close();
      for (const answer of await Promise.allSettled(rotations)) {
        if (answer.status === "rejected") expect(answer.reason).toBeInstanceOf(StoreUnavailableError);
        else expect(answer.value).toMatchObject({ session: { generation: 1 } });
      }
    });

    const expire = async () => {
      scene.now += 100;
    };
    const refusals: readonly [string, Partial<Rotation>, (() => Promise<unknown>)?][] = [
      ["no such session", { sessionId: "t" }],
      ["the generation before", { generation: 0, presentedHash: toHash(0) }],
      ["a generation to come", { generation: 2 }],
      ["another hash", { presentedHash: toHash(0) }],
      ["a revoked session", {}, () => scene.store.sessions.revoke("s", "logout")],
      ["a disabled user", {}, () => scene.store.users.disable("1")],
      ["a user enabled again", {}, () => scene.store.users.disable("1").then(() => scene.store.users.enable("1"))],
      ["a deleted user", {}, () => scene.store.users.delete("1")],
      ["a raised epoch", {}, () => scene.store.sessions.revokeForUser("1", "revoked")],
      ["an expired session", {}, expire],
    ];
    it.each(refusals)("answers null to %s and changes nothing", async (_, changes, before) => {
      await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      await scene.store.sessions.rotate(rotationOf("s", 0));
      await before?.();
      const session = await find("s");
      expect(await scene.store.sessions.rotate(rotationOf("s", 1, changes))).toBeNull();
      expect(await find("s")).toStrictEqual(session);
    });
  });

  describe("sessions.decide", () => {
    it("shows the session with its user and the time, and returns what was decided", async () => {
      const user = await addUser(scene.store, "alice");
      const { session } = await addSession(scene.store, "s", user);
      const decided = await scene.store.sessions.decide("s", (locked) => ({ result: locked }));
      expect(decided).toStrictEqual({
        result: { session, user: { isActive: true, epoch: 0 }, now: scene.now },
        sessions: 0,
        revocations: [],
      });
      expect(await scene.store.sessions.decide("t", (locked) => ({ result: locked }))).toMatchObject({ result: null });
    });

    it("revokes where the verdict says so, once, and only what is live", async () => {
      const { sessions } = scene.store;
      await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      const detectReuse = () => sessions.decide("s", () => ({ result: "reuse", revoke: "reuse" as const }));
      expect(await detectReuse()).toStrictEqual({
        result: "reuse",
        sessions: 1,
        revocations: [{ kind: "session", sessionId: "s", at: scene.now }],
      });
      expect(await find("s")).toMatchObject({ revokedAt: scene.now, revokeReason: "reuse" });
      expect(await detectReuse()).toStrictEqual({ result: "reuse", sessions: 0, revocations: [] });
      const nowhere = await sessions.decide("t", () => ({ result: "reuse", revoke: "reuse" as const }));
      expect(nowhere).toEqual({ result: "reuse", sessions: 0, revocations: [] });
    });

    it("changes nothing where the decision throws, and the store works on", async () => {
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
    it("notes the use of the current generation, and slides nothing", async () => {
      const { session } = await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      scene.now += 30;
      const use = { sessionId: "s", generation: 0, presentedHash: toHash(0), userAgent: "Chrome", ip: null };
      const touched = await scene.store.sessions.touch(use);
      expect(touched).toStrictEqual({
        session: { ...session, lastUsedAt: scene.now, userAgent: "Chrome" },
        now: scene.now,
      });
      expect(await find("s")).toStrictEqual(touched?.session);
    });

    it("answers null to another generation or hash, and to what is dead", async () => {
      const { sessions, users } = scene.store;
      await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      const use = { sessionId: "s", generation: 0, presentedHash: toHash(0), userAgent: null, ip: null };
      expect(await sessions.touch({ ...use, generation: 1 })).toBeNull();
      expect(await sessions.touch({ ...use, presentedHash: toHash(1) })).toBeNull();
      expect(await sessions.touch({ ...use, sessionId: "t" })).toBeNull();
      await users.disable("1");
      expect(await sessions.touch(use)).toBeNull();
    });
  });
}
