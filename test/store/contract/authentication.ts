import { describe, expect, it } from "vitest";
import type { Session } from "../../../src/core/session.ts";
import type { NewSession, Reauthentication, SessionAt } from "../../../src/core/store/sessions.ts";
import { addSession, addUser, keeping, rotationOf, toHash, useOf } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store keeps when, how and by whom a session's user was authenticated. */
export function describeAuthenticationContract(scene: Scene): void {
  const find = async (id: string): Promise<Session | undefined> => (await scene.store.sessions.find(id))?.session;

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

    it("is never later than the session", async () => {
      const user = await addUser(scene.store, "alice");
      const { session } = await addSession(scene.store, "s", user, { authenticatedAt: scene.now + 60 });
      expect(session.authenticatedAt).toBe(session.createdAt);
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
        note: null,
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

  describe("sessions.reauthenticate", () => {
    const again = (sessionId: string, changes: Partial<Reauthentication> = {}): Reauthentication => ({
      sessionId,
      userId: "1",
      userEpoch: 0,
      amr: "otp",
      accessLifetime: 60,
      ...changes,
    });

    it("sets the time, adds the methods, and changes nothing else", async () => {
      const { sessions } = scene.store;
      const { session } = await addSession(scene.store, "s", await addUser(scene.store, "alice"), { amr: "pwd" });
      scene.now += 50;
      const confirmed = await sessions.reauthenticate(again("s", { accessLifetime: 90 }));
      expect(confirmed).toStrictEqual({
        session: { ...session, authenticatedAt: scene.now, amr: "pwd otp", accessUntil: scene.now + 90 },
        now: scene.now,
        globalEpoch: 0,
      });
      expect(await find("s")).toStrictEqual(confirmed?.session);
    });

    it("never lets access tokens outlive the session, or notes that they end earlier", async () => {
      const { sessions } = scene.store;
      await addSession(scene.store, "s", await addUser(scene.store, "alice"), { absoluteLifetime: 80 });
      const changed = async (accessLifetime: number) =>
        (await sessions.reauthenticate(again("s", { accessLifetime })))?.session.accessUntil;
      expect(await changed(90)).toBe(scene.now + 80);
      expect(await changed(10)).toBe(scene.now + 80);
    });

    it.each([
      [null, "otp", "otp"],
      ["pwd", "pwd", "pwd"],
      ["pwd otp", "pwd", "otp pwd"],
      ["pwd", "otp mfa", "pwd otp mfa"],
      ["a b c d e f g h", "i b", "c d e f g h i b"],
      ["a b c d e f g h", "1 2 3 4 5 6 7 8", "1 2 3 4 5 6 7 8"],
    ])("makes of %j and %j the methods %j, in the order of their last use", async (amr, added, expected) => {
      await addSession(scene.store, "s", await addUser(scene.store, "alice"), { amr });
      expect((await scene.store.sessions.reauthenticate(again("s", { amr: added })))?.session.amr).toBe(expected);
    });

    it("keeps every method of many calls at once", async () => {
      const { sessions } = scene.store;
      await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      const methods = ["a", "b", "c", "d", "e", "f", "g", "h"];
      await Promise.all(methods.map((amr) => sessions.reauthenticate(again("s", { amr }))));
      expect((await find("s"))?.amr?.split(" ").sort()).toEqual(methods);
    });

    it("calls audit with the change, and not if nothing changed", async () => {
      const { sessions, audit } = scene.store;
      await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      const record = ({ session, now }: SessionAt) => [
        { row: { ...row, time: now, sessionId: session.id, details: `{"amr":"${session.amr}"}` }, delivery: null },
      ];
      await sessions.reauthenticate(again("s"), record);
      await sessions.reauthenticate(again("t"), record);
      expect((await audit.read({ after: null, limit: 10 })).entries).toMatchObject([
        { type: "session_confirmed", sessionId: "s", details: { amr: "otp" } },
      ]);
    });

    const row = {
      type: "session_confirmed",
      userId: "1",
      ip: null,
      userAgent: null,
      actor: null,
      note: null,
      reason: null,
    };

    const refusals: readonly [string, Partial<Reauthentication>, (() => Promise<unknown>)?][] = [
      ["no such session", { sessionId: "t" }],
      ["another user", { userId: "2" }],
      ["another epoch", { userEpoch: 1 }],
      ["a session with an actor", { sessionId: "acting" }],
      ["a revoked session", {}, () => scene.store.sessions.revoke("s", "logout")],
      ["a disabled user", {}, () => scene.store.users.disable("1")],
      ["a user enabled again", {}, () => scene.store.users.disable("1").then(() => scene.store.users.enable("1"))],
      ["a deleted user", {}, () => scene.store.users.delete("1")],
      ["a raised epoch", {}, () => scene.store.sessions.revokeForUser("1", "revoked")],
      ["a raised global epoch", {}, () => scene.store.sessions.revokeAll("revoked")],
      ["a session that another one has logged out", { userEpoch: null }, () => revokeOthers()],
      ["a password that the session has changed", {}, () => scene.store.users.changePassword("1", "new", keeping("s"))],
      [
        "an expired session",
        {},
        async () => {
          scene.now += 100;
        },
      ],
    ];
    const revokeOthers = () => scene.store.sessions.revokeOthers({ sessionId: "other", userId: "1" }, "logout");
    it.each(refusals)("returns null for %s and changes nothing", async (_, changes, before) => {
      const user = await addUser(scene.store, "alice");
      await addUser(scene.store, "bob");
      for (const id of ["s", "other"]) await addSession(scene.store, id, user, { amr: "pwd" });
      await addSession(scene.store, "acting", user, { amr: "pwd", actor: "support/bob" });
      await before?.();
      const [session, acting] = [await find("s"), await find("acting")];
      expect(await scene.store.sessions.reauthenticate(again("s", changes))).toBeNull();
      expect([await find("s"), await find("acting")]).toStrictEqual([session, acting]);
    });

    it("matches whichever epoch the session has if none is given", async () => {
      const { sessions } = scene.store;
      await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      await sessions.revokeOthers({ sessionId: "s", userId: "1" }, "logout");
      expect(await sessions.reauthenticate(again("s", { userEpoch: null }))).toMatchObject({
        session: { userEpoch: 1 },
      });
    });
  });
}
