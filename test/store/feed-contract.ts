import { describe, expect, it } from "vitest";
import type { Revocation } from "../../src/core/revocation.ts";
import { addSession, addUser } from "./records.ts";
import type { Scene } from "./store-contract.ts";

/** What every store's feed must do. */
export function describeFeedContract(scene: Scene): void {
  describe("feed.read", () => {
    it("has exactly the revocations that the changes returned, in their order", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const bob = await addUser(store, "bob");
      const returned: Revocation[] = [];
      const note = (change: { revocations: readonly Revocation[] } | null) => {
        returned.push(...(change?.revocations ?? []));
      };
      for (const id of ["a", "b", "c"]) await addSession(store, id, alice);
      note(await addSession(store, "d", bob, { replaces: "a" }));
      note(await store.sessions.revoke("b", "logout"));
      note(await store.sessions.decide("c", () => ({ result: null, revoke: "reuse" })));
      returned.push(await store.feed.revokeToken("token"));
      note(await store.users.disable(bob));
      note(await store.users.setPassword(alice, "hash-2"));
      note(await store.users.delete(bob));
      note(await store.sessions.revokeAll("revoked"));
      const kinds = returned.map(({ kind }) => kind).join(" ");
      expect(kinds).toBe("session session session token user user user all");
      const batch = await store.feed.read({ after: null, horizon: 60 });
      expect(batch.revocations).toStrictEqual(returned);
      expect(batch.more).toBe(false);
    });

    it("goes on after the cursor, and finds nothing where nothing is new", async () => {
      const { feed } = scene.store;
      const empty = await feed.read({ after: null, horizon: 60 });
      expect(empty).toMatchObject({ revocations: [], more: false });
      const first = await feed.revokeToken("1");
      const second = await feed.revokeToken("2");
      const batch = await feed.read({ after: empty.cursor, horizon: 60 });
      expect(batch.revocations).toStrictEqual([first, second]);
      for (const _ of [1, 2]) {
        expect(await feed.read({ after: batch.cursor, horizon: 60 })).toMatchObject({ revocations: [], more: false });
      }
      const third = await feed.revokeToken("3");
      expect((await feed.read({ after: batch.cursor, horizon: 60 })).revocations).toStrictEqual([third]);
      expect((await feed.read({ after: empty.cursor, horizon: 60 })).revocations).toStrictEqual([first, second, third]);
    });

    it("reads only the last horizon from the beginning, and does not meet the older entries later", async () => {
      const { feed } = scene.store;
      await feed.revokeToken("old");
      scene.now += 61;
      const start = await feed.read({ after: null, horizon: 60 });
      expect(start.revocations).toEqual([]);
      const recent = await feed.revokeToken("recent");
      expect((await feed.read({ after: start.cursor, horizon: 60 })).revocations).toStrictEqual([recent]);
      scene.now += 60;
      const batch = await feed.read({ after: null, horizon: 60 });
      expect(batch.revocations).toStrictEqual([recent]);
      expect((await feed.read({ after: batch.cursor, horizon: 60 })).revocations).toEqual([]);
    });

    it("keeps its place when old entries are deleted", async () => {
      const { store } = scene;
      await store.feed.revokeToken("old");
      const { cursor } = await store.feed.read({ after: null, horizon: 60 });
      scene.now += 100;
      expect(await store.deleteDead({ limit: 10, horizon: 60 })).toMatchObject({ revocations: 1 });
      expect((await store.feed.read({ after: cursor, horizon: 60 })).revocations).toEqual([]);
      const next = await store.feed.revokeToken("new");
      expect((await store.feed.read({ after: cursor, horizon: 60 })).revocations).toStrictEqual([next]);
    });

    it("has no entry for what ended nothing", async () => {
      const { store } = scene;
      await addUser(store, "alice");
      await store.sessions.revoke("nowhere", "logout");
      await store.users.disable("9");
      await store.sessions.decide("nowhere", () => ({ result: null, revoke: "reuse" }));
      expect((await store.feed.read({ after: null, horizon: 60 })).revocations).toEqual([]);
    });
  });

  describe("feed.subscribe", () => {
    it("wakes after an entry was appended, until it is told to stop", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      let stop = () => {};
      const woken = new Promise<void>((resolve) => {
        stop = store.feed.subscribe(resolve);
      });
      await store.sessions.revoke("s", "logout");
      await woken;
      stop();

      let isWoken = false;
      const stopAgain = store.feed.subscribe(() => {
        isWoken = true;
      });
      stopAgain();
      await store.feed.revokeToken("token");
      await new Promise((resolve) => setImmediate(resolve));
      expect(isWoken).toBe(false);
    });

    it("asks for a poll at least once a second", () => {
      expect(scene.store.feed.pollInterval).toBeGreaterThan(0);
      expect(scene.store.feed.pollInterval).toBeLessThanOrEqual(1_000);
    });
  });
}
