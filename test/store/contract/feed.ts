import { describe, expect, it } from "vitest";
import type { Revocation } from "../../../src/core/revocation.ts";
import { addSession, addUser, rotationOf } from "./records.ts";
import type { Scene } from "./store.ts";

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
      note(await store.feed.revokeToken("token"));
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
      const {
        revocations: [first],
      } = await feed.revokeToken("1");
      const {
        revocations: [second],
      } = await feed.revokeToken("2");
      const batch = await feed.read({ after: empty.cursor, horizon: 60 });
      expect(batch.revocations).toStrictEqual([first, second]);
      for (const _ of [1, 2]) {
        expect(await feed.read({ after: batch.cursor, horizon: 60 })).toMatchObject({ revocations: [], more: false });
      }
      const {
        revocations: [third],
      } = await feed.revokeToken("3");
      expect((await feed.read({ after: batch.cursor, horizon: 60 })).revocations).toStrictEqual([third]);
      expect((await feed.read({ after: empty.cursor, horizon: 60 })).revocations).toStrictEqual([first, second, third]);
    });

    it("reads only the last horizon from the beginning, and does not meet the older entries later", async () => {
      const { feed } = scene.store;
      await feed.revokeToken("old");
      scene.now += 61;
      const start = await feed.read({ after: null, horizon: 60 });
      expect(start.revocations).toEqual([]);
      const {
        revocations: [recent],
      } = await feed.revokeToken("recent");
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
      expect(await store.deleteExpired({ limit: 10, horizon: 60 })).toMatchObject({ revocations: 1 });
      expect((await store.feed.read({ after: cursor, horizon: 60 })).revocations).toEqual([]);
      const {
        revocations: [next],
      } = await store.feed.revokeToken("new");
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

  describe("feed.read: the ages", () => {
    it("are there for each entry after a cursor, and not for what is read from the beginning", async () => {
      const { feed } = scene.store;
      await feed.revokeToken("1");
      const start = await feed.read({ after: null, horizon: 60 });
      expect(start.revocations).toHaveLength(1);
      expect(start.ages).toBeUndefined();
      await feed.revokeToken("2");
      await feed.revokeToken("3");
      const { ages } = await feed.read({ after: start.cursor, horizon: 60 });
      expect(ages).toEqual([expect.any(Number), expect.any(Number)]);
      for (const age of ages ?? []) {
        expect(age).toBeGreaterThanOrEqual(0);
        expect(age).toBeLessThan(60_000);
      }
    });
  });

  describe("feed.isRevoked", () => {
    const token = { sessionId: "s", userId: "1", userEpoch: 0, tokenId: "t", issuedAt: 1_000_000 };

    /** Alice, the user "1", with her sessions "s" and "other". */
    async function addSessions(): Promise<void> {
      const alice = await addUser(scene.store, "alice");
      for (const id of ["s", "other"]) await addSession(scene.store, id, alice);
    }

    it("says no of a token of a live session", async () => {
      await addSessions();
      expect(await scene.store.feed.isRevoked(token)).toBe(false);
      await scene.store.sessions.rotate(rotationOf("s", 0));
      await scene.store.sessions.revoke("other", "logout");
      await scene.store.feed.revokeToken("another");
      expect(await scene.store.feed.isRevoked(token)).toBe(false);
    });

    it.each<readonly [string, (store: Scene["store"]) => Promise<unknown>]>([
      ["the session was ended", (store) => store.sessions.revoke("s", "logout")],
      ["the other sessions were ended", (store) => store.sessions.revokeForUser("1", "logout", { except: "other" })],
      ["the user's sessions were ended", (store) => store.sessions.revokeForUser("1", "logout")],
      [
        "the session was ended as a theft",
        (store) => store.sessions.decide("s", () => ({ result: 0, revoke: "reuse" })),
      ],
      ["the user was disabled", (store) => store.users.disable("1")],
      ["the user was disabled and enabled", (store) => store.users.disable("1").then(() => store.users.enable("1"))],
      ["the password was set", (store) => store.users.setPassword("1", "hash-2")],
      ["the user was deleted", (store) => store.users.delete("1")],
      ["the token was revoked", (store) => store.feed.revokeToken("t")],
      ["every token was revoked", (store) => store.sessions.revokeAll("revoked")],
    ])("says yes where %s, and so does the feed", async (_, revoke) => {
      const { store } = scene;
      await addSessions();
      await revoke(store);
      expect(await store.feed.isRevoked(token)).toBe(true);
      const { revocations } = await store.feed.read({ after: null, horizon: 60 });
      expect(revocations.length).toBeGreaterThan(0);
    });

    it("says yes of a token of before a cut-off, and no of one of a login after it", async () => {
      const { store } = scene;
      await addSessions();
      await store.sessions.revokeAll("revoked");
      scene.now += 1;
      await addSession(store, "new", "1");
      expect(await store.feed.isRevoked({ ...token, sessionId: "new" })).toBe(true);
      expect(await store.feed.isRevoked({ ...token, sessionId: "new", issuedAt: 1_000_001 })).toBe(false);
    });

    it("says yes of a session that does not exist, or is somebody else's", async () => {
      const { store } = scene;
      await addSessions();
      const bob = await addUser(store, "bob");
      expect(await store.feed.isRevoked({ ...token, sessionId: "nowhere" })).toBe(true);
      expect(await store.feed.isRevoked({ ...token, userId: bob })).toBe(true);
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
