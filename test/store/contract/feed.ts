import { describe, expect, it } from "vitest";
import type { Revocation } from "../../../src/core/revocation.ts";
import { addSession, addUser, readAfter, rotationOf } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of every store's revocation feed. */
export function describeFeedContract(scene: Scene): void {
  describe("feed.read", () => {
    it("returns exactly the revocations that the changes returned, in order", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      const bob = await addUser(store, "bob");
      const returned: Revocation[] = [];
      const collect = (change: { revocations: readonly Revocation[] } | null) => {
        returned.push(...(change?.revocations ?? []));
      };
      for (const id of ["a", "b", "c"]) await addSession(store, id, alice);
      collect(await addSession(store, "d", bob, { replaces: { sessionId: "a", userId: alice } }));
      collect(await store.sessions.revoke("b", "logout"));
      collect(await store.sessions.decide("c", () => ({ result: null, revoke: "reuse" })));
      collect(await store.feed.revokeToken("token"));
      collect(await store.users.disable(bob));
      collect(await store.users.setPassword(alice, "hash-2"));
      collect(await store.users.delete(bob));
      collect(await store.sessions.revokeAll("revoked"));
      const kinds = returned.map(({ kind }) => kind).join(" ");
      expect(kinds).toBe("session session session token user user user all");
      const batch = await store.feed.read(readAfter(null));
      expect(batch.revocations).toStrictEqual(returned);
      expect(batch.more).toBe(false);
    });

    it("returns the entries after a cursor, and none if none were appended", async () => {
      const { feed } = scene.store;
      const empty = await feed.read(readAfter(null));
      expect(empty).toMatchObject({ revocations: [], more: false });
      const {
        revocations: [first],
      } = await feed.revokeToken("1");
      const {
        revocations: [second],
      } = await feed.revokeToken("2");
      const batch = await feed.read(readAfter(empty.cursor));
      expect(batch.revocations).toStrictEqual([first, second]);
      for (const _ of [1, 2]) {
        expect(await feed.read(readAfter(batch.cursor))).toMatchObject({ revocations: [], more: false });
      }
      const {
        revocations: [third],
      } = await feed.revokeToken("3");
      expect((await feed.read(readAfter(batch.cursor))).revocations).toStrictEqual([third]);
      expect((await feed.read(readAfter(empty.cursor))).revocations).toStrictEqual([first, second, third]);
    });

    it("leaves out of a first read what no token needs at `since`, and hands it over never", async () => {
      const { feed } = scene.store;
      await feed.revokeToken("old", { until: scene.now + 10 });
      const {
        revocations: [recent],
      } = await feed.revokeToken("recent", { until: scene.now + 20 });
      const start = await feed.read(readAfter(null, { since: scene.now + 11 }));
      expect(start.revocations).toStrictEqual([recent]);
      expect((await feed.read(readAfter(start.cursor))).revocations).toEqual([]);
      expect((await feed.read(readAfter(null, { since: scene.now + 20 }))).revocations).toStrictEqual([recent]);
      expect((await feed.read(readAfter(null, { since: scene.now + 21 }))).revocations).toEqual([]);
      expect((await feed.read(readAfter(null))).revocations).toHaveLength(2);
    });

    it("continues at the cursor after old entries were deleted", async () => {
      const { store } = scene;
      await store.feed.revokeToken("old");
      const { cursor } = await store.feed.read(readAfter(null));
      scene.now += 86_400 + 61;
      expect(await store.deleteExpired({ limit: 10, horizon: 60 })).toMatchObject({ revocations: 1 });
      expect((await store.feed.read(readAfter(cursor))).revocations).toEqual([]);
      const {
        revocations: [next],
      } = await store.feed.revokeToken("new");
      expect((await store.feed.read(readAfter(cursor))).revocations).toStrictEqual([next]);
    });

    it("has no entry for a call that revoked nothing", async () => {
      const { store } = scene;
      await addUser(store, "alice");
      await store.sessions.revoke("nowhere", "logout");
      await store.users.disable("9");
      await store.sessions.decide("nowhere", () => ({ result: null, revoke: "reuse" }));
      expect((await store.feed.read(readAfter(null))).revocations).toEqual([]);
    });
  });

  describe("the positions that feed.read returns", () => {
    it("are the same in every read, one for each entry, and below the horizon of what has been read", async () => {
      const { feed } = scene.store;
      const empty = await feed.read(readAfter(null));
      expect(empty.positions).toEqual([]);
      for (const tokenId of ["1", "2", "3"]) await feed.revokeToken(tokenId);
      const all = await feed.read(readAfter(null));
      const { positions, place } = await feed.read(readAfter(empty.cursor));
      expect(all.positions).toEqual(positions);
      expect(new Set(positions).size).toBe(3);
      expect(positions).toEqual(positions.toSorted((a, b) => (a < b ? -1 : 1)));
      for (const position of positions) {
        expect(position).toBeTypeOf("bigint");
        expect(position).toBeLessThan(place.horizon);
        // Whoever had read only up to there can't know the entry.
        expect(position).toBeGreaterThanOrEqual(empty.place.horizon);
      }
      expect(all.place.history).toBe(empty.place.history);
      const { place: next } = await feed.read(readAfter(all.cursor));
      expect(next.history).toBe(place.history);
      expect(next.horizon).toBeGreaterThanOrEqual(place.horizon);
    });
  });

  describe("the ages that feed.read returns", () => {
    it("belong to the entries after a cursor, and are missing for a new reader", async () => {
      const { feed } = scene.store;
      await feed.revokeToken("1");
      const start = await feed.read(readAfter(null));
      expect(start.revocations).toHaveLength(1);
      expect(start.ages).toBeUndefined();
      await feed.revokeToken("2");
      await feed.revokeToken("3");
      const { ages } = await feed.read(readAfter(start.cursor));
      expect(ages).toEqual([expect.any(Number), expect.any(Number)]);
      for (const age of ages ?? []) {
        expect(age).toBeGreaterThanOrEqual(0);
        expect(age).toBeLessThan(60_000);
      }
    });
  });

  describe("feed.isRevoked", () => {
    const token = { sessionId: "s", userId: "1", userEpoch: 0, globalEpoch: 0, tokenId: "t", issuedAt: 1_000_000 };

    /** Adds the user "1" with the sessions "s" and "other". */
    async function addSessions(): Promise<void> {
      const alice = await addUser(scene.store, "alice");
      for (const id of ["s", "other"]) await addSession(scene.store, id, alice);
    }

    it("returns false for a token of a live session", async () => {
      await addSessions();
      expect(await scene.store.feed.isRevoked(token)).toBe(false);
      await scene.store.sessions.rotate(rotationOf("s", 0));
      await scene.store.sessions.revoke("other", "logout");
      await scene.store.feed.revokeToken("another");
      expect(await scene.store.feed.isRevoked(token)).toBe(false);
    });

    it.each<readonly [string, (store: Scene["store"]) => Promise<unknown>]>([
      ["the session was revoked", (store) => store.sessions.revoke("s", "logout")],
      [
        "the other sessions were revoked",
        (store) => store.sessions.revokeOthers({ sessionId: "other", userId: "1" }, "logout"),
      ],
      ["the user's sessions were revoked", (store) => store.sessions.revokeForUser("1", "logout")],
      [
        "the session was revoked because of reuse",
        (store) => store.sessions.decide("s", () => ({ result: 0, revoke: "reuse" })),
      ],
      ["the user was disabled", (store) => store.users.disable("1")],
      ["the user was disabled and enabled", (store) => store.users.disable("1").then(() => store.users.enable("1"))],
      ["the password was set", (store) => store.users.setPassword("1", "hash-2")],
      ["the user was deleted", (store) => store.users.delete("1")],
      ["the token was revoked", (store) => store.feed.revokeToken("t")],
      ["every token was revoked", (store) => store.sessions.revokeAll("revoked")],
    ])("returns true if %s, and the feed has an entry", async (_, revoke) => {
      const { store } = scene;
      await addSessions();
      await revoke(store);
      expect(await store.feed.isRevoked(token)).toBe(true);
      const { revocations } = await store.feed.read(readAfter(null));
      expect(revocations.length).toBeGreaterThan(0);
    });

    it("returns true for a token from before `revokeAll`, and false for one of the same second from after it", async () => {
      const { store } = scene;
      await addSessions();
      await store.sessions.revokeAll("revoked");
      const { globalEpoch } = await addSession(store, "new", "1");
      expect(globalEpoch).toBe(1);
      expect(await store.feed.isRevoked({ ...token, sessionId: "new" })).toBe(true);
      expect(await store.feed.isRevoked({ ...token, sessionId: "new", globalEpoch })).toBe(false);
    });

    it("judges a token without a global epoch by the time of `revokeAll`", async () => {
      const { store } = scene;
      await addSessions();
      await store.sessions.revokeAll("revoked");
      await addSession(store, "new", "1");
      const foreign = { ...token, sessionId: "new", globalEpoch: null };
      expect(await store.feed.isRevoked(foreign)).toBe(true);
      expect(await store.feed.isRevoked({ ...foreign, issuedAt: 1_000_001 })).toBe(false);
    });

    it("returns true if the session is unknown or another user's", async () => {
      const { store } = scene;
      await addSessions();
      const bob = await addUser(store, "bob");
      expect(await store.feed.isRevoked({ ...token, sessionId: "nowhere" })).toBe(true);
      expect(await store.feed.isRevoked({ ...token, userId: bob })).toBe(true);
    });
  });

  describe("feed.subscribe", () => {
    it("wakes a subscriber after an entry was appended, until the subscription ends", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      let stop = () => {};
      const woken = new Promise<void>((resolve) => {
        stop = store.feed.subscribe(() => resolve());
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
  });
}
