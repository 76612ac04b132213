import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import { describeAuditContract } from "./audit.ts";
import { describeAuditRecordContract } from "./audit-records.ts";
import { describeAuthenticationContract } from "./authentication.ts";
import { describeEpochContract } from "./epochs.ts";
import { describeFeedContract } from "./feed.ts";
import { describeFormerNamesContract } from "./former-names.ts";
import { describeKeyContract } from "./keys.ts";
import { describeLegacyContract } from "./legacy.ts";
import { describeLifetimeContract } from "./lifetimes.ts";
import { describeNodeContract } from "./nodes.ts";
import { describeOutboxContract } from "./outbox.ts";
import { describePasswordContract } from "./passwords.ts";
import { addSession, addUser, isLive, readAfter, rotationOf } from "./records.ts";
import { describeRotationContract } from "./rotations.ts";
import type { CreateStore, Scene } from "./scene.ts";
import { describeServiceContract } from "./services.ts";
import { describeSessionRevocationContract } from "./session-revocation.ts";
import { describeSessionContract } from "./sessions.ts";
import { describeStaffContract } from "./staff.ts";
import { describeThrottleContract } from "./throttle.ts";
import { describeTicketContract } from "./tickets.ts";
import { describeUserImportContract } from "./user-import.ts";
import { describeUserUpdateContract } from "./user-update.ts";
import { describeUserContract } from "./users.ts";

