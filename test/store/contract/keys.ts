import { describe, expect, it } from "vitest";
import type { KeyChange, KeyRecord } from "../../../src/core/store/keys.ts";
import { toAuditRow } from "../../../src/events/audit-row.ts";
import { newKey, newService, readAfter, toHash } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of every store's key ring. */
export function describeKeyContract(scene: Scene): void {
  const read = () => scene.store.keys.read();
  const kids = async () => (await read()).keys.map(({ kid }) => kid);

  /** Applies a change to the stored version. */
  async function change(changes: KeyChange): Promise<void> {
    expect(await scene.store.keys.change((await read()).version, changes)).toBe(true);
  }

  describe("keys.read", () => {
    it("returns no keys, the database's time, and the state of a new installation", async () => {
      scene.now += 5;
      const installation = { version: 0, now: scene.now, ownRefreshSince: 0, longestAccess: 0 };
      expect(await read()).toStrictEqual({ ...installation, keys: [] });
      await scene.store.nodes.register({ id: "node", name: null, lease: 1_000, accessTokenLifetime: 900 });
      expect(await read()).toMatchObject({ ...installation, longestAccess: 900 });
    });

    it("returns every member of the keys as it was stored, ordered by the time from which they sign, then by kid", async () => {
      const stored: readonly KeyRecord[] = [
        newKey("secret", { use: "secret", algorithm: "HS256", publicJwk: null, signsFrom: 0 }),
        newKey("B", { sealed: null, kekId: null, signsFrom: 5 }),
        newKey("_", { signsFrom: 5, retireAt: 900 }),
        newKey("a", { signsFrom: 5, sealed: null, kekId: null, retireAt: 800, retiredAt: 810 }),
        newKey("first", { sealed: new Uint8Array([0, 255, 0, 128]), signsFrom: 7 }),
      ];
      await change({ add: [...stored].reverse() });
      expect((await read()).keys).toStrictEqual(stored);
    });
  });

  describe("keys.change", () => {
    it("applies only the first of the changes that were made from one version", async () => {
      const { keys } = scene.store;
      const attempts = Array.from({ length: 8 }, (_, n) => keys.change(0, { add: [newKey(`k${n}`)] }));
      const results = await Promise.all(attempts);
      expect(results.filter((isApplied) => isApplied)).toHaveLength(1);
      expect(await read()).toMatchObject({ version: 1, keys: [{ kid: `k${results.indexOf(true)}` }] });
      for (const version of [0, 2, -1]) expect(await keys.change(version, { add: [newKey("late")] })).toBe(false);
      expect(await kids()).toEqual([`k${results.indexOf(true)}`]);
      await change({ add: [newKey("next")] });
      expect(await read()).toMatchObject({ version: 2, keys: [{}, {}] });
    });

    it("changes the members that it names, and no others", async () => {
      const [a, b] = [newKey("a"), newKey("b")];
      await change({ add: [a, b] });
      await change({ update: [{ kid: "a", retireAt: 700 }] });
      expect((await read()).keys).toStrictEqual([{ ...a, retireAt: 700 }, b]);
      const rewrapped = { sealed: toHash(9), kekId: "second" };
      const retired = { sealed: null, kekId: null, retiredAt: 800 };
      await change({
        update: [
          { kid: "a", ...retired },
          { kid: "b", ...rewrapped, signsFrom: 3 },
        ],
      });
      expect((await read()).keys).toStrictEqual([
        { ...b, ...rewrapped, signsFrom: 3 },
        { ...a, ...retired, retireAt: 700 },
      ]);
      await change({ update: [{ kid: "b", retireAt: 900 }] });
      await change({ update: [{ kid: "b", retireAt: null }] });
      expect((await read()).keys[0]).toMatchObject({ kid: "b", retireAt: null });
    });

    it("adds a key and changes one that it has just added", async () => {
      await change({ add: [newKey("a")], update: [{ kid: "a", signsFrom: 77 }] });
      expect((await read()).keys).toMatchObject([{ kid: "a", signsFrom: 77 }]);
    });

    it.each<[string, KeyChange]>([
      ["adds a kid that is stored", { add: [newKey("new"), newKey("a")] }],
      ["adds one kid twice", { add: [newKey("new"), newKey("new")] }],
      ["changes a kid that is not stored", { add: [newKey("new")], update: [{ kid: "gone", retireAt: 1 }] }],
      ["leaves the sealed part of a retired key", { update: [{ kid: "a", retiredAt: 1 }] }],
      ["takes away what was sealed, but not what sealed it", { update: [{ kid: "a", sealed: null }] }],
    ])("fails as a whole if it %s", async (_, invalid) => {
      await change({ add: [newKey("a")] });
      const before = await read();
      await expect(scene.store.keys.change(before.version, invalid)).rejects.toThrow();
      expect(await read()).toStrictEqual(before);
    });

    it("sets the time since which refresh tokens have their own key only once", async () => {
      const { ownRefreshSince } = await read();
      await change({ ownRefreshSince: scene.now + 60 });
      expect(await read()).toMatchObject({ version: 1, ownRefreshSince });
    });

    it("records the audit rows of the winner, in the transaction of the change", async () => {
      const { keys, audit } = scene.store;
      const changes = { add: [newKey("a")] };
      const toRecords = ({ add = [] }: KeyChange) =>
        add.map(({ kid: reason }) => ({
          row: toAuditRow({ type: "csrf_refused", time: 7, reason, client: {} }),
          delivery: null,
        }));
      expect(await keys.change(0, changes, toRecords)).toBe(true);
      expect(await keys.change(0, { add: [newKey("b")] }, toRecords)).toBe(false);
      const fails = () => {
        throw new TypeError("no such record");
      };
      await expect(keys.change(1, { add: [newKey("c")] }, fails)).rejects.toThrow("no such record");
      const { entries } = await audit.read({ after: null, limit: 9 });
      expect(entries.map(({ reason }) => reason)).toEqual(["a"]);
      expect(await read()).toMatchObject({ version: 1, keys: [{ kid: "a" }] });
    });
  });

  describe("the version of the keys", () => {
    const version = async () => (await scene.store.feed.read(readAfter(null))).state.keysVersion;

    it("is read with the feed, also if there is nothing new, and is raised by every change of a key or a service", async () => {
      const { keys, services, feed } = scene.store;
      expect(await version()).toBe(0);
      const { cursor } = await feed.read(readAfter(null));
      await keys.change(0, {});
      expect(await version()).toBe(1);
      expect(await feed.read(readAfter(cursor))).toMatchObject({ revocations: [], state: { keysVersion: 1 } });
      await services.create(newService("shop"));
      expect(await version()).toBe(2);
      await services.rotate("shop", { credentialHash: toHash(2), prefix: "22222222", overlap: 0 });
      expect(await version()).toBe(3);
      await services.revoke("shop");
      expect(await version()).toBe(4);
      expect((await read()).version).toBe(4);
    });

    it("stays as it is if nothing changed", async () => {
      const { keys, services, users, sessions } = scene.store;
      await services.create(newService("shop"));
      await keys.change(0, { add: [newKey("a")] });
      await keys.change(1, { update: [{ kid: "gone" }] }).catch(() => {});
      await services.create(newService("shop", { credentialHash: toHash(2) }));
      await services.rotate("gone", { credentialHash: toHash(3), prefix: "33333333", overlap: 60 });
      await services.revoke("gone");
      await services.find(toHash(1));
      await users.ensure("external");
      await sessions.revokeAll("revoked");
      expect(await version()).toBe(1);
    });

    it("wakes the subscribers of the feed when it is raised", async () => {
      const { keys, services, feed } = scene.store;
      const changes: readonly (() => Promise<unknown>)[] = [
        () => keys.change(0, { add: [newKey("a")] }),
        () => services.create(newService("shop")),
        () => services.rotate("shop", { credentialHash: toHash(2), prefix: "22222222", overlap: 60 }),
        () => services.revoke("shop"),
      ];
      let raised = 0;
      for (const act of changes) {
        const woken = new Promise<number>((resolve) => {
          const stop = feed.subscribe(() => {
            const check = (current: number) => {
              // A store that listens is also woken when its connection is there.
              if (current <= raised) return;
              stop();
              resolve(current);
            };
            version().then(check, () => {});
          });
        });
        await act();
        expect(await woken).toBe(raised + 1);
        raised += 1;
      }
    });
  });
}
