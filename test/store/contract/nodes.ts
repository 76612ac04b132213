import { describe, expect, it } from "vitest";
import type { CommitPosition } from "../../../src/core/revocation.ts";
import type { NewNode } from "../../../src/core/store/nodes.ts";
import { addSession, addUser, readAfter } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Returns a node to register. */
const newNode = (id: string, changes: Partial<NewNode> = {}): NewNode => ({
  id,
  name: null,
  lease: 1_000,
  accessTokenLifetime: 300,
  ...changes,
});

/** Defines the tests of every store's registry of nodes. */
export function describeNodeContract(scene: Scene): void {
  describe("nodes.register and nodes.readRegistry", () => {
    it("lists the nodes in order of registration, in the incarnation in which they registered", async () => {
      const { nodes } = scene.store;
      expect((await nodes.readRegistry()).nodes).toEqual([]);
      const registered = await nodes.register(newNode("b", { name: "eu-1", lease: 250 }));
      expect(registered.databaseTime).toBeGreaterThan(0);
      scene.now += 1;
      await nodes.register(newNode("a"));
      const look = await nodes.readRegistry();
      expect(look.incarnation).toBe(registered.incarnation);
      const node = { seen: null, isLeaving: false, clockAhead: null };
      expect(look.nodes).toStrictEqual([
        { ...node, id: "b", name: "eu-1", lease: 250, joinedAt: scene.now - 1 },
        { ...node, id: "a", name: null, lease: 1_000, joinedAt: scene.now },
      ]);
    });

    it("refuses an id that is registered", async () => {
      const { nodes } = scene.store;
      await nodes.register(newNode("a"));
      await expect(nodes.register(newNode("a"))).rejects.toThrow();
      expect((await nodes.readRegistry()).nodes).toHaveLength(1);
    });

    it("raises the longest lease and never lowers it", async () => {
      const { nodes } = scene.store;
      expect((await nodes.readRegistry()).longestLease).toBe(10_000);
      await nodes.register(newNode("a", { lease: 250 }));
      expect((await nodes.readRegistry()).longestLease).toBe(10_000);
      await nodes.register(newNode("b", { lease: 60_000 }));
      await nodes.register(newNode("c"));
      expect((await nodes.readRegistry()).longestLease).toBe(60_000);
      expect(await nodes.raiseLease("a", 90_000)).toBe(true);
      expect(await nodes.raiseLease("b", 1)).toBe(true);
      const { longestLease, nodes: rows } = await nodes.readRegistry();
      expect(longestLease).toBe(90_000);
      expect(rows.map(({ lease }) => lease)).toEqual([90_000, 60_000, 1_000]);
    });

    it("raises the longest access token, for which entries are kept, and never lowers it", async () => {
      const { nodes, feed } = scene.store;
      const until = async () => (await feed.revokeToken("t")).revocations[0].until;
      expect(await until()).toBe(scene.now + 86_400);
      await nodes.register(newNode("a", { accessTokenLifetime: 300 }));
      expect(await until()).toBe(scene.now + 300);
      await nodes.register(newNode("b", { accessTokenLifetime: 900 }));
      await nodes.register(newNode("c", { accessTokenLifetime: 60 }));
      expect(await until()).toBe(scene.now + 900);
    });
  });

  describe("nodes.acknowledge and nodes.covers", () => {
    it("covers what the node had read, and nothing that was committed later", async () => {
      const { nodes, feed } = scene.store;
      const first = (await feed.revokeToken("1")).position;
      await nodes.register(newNode("a"));
      const { seen } = await feed.read(readAfter(null, { nodeId: "a" }));
      await nodes.acknowledge("a", { seen, clockAhead: -20 });
      const [node] = (await nodes.readRegistry()).nodes;
      expect(node).toMatchObject({ seen, clockAhead: -20 });
      const second = (await feed.revokeToken("2")).position;
      expect([nodes.covers(seen, first), nodes.covers(seen, second)]).toEqual([true, false]);
      const next = await feed.read(readAfter(null, { nodeId: "a" }));
      expect([nodes.covers(next.seen, first), nodes.covers(next.seen, second)]).toEqual([true, true]);
    });

    it("wakes the subscribers of the same store until their subscription ends", async () => {
      const { nodes } = scene.store;
      await nodes.register(newNode("a"));
      let stop = () => {};
      const woken = new Promise<void>((resolve) => {
        stop = nodes.subscribe(() => resolve());
      });
      await nodes.acknowledge("a", { seen: "0:0:", clockAhead: 0 });
      await woken;
      stop();
    });

    it("does nothing for a node that is not registered", async () => {
      const { nodes } = scene.store;
      await nodes.acknowledge("nobody", { seen: "0:0:", clockAhead: 0 });
      expect(await nodes.raiseLease("nobody", 1)).toBe(false);
      expect(await nodes.markLeaving("nobody")).toBeNull();
      await nodes.remove("nobody");
      await nodes.removeLeaving("nobody");
      expect((await nodes.readRegistry()).nodes).toEqual([]);
    });
  });

  describe("nodes.markLeaving and nodes.remove", () => {
    it("change the membership that a read of the feed returns", async () => {
      const { nodes, feed } = scene.store;
      const membership = async (nodeId: string | null) =>
        (await feed.read(readAfter(null, { nodeId }))).state.membership;
      expect(await membership(null)).toBe("absent");
      expect(await membership("a")).toBe("absent");
      await nodes.register(newNode("a"));
      await nodes.register(newNode("b"));
      expect(await membership("a")).toBe("member");
      await nodes.markLeaving("a");
      expect([await membership("a"), await membership("b")]).toEqual(["leaving", "member"]);
      expect((await nodes.readRegistry()).nodes).toMatchObject([
        { id: "a", isLeaving: true },
        { id: "b", isLeaving: false },
      ]);
      await nodes.remove("a");
      expect(await membership("a")).toBe("absent");
      expect((await nodes.readRegistry()).nodes).toMatchObject([{ id: "b" }]);
    });

    it("return the lease of a node that is marked, which can't be raised any more", async () => {
      const { nodes } = scene.store;
      await nodes.register(newNode("a", { lease: 1_000 }));
      await nodes.raiseLease("a", 3_000);
      expect(await nodes.markLeaving("a")).toBe(3_000);
      expect(await nodes.raiseLease("a", 5_000)).toBe(false);
      expect(await nodes.markLeaving("a")).toBe(3_000);
      expect((await nodes.readRegistry()).nodes).toMatchObject([{ lease: 3_000, isLeaving: true }]);
    });

    it("never let a lease grow that a mark at the same time hasn't returned", async () => {
      const { nodes } = scene.store;
      for (let i = 0; i < 20; i++) {
        const id = `n${i}`;
        await nodes.register(newNode(id, { lease: 1_000 }));
        const [marked, isRaised] = await Promise.all(
          i % 2 === 0
            ? [nodes.markLeaving(id), nodes.raiseLease(id, 2_000)]
            : [nodes.raiseLease(id, 2_000).then(() => nodes.markLeaving(id)), nodes.raiseLease(id, 2_000)],
        );
        const { nodes: rows } = await nodes.readRegistry();
        expect(rows.find((row) => row.id === id)?.lease).toBe(marked);
        if (isRaised) expect(marked).toBe(2_000);
      }
    });

    it("lets another process remove only a node that is leaving", async () => {
      const { nodes } = scene.store;
      const list = async () => (await nodes.readRegistry()).nodes.map(({ id }) => id);
      await nodes.register(newNode("a"));
      await nodes.removeLeaving("a");
      expect(await list()).toEqual(["a"]);
      await nodes.markLeaving("a");
      await nodes.removeLeaving("a");
      expect(await list()).toEqual([]);
    });
  });

  describe("nodes.settle", () => {
    it("is not needed in a new database, and ignores another incarnation", async () => {
      const { nodes, feed } = scene.store;
      const { isSettled, incarnation } = await nodes.readRegistry();
      expect(isSettled).toBe(true);
      await nodes.settle("another");
      expect((await nodes.readRegistry()).isSettled).toBe(true);
      await nodes.settle(incarnation);
      const { state } = await feed.read(readAfter(null));
      expect(state).toMatchObject({ isSettled: true, incarnation, longestLease: 10_000, hasSynchronousStandby: false });
    });
  });

  describe("nodes.hasCommit", () => {
    it("finds the entries of a commit, and those of no other", async () => {
      const { store } = scene;
      const alice = await addUser(store, "alice");
      await addSession(store, "s", alice);
      const { position } = await store.sessions.revoke("s", "logout");
      expect(await store.nodes.hasCommit(position as CommitPosition)).toBe(true);
      expect(store.nodes.toIncarnation(position as CommitPosition)).toBe(
        (await store.nodes.readRegistry()).incarnation,
      );
      const missing = JSON.stringify({ ...JSON.parse(position as CommitPosition), seq: 99 });
      expect(await store.nodes.hasCommit(missing)).toBe(false);
    });

    it("gives a position to every change that appended an entry, and none to others", async () => {
      const { users, sessions, feed } = scene.store;
      const alice = await addUser(scene.store, "alice");
      for (const id of ["a", "b"]) await addSession(scene.store, id, alice);
      const changes = [
        await sessions.revokeOthers({ sessionId: "a", userId: alice }, "logout", { confirm: true }),
        await sessions.decide("a", () => ({ result: 1, revoke: "reuse" }), { confirm: true }),
        await sessions.revokeForUser(alice, "revoked", { confirm: true }),
        await users.setPassword(alice, "hash-2", { confirm: true }),
        await users.disable(alice, { confirm: true }),
        await users.delete(alice, { confirm: true }),
        await sessions.revokeAll("revoked", { confirm: true }),
        await feed.revokeToken("t", { confirm: true }),
      ];
      const { seen, revocations } = await feed.read(readAfter(null));
      for (const change of changes) {
        expect(scene.store.nodes.covers(seen, change?.position as CommitPosition)).toBe(true);
        expect(await scene.store.nodes.hasCommit(change?.position as CommitPosition)).toBe(true);
      }
      expect(revocations).toStrictEqual(changes.flatMap((change) => change?.revocations ?? []));
      expect(revocations.map(({ confirm }) => confirm)).toEqual(changes.map(() => true));
      expect((await sessions.revoke("b", "logout")).position).toBeUndefined();
      expect(await users.disable("9")).toBeNull();
    });
  });

  describe("nodes.raiseGlobalEpoch", () => {
    it("raises the epoch that reads and new sessions have, and never lowers it", async () => {
      const { nodes, feed } = scene.store;
      const alice = await addUser(scene.store, "alice");
      for (const [epoch, expected] of [
        [7, 7],
        [3, 7],
      ] as const) {
        await nodes.raiseGlobalEpoch(epoch);
        expect((await feed.read(readAfter(null))).state.globalEpoch).toBe(expected);
      }
      expect(await addSession(scene.store, "s", alice)).toMatchObject({ globalEpoch: 7 });
      expect((await scene.store.sessions.revokeAll("revoked")).revocations).toMatchObject([{ kind: "all", epoch: 8 }]);
    });
  });
}
