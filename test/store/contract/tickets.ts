import { describe, expect, it } from "vitest";
import type { CreatedSession, NewSession } from "../../../src/core/store/sessions.ts";
import type { NewTicket } from "../../../src/core/store/tickets.ts";
import { addSession, addUser, isLive, newSession, toHash } from "./records.ts";
import type { Scene } from "./scene.ts";

const hash = toHash(7);

/** Defines the tests of how every store keeps logins that wait for a second step. */
export function describeTicketContract(scene: Scene): void {
  const addTicket = (changes: Partial<NewTicket> = {}) =>
    scene.store.tickets.create({
      hash,
      userId: "1",
      userEpoch: 0,
      usernameKey: "alice",
      methods: ["otp", "passkey"],
      persistent: true,
      lifetime: 300,
      ...changes,
    });
  const sessionOf = (id: string, changes: Partial<NewSession> = {}) => newSession(id, "1", changes);
  const redeem = (id: string, changes: Partial<NewSession> = {}, of = hash) =>
    scene.store.tickets.redeem(sessionOf(id, changes), of);
  const countLive = async () => (await scene.store.sessions.list({ limit: 1_000 })).sessions.length;

  describe("tickets.create and tickets.find", () => {
    it("return a ticket exactly as it was given, with the time", async () => {
      await addTicket();
      expect(await scene.store.tickets.find(hash)).toStrictEqual({
        ticket: {
          userId: "1",
          userEpoch: 0,
          usernameKey: "alice",
          methods: ["otp", "passkey"],
          persistent: true,
          createdAt: scene.now,
          expiresAt: scene.now + 300,
          attempts: 0,
          sessionId: null,
        },
        now: scene.now,
      });
      expect(await scene.store.tickets.find(toHash(8))).toBeNull();
    });

    it("keep the tickets of one user apart", async () => {
      await addTicket();
      await addTicket({ hash: toHash(8), persistent: false, methods: ['a "quoted" text'] });
      expect(await scene.store.tickets.find(toHash(8))).toMatchObject({
        ticket: { persistent: false, methods: ['a "quoted" text'] },
      });
    });
  });

  describe("tickets.countAttempt", () => {
    it("counts up to the limit, also of many calls at once", async () => {
      const { tickets } = scene.store;
      await addTicket();
      const counted = await Promise.all(Array.from({ length: 64 }, () => tickets.countAttempt(hash, 5)));
      expect(counted.filter((isCounted) => isCounted)).toHaveLength(5);
      expect(await tickets.find(hash)).toMatchObject({ ticket: { attempts: 5 } });
      await tickets.undoAttempt(hash);
      expect([await tickets.countAttempt(hash, 5), await tickets.countAttempt(hash, 5)]).toEqual([true, false]);
    });

    it("never counts below zero", async () => {
      await addTicket();
      await scene.store.tickets.undoAttempt(hash);
      expect(await scene.store.tickets.find(hash)).toMatchObject({ ticket: { attempts: 0 } });
    });

    it("counts no attempt of a ticket that was used, has expired, or doesn't exist", async () => {
      const { tickets } = scene.store;
      await addUser(scene.store, "alice");
      await addTicket();
      await addTicket({ hash: toHash(8) });
      await redeem("s");
      expect(await tickets.countAttempt(hash, 5)).toBe(false);
      expect(await tickets.countAttempt(toHash(9), 5)).toBe(false);
      scene.now += 299;
      expect(await tickets.countAttempt(toHash(8), 5)).toBe(true);
      scene.now += 1;
      expect(await tickets.countAttempt(toHash(8), 5)).toBe(false);
    });
  });

  describe("tickets.redeem", () => {
    it("inserts the session, and notes it with the ticket", async () => {
      const user = await addUser(scene.store, "alice");
      await addTicket();
      const first = await addSession(scene.store, "first", user);
      const replaces = { sessionId: "first", userId: user };
      const changes = { amr: "pwd otp", replaces, updateLastLogin: true };
      const redeemed = await redeem("s", changes);
      expect(redeemed).toMatchObject({
        outcome: "created",
        now: scene.now,
        globalEpoch: 0,
        revocations: [{ kind: "session", sessionId: "first", reason: "replaced" }],
        session: { ...first.session, id: "s", amr: "pwd otp" },
      });
      expect((await scene.store.sessions.find("s"))?.session).toStrictEqual((redeemed as CreatedSession).session);
      expect(await scene.store.tickets.find(hash)).toMatchObject({ ticket: { sessionId: "s" } });
      expect(await scene.store.users.findById(user)).toMatchObject({ lastLoginAt: scene.now });
      expect(await isLive(scene.store, "first")).toBe(false);
    });

    it("succeeds for exactly one of 64 calls with one ticket at once", async () => {
      await addUser(scene.store, "alice");
      await addTicket();
      const ids = Array.from({ length: 64 }, (_, i) => `s${i}`);
      const outcomes = await Promise.all(ids.map((id) => redeem(id, { updateLastLogin: true })));
      const winners = ids.filter((_, i) => outcomes[i]?.outcome === "created");
      expect(winners).toHaveLength(1);
      expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(["created", "used"]));
      expect(await countLive()).toBe(1);
      expect(await scene.store.tickets.find(hash)).toMatchObject({ ticket: { sessionId: winners[0] } });
      expect(await redeem("late")).toEqual({ outcome: "used" });
    });

    it("succeeds once for each of many tickets at once", async () => {
      await addUser(scene.store, "alice");
      const hashes = Array.from({ length: 16 }, (_, i) => toHash(100 + i));
      for (const each of hashes) await addTicket({ hash: each });
      const attempts = hashes.flatMap((each, i) => [redeem(`a${i}`, {}, each), redeem(`b${i}`, {}, each)]);
      const outcomes = await Promise.all(attempts);
      expect(outcomes.filter(({ outcome }) => outcome === "created")).toHaveLength(16);
      expect(await countLive()).toBe(16);
    });

    const refusals: readonly [string, Partial<NewSession>, (() => Promise<unknown>)?][] = [
      ["another user's ticket", { userId: "2" }],
      [
        "a ticket that has expired",
        {},
        async () => {
          scene.now += 300;
        },
      ],
      ["a ticket of an earlier epoch", { userEpoch: 1 }, () => scene.store.sessions.revokeForUser("1", "revoked")],
      ["a ticket that was used", {}, () => redeem("first").then(() => scene.store.sessions.revoke("first", "logout"))],
    ];
    it.each(refusals)("is refused for %s, and changes nothing", async (_, changes, before) => {
      await addUser(scene.store, "alice");
      await addUser(scene.store, "bob");
      await addTicket();
      await before?.();
      const ticket = (await scene.store.tickets.find(hash))?.ticket;
      expect(await redeem("s", changes)).toEqual({ outcome: "used" });
      expect(await redeem("s", changes, toHash(8))).toEqual({ outcome: "used" });
      expect(await countLive()).toBe(0);
      expect((await scene.store.tickets.find(hash))?.ticket).toStrictEqual(ticket);
    });

    it("is refused if the user is gone, is inactive or has another epoch, and leaves the ticket as it is", async () => {
      const { users, sessions, tickets } = scene.store;
      await addUser(scene.store, "alice");
      await addTicket();
      await sessions.revokeForUser("1", "revoked");
      expect(await redeem("s")).toEqual({ outcome: "refused", reason: "user_epoch_changed" });
      await users.disable("1");
      expect(await redeem("s")).toEqual({ outcome: "refused", reason: "user_inactive" });
      await users.delete("1");
      expect(await redeem("s")).toEqual({ outcome: "refused", reason: "user_gone" });
      expect(await tickets.find(hash)).toMatchObject({ ticket: { sessionId: null } });
    });

    it("leaves no live session if it races a disable", async () => {
      const { users, tickets } = scene.store;
      await addUser(scene.store, "alice");
      const hashes = Array.from({ length: 20 }, (_, i) => toHash(100 + i));
      for (const each of hashes) await addTicket({ hash: each });
      const attempts = hashes.map((each, i) => tickets.redeem(sessionOf(`s${i}`), each));
      await Promise.all([...attempts.slice(0, 10), users.disable("1"), ...attempts.slice(10)]);
      expect(await countLive()).toBe(0);
    });

    it("calls audit with the new session, and not if it is refused", async () => {
      await addUser(scene.store, "alice");
      await addTicket();
      const audited: string[] = [];
      const audit = ({ session }: CreatedSession) => {
        audited.push(session.id);
        return [];
      };
      await scene.store.tickets.redeem(sessionOf("s"), hash, audit);
      await scene.store.tickets.redeem(sessionOf("t"), hash, audit);
      expect(audited).toEqual(["s"]);
    });
  });

  describe("deleteExpired", () => {
    it("deletes the tickets that have expired, used or not, at most as many as it may", async () => {
      const { store } = scene;
      await addUser(store, "alice");
      for (let i = 0; i < 3; i++) await addTicket({ hash: toHash(i), lifetime: 100 });
      await addTicket();
      await redeem("s", {}, toHash(0));
      scene.now += 100;
      expect((await store.deleteExpired({ limit: 2, horizon: 1_800 })).loginTickets).toBe(2);
      expect((await store.deleteExpired({ limit: 2, horizon: 1_800 })).loginTickets).toBe(1);
      expect(await store.tickets.find(toHash(0))).toBeNull();
      expect(await store.tickets.find(hash)).not.toBeNull();
    });
  });
}