/** Defines the tests that every store must pass. */
export function describeStoreContract(name: string, createStore: CreateStore): void {
  describe(`the store contract over ${name}`, () => {
    const scene = { now: 1_000_000 } as Scene;
    let cleanup: () => Promise<void>;

    beforeEach(async () => {
      scene.now = 1_000_000;
      ({ store: scene.store, cleanup } = await createStore({ now: () => scene.now }));
    });
    afterEach(() => cleanup());

    describeUserContract(scene);
    describeUserUpdateContract(scene);
    describePasswordContract(scene);
    describeUserImportContract(scene);
    describeSessionContract(scene);
    describeRotationContract(scene);
    describeAuthenticationContract(scene);
    describeSessionRevocationContract(scene);
    describeFeedContract(scene);
    describeNodeContract(scene);
    describeKeyContract(scene);
    describeServiceContract(scene);
    describeEpochContract(scene);
    describeLifetimeContract(scene);
    describeLegacyContract(scene);
    describeTicketContract(scene);
    describeStaffContract(scene);
    describeThrottleContract(scene);
    describeAuditContract(scene);
    describeAuditRecordContract(scene);
    describeOutboxContract(scene);
    describeFormerNamesContract(scene);

    describe("migrate", () => {
      it("brings the schema up to date and then has nothing left to apply", async () => {
        await scene.store.checkSchema();
        expect(await scene.store.migrate()).toEqual([]);
      });
    });

    describe("the write probe", () => {
      it("succeeds, leaves nothing, and does not count as a failure", async () => {
        const { store } = scene;
        let failures = 0;
        store.writes?.onFailure(() => {
          failures += 1;
        });
        await store.writes?.probe();
        await store.writes?.probe();
        expect(failures).toBe(0);
        scene.now += 1;
        const none = { sessions: 0, revocations: 0, failures: 0, auditEntries: 0, legacyTokens: 0, loginTickets: 0 };
        expect(await store.deleteExpired({ limit: 10, horizon: 1_800 })).toEqual(none);
        expect(await store.outbox.claim({ limit: 10, lease: 60 })).toEqual([]);
      });

      it("is missing from no store, and does not report a store that is closed", async () => {
        const { store } = scene;
        let failures = 0;
        store.writes?.onFailure(() => {
          failures += 1;
        });
        expect(store.writes).toBeDefined();
        await store.close();
        await expect(store.writes?.probe()).rejects.toThrow(StoreUnavailableError);
        expect(failures).toBe(0);
      });
    });

    describe("deleteExpired", () => {
      it("deletes exactly the sessions whose idle or absolute lifetime is over", async () => {
        const { store } = scene;
        const user = await addUser(store, "alice");
        await addSession(store, "unused", user, { idleLifetime: 100 });
        await addSession(store, "longer", user, { idleLifetime: 500 });
        await addSession(store, "absolute", user, { idleLifetime: 500, absoluteLifetime: 100 });
        scene.now += 100;
        expect(await store.deleteExpired({ limit: 10, horizon: 1_800 })).toEqual({
          sessions: 2,
          revocations: 0,
          failures: 0,
          auditEntries: 0,
          legacyTokens: 0,
          loginTickets: 0,
        });
        expect(await store.sessions.find("unused")).toBeNull();
        expect(await store.sessions.find("absolute")).toBeNull();
        expect(await isLive(store, "longer")).toBe(true);
      });

      it("keeps a session for as long as it is refreshed in time", async () => {
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

      it("deletes revoked sessions and revocations whose last token has expired longer ago than the horizon", async () => {
        const { store } = scene;
        const user = await addUser(store, "alice");
        await addSession(store, "s", user, { idleLifetime: 900 });
        await store.nodes.register({ id: "node", name: null, lease: 1_000, accessTokenLifetime: 60 });
        await store.sessions.revoke("s", "logout");
        await store.feed.revokeToken("token");
        scene.now += 360;
        expect(await store.deleteExpired({ limit: 10, horizon: 300 })).toEqual({
          sessions: 0,
          revocations: 0,
          failures: 0,
          auditEntries: 0,
          legacyTokens: 0,
          loginTickets: 0,
        });
        scene.now += 1;
        expect(await store.deleteExpired({ limit: 10, horizon: 300 })).toEqual({
          sessions: 1,
          revocations: 2,
          failures: 0,
          auditEntries: 0,
          legacyTokens: 0,
          loginTickets: 0,
        });
        expect(await store.sessions.find("s")).toBeNull();
      });

      it("deletes at most `limit` rows of each kind per call, and everything after enough calls", async () => {
        const { store } = scene;
        const user = await addUser(store, "alice");
        await store.nodes.register({ id: "node", name: null, lease: 1_000, accessTokenLifetime: 60 });
        for (const id of ["a", "b", "c"]) await addSession(store, id, user, { idleLifetime: 10 });
        await addSession(store, "d", user, { idleLifetime: 500 });
        for (const id of ["a", "b", "d"]) await store.sessions.revoke(id, "logout");
        scene.now += 200;
        expect(await store.deleteExpired({ limit: 2, horizon: 100 })).toEqual({
          sessions: 2,
          revocations: 2,
          failures: 0,
          auditEntries: 0,
          legacyTokens: 0,
          loginTickets: 0,
        });
        expect(await store.deleteExpired({ limit: 2, horizon: 100 })).toEqual({
          sessions: 2,
          revocations: 1,
          failures: 0,
          auditEntries: 0,
          legacyTokens: 0,
          loginTickets: 0,
        });
        expect(await store.deleteExpired({ limit: 2, horizon: 100 })).toEqual({
          sessions: 0,
          revocations: 0,
          failures: 0,
          auditEntries: 0,
          legacyTokens: 0,
          loginTickets: 0,
        });
      });
    });

    describe("close", () => {
      it("can be called twice, and makes every later call of the store fail as unavailable", async () => {
        const { store } = scene;
        await store.close();
        await store.close();
        const calls: readonly (() => Promise<unknown>)[] = [
          () => store.migrate(),
          () => store.checkSchema(),
          () => store.users.findById("1"),
          () => store.sessions.revoke("s", "logout"),
          () => store.throttle.clear("account"),
          () => store.feed.read(readAfter(null)),
          () => store.nodes.readRegistry(),
          () => store.keys.read(),
          () => store.keys.change(0, {}),
          () => store.services.find(new Uint8Array(32)),
          () => store.services.revoke("shop"),
          () => store.nodes.register({ id: "node", name: null, lease: 1_000, accessTokenLifetime: 60 }),
          () => store.deleteExpired({ limit: 1, horizon: 0 }),
          () => store.audit.append([]),
          () => store.audit.read({ after: null, limit: 1 }),
        ];
        for (const call of calls) await expect(call()).rejects.toBeInstanceOf(StoreUnavailableError);
      });
    });
  });
}
