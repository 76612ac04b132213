import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Store } from "../../../src/core/store/index.ts";
import { describeAuditContract } from "./audit.ts";
import { describeFeedContract } from "./feed.ts";
import { describeOutboxContract } from "./outbox.ts";
import { addSession, addUser, isAlive, rotationOf } from "./records.ts";
import { describeSessionEndContract } from "./session-revocation.ts";
import { describeSessionContract } from "./sessions.ts";
import { describeThrottleContract } from "./throttle.ts";
import { describeUserImportContract } from "./user-import.ts";
import { describeUserContract } from "./users.ts";

/** Makes an empty store that has been migrated and whose time is `now`; `cleanup` closes it and removes its data. */
export type CreateStore = (options: {
  readonly now: () => number;
}) => Promise<{ readonly store: Store; readonly cleanup: () => Promise<void> }>;

/** What a test of the contract works with: the store, and its time, which the test moves. */
export interface Scene {
  store: Store;
  now: number;
}

/** The suite that every store must pass. */
export function describeStoreContract(name: string, createStore: CreateStore): void {
  describe(`${name}: the contract of every store`, () => {
    const scene = { now: 1_000_000 } as Scene;
    let cleanup: () => Promise<void>;

    beforeEach(async () => {
      scene.now = 1_000_000;
      ({ store: scene.store, cleanup } = await createStore({ now: () => scene.now }));
    });
    afterEach(() => cleanup());

    describeUserContract(scene);
    describeUserImportContract(scene);
    describeSessionContract(scene);
    describeSessionEndContract(scene);
    describeFeedContract(scene);
    describeThrottleContract(scene);
    describeAuditContract(scene);
    describeOutboxContract(scene);

    describe("schema", () => {
      it("is up to date after migrate, and then has nothing to apply", async () => {
        await scene.store.checkSchema();
        expect(await scene.store.migrate()).toEqual([]);
      });
    });

    describe("deleteExpired", () => {
      it("deletes sessions whose idle or absolute time is over, and no others", async () => {
        const { store } = scene;
        const user = await addUser(store, "alice");
        await addSession(store, "unused", user, { idleLifetime: 100 });
        await addSession(store, "longer", user, { idleLifetime: 500 });
        await addSession(store, "ended", user, { idleLifetime: 500, absoluteLifetime: 100 });
        scene.now += 100;
        expect(await store.deleteExpired({ limit: 10, horizon: 1_800 })).toEqual({
          sessions: 2,
          revocations: 0,
          failures: 0,
          auditEntries: 0,
        });
        expect(await store.sessions.find("unused")).toBeNull();
        expect(await store.sessions.find("ended")).toBeNull();
        expect(await isAlive(store, "longer")).toBe(true);
      });

      it("keeps a session that slides, for as long as it slides", async () => {
        const { store } = scene;
        const user = await addUser(store, "alice");
        await addSession(store, "s", user, { idleLifetime: 100 });
        for (const generation of [0, 1, 2]) {
          scene.now += 60;
          expect(await store.sessions.rotate(rotationOf("s", generation))).not.toBeNull();
          expect((await store.deleteExpired({ limit: 10, horizon: 0 })).sessions).toBe(0);
        }
        scene.now += 100;
        expect((await store.deleteExpired({ limit: 10, horizon: 0 })).sessions).toBe(1);
      });

      it("deletes revoked sessions and revocations once they are older than the horizon", async () => {
        const { store } = scene;
        const user = await addUser(store, "alice");
        await addSession(store, "s", user, { idleLifetime: 900 });
        await store.sessions.revoke("s", "logout");
        await store.feed.revokeToken("token");
        scene.now += 300;
        expect(await store.deleteExpired({ limit: 10, horizon: 300 })).toEqual({
          sessions: 0,
          revocations: 0,
          failures: 0,
          auditEntries: 0,
        });
        scene.now += 1;
        expect(await store.deleteExpired({ limit: 10, horizon: 300 })).toEqual({
          sessions: 1,
          revocations: 2,
          failures: 0,
          auditEntries: 0,
        });
        expect(await store.sessions.find("s")).toBeNull();
      });

      it("deletes at most the limit at a time, and everything when it is called until it has nothing left", async () => {
        const { store } = scene;
        const user = await addUser(store, "alice");
        for (const id of ["a", "b", "c"]) await addSession(store, id, user, { idleLifetime: 10 });
        await addSession(store, "d", user, { idleLifetime: 500 });
        for (const id of ["a", "b", "d"]) await store.sessions.revoke(id, "logout");
        scene.now += 200;
        expect(await store.deleteExpired({ limit: 2, horizon: 100 })).toEqual({
          sessions: 2,
          revocations: 2,
          failures: 0,
          auditEntries: 0,
        });
        expect(await store.deleteExpired({ limit: 2, horizon: 100 })).toEqual({
          sessions: 2,
          revocations: 1,
          failures: 0,
          auditEntries: 0,
        });
        expect(await store.deleteExpired({ limit: 2, horizon: 100 })).toEqual({
          sessions: 0,
          revocations: 0,
          failures: 0,
          auditEntries: 0,
        });
      });
    });

    describe("close", () => {
      it("may be called twice, and every later call is refused as unavailable", async () => {
        const { store } = scene;
        await store.close();
        await store.close();
        const calls: readonly (() => Promise<unknown>)[] = [
          () => store.migrate(),
          () => store.checkSchema(),
          () => store.users.findById("1"),
          () => store.sessions.revoke("s", "logout"),
          () => store.throttle.clear("account"),
          () => store.feed.read({ after: null, horizon: 60 }),
          () => store.deleteExpired({ limit: 1, horizon: 0 }),
          () => store.audit.append([]),
          () => store.audit.read({ after: null, limit: 1 }),
        ];
        for (const call of calls) await expect(call()).rejects.toBeInstanceOf(StoreUnavailableError);
      });
    });
  });
}
