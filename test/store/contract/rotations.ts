import { describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Session } from "../../../src/core/session.ts";
import type { Rotation } from "../../../src/core/store/sessions.ts";
import { addSession, addUser, rotationOf, toHash } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store rotates sessions. */
export function describeRotationContract(scene: Scene): void {
  const find = async (id: string): Promise<Session | undefined> => (await scene.store.sessions.find(id))?.session;

  describe("sessions.rotate", () => {
    it("moves to the next generation and keeps the previous hash and the salt", async () => {
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

    it("keeps the client's address and user agent if none are given, and clears the idempotency hash", async () => {
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user);
      await scene.store.sessions.rotate(rotationOf("s", 0, { idempotencyHash: toHash(9) }));
      const rotated = await scene.store.sessions.rotate(rotationOf("s", 1));
      expect(rotated?.session).toMatchObject({ userAgent: "Firefox", ip: "192.0.2.1", idempotencyHash: null });
      expect(await find("s")).toStrictEqual(rotated?.session);
    });

    it("never moves the idle expiry past the absolute expiry", async () => {
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user, { absoluteLifetime: 120 });
      scene.now += 90;
      const rotated = await scene.store.sessions.rotate(rotationOf("s", 0));
      expect(rotated?.session.idleExpiresAt).toBe(scene.now + 30);
      scene.now += 30;
      expect(await scene.store.sessions.rotate(rotationOf("s", 1))).toBeNull();
    });

    it("succeeds for exactly one of many rotations of one generation at once", async () => {
      const user = await addUser(scene.store, "alice");
      await addSession(scene.store, "s", user);
      const attempt = (_: unknown, i: number) =>
        scene.store.sessions.rotate(rotationOf("s", 0, { nextHash: toHash(100 + i) }));
      const answers = await Promise.all(Array.from({ length: 20 }, attempt));
      const winners = answers.filter((answer) => answer !== null);
      expect(winners).toHaveLength(1);
      expect(await find("s")).toStrictEqual(winners[0]?.session);
    });

    it("applies to each of many sessions its own rotation if they rotate at once", async () => {
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

    it("returns null only for those of many concurrent rotations that don't match", async () => {
      const { sessions, users } = scene.store;
      const [alice, bob] = [await addUser(scene.store, "alice"), await addUser(scene.store, "bob")];
      for (let i = 0; i < 20; i++) await addSession(scene.store, `s${i}`, i % 4 === 3 ? bob : alice);
      for (let i = 1; i < 20; i += 4) await sessions.revoke(`s${i}`, "logout");
      await users.disable(bob);
      const wrong = [{ userId: bob }, { userEpoch: 1 }, { presentedHash: toHash(9) }];
      const rotations = Array.from({ length: 24 }, (_, i) => rotationOf(`s${i}`, 0, i % 4 === 2 ? wrong[i % 3] : {}));
      const answers = await Promise.all(rotations.map((rotation) => sessions.rotate(rotation)));
      const winners = answers.flatMap((answer, i) => (answer === null ? [] : [i]));
      expect(winners).toEqual([0, 4, 8, 12, 16]);
    });

    it("succeeds once per session if many sessions rotate several times at once", async () => {
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

    it("answers every rotation that is running when the store is closed", async () => {
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
      ["another user", { userId: "2" }, () => addUser(scene.store, "bob")],
      ["a user who does not exist", { userId: "" }],
      ["a later epoch", { userEpoch: 1 }],
      ["a revoked session", {}, () => scene.store.sessions.revoke("s", "logout")],
      ["a disabled user", {}, () => scene.store.users.disable("1")],
      ["a user enabled again", {}, () => scene.store.users.disable("1").then(() => scene.store.users.enable("1"))],
      ["a deleted user", {}, () => scene.store.users.delete("1")],
      ["a raised epoch", {}, () => scene.store.sessions.revokeForUser("1", "revoked")],
      ["an expired session", {}, expire],
    ];
    it.each(refusals)("returns null for %s and changes nothing", async (_, changes, before) => {
      await addSession(scene.store, "s", await addUser(scene.store, "alice"));
      await scene.store.sessions.rotate(rotationOf("s", 0));
      await before?.();
      const session = await find("s");
      expect(await scene.store.sessions.rotate(rotationOf("s", 1, changes))).toBeNull();
      expect(await find("s")).toStrictEqual(session);
    });
  });
}
