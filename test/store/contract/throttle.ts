import { describe, expect, it } from "vitest";
import type { CountSnapshot, CountVerdict, FailureCount } from "../../../src/core/store/throttle.ts";
import type { Scene } from "./scene.ts";

/**
 * Returns a decision that counts a failure under each of `keys`, up to `most`. Its result is whether it counted one.
 */
const countUpTo =
  (most: number, keys: readonly string[], expiresAt: number | null = null) =>
  ({ counts, now }: CountSnapshot): CountVerdict<boolean> => {
    const failures = (key: string) => counts.get(key)?.failures ?? 0;
    if (keys.some((key) => failures(key) >= most)) return { result: false, changes: new Map() };
    const changes = keys.map((key) => [key, { failures: failures(key) + 1, lastAt: now, expiresAt }] as const);
    return { result: true, changes: new Map(changes) };
  };

/** Defines the tests of how every store counts failed logins. */
export function describeThrottleContract(scene: Scene): void {
  const count = (keys: readonly string[], expiresAt: number | null = null) =>
    scene.store.throttle.decide(keys, countUpTo(Infinity, keys, expiresAt));
  const read = (keys: readonly string[]): Promise<ReadonlyMap<string, FailureCount>> =>
    scene.store.throttle.decide(keys, ({ counts }) => ({ result: counts, changes: new Map() }));

  describe("throttle.decide and throttle.clear", () => {
    it("pass exactly the counts under the given keys, with the store's time, to the decision", async () => {
      await count(["a", "b"]);
      scene.now += 5;
      await count(["b", "c"]);
      expect(await read(["a", "b", "x"])).toEqual(
        new Map([
          ["a", { failures: 1, lastAt: 1_000_000, expiresAt: null }],
          ["b", { failures: 2, lastAt: 1_000_005, expiresAt: null }],
        ]),
      );
    });

    it("allow no more of many concurrent attempts than the decision does, and count under all keys or none", async () => {
      await scene.store.throttle.decide(["b"], countUpTo(Infinity, ["b"]));
      const keys = ["a", "b"];
      const attempts = Array.from({ length: 40 }, (_, i) =>
        scene.store.throttle.decide(i % 2 === 0 ? keys : keys.toReversed(), countUpTo(7, keys), {
          peekFirst: i % 3 > 0,
        }),
      );
      expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(6);
      const counts = await read(keys);
      expect([counts.get("a")?.failures, counts.get("b")?.failures]).toEqual([6, 7]);
    });

    it("clear exactly the counts that the verdict clears", async () => {
      await count(["a", "b"]);
      await scene.store.throttle.decide(["a", "b"], () => ({ result: null, changes: new Map([["a", null]]) }));
      expect([...(await read(["a", "b"])).keys()]).toEqual(["b"]);
    });

    it("ignore an expired count, which the cleanup deletes", async () => {
      await count(["short", "long"], scene.now + 10);
      await count(["long"], scene.now + 20);
      await count(["kept"]);
      scene.now += 10;
      expect([...(await read(["short", "long", "kept"])).keys()].sort()).toEqual(["kept", "long"]);
      expect((await scene.store.deleteExpired({ limit: 10, horizon: 0 })).failures).toBe(1);
      scene.now += 10_000_000;
      expect((await scene.store.deleteExpired({ limit: 10, horizon: 0 })).failures).toBe(1);
      expect([...(await read(["long", "kept"])).keys()]).toEqual(["kept"]);
    });

    it("clear a key and every key below it, and no other", async () => {
      const below = ["account:1", "account:1/address:x", "account:1/device:y"];
      const others = ["account:10", "account:1-", "account:0", "address:1"];
      await count([...below, ...others]);
      expect(await scene.store.throttle.clear("account:1")).toEqual({ counts: 3, time: scene.now });
      expect([...(await read([...below, ...others])).keys()].sort()).toEqual(others.toSorted());
      expect((await scene.store.throttle.clear("account:1")).counts).toBe(0);
    });
  });
}
