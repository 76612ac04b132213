import { describe, expect, it } from "vitest";
import type { AuditOf } from "../../../src/core/store/audit.ts";
import { addUser } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of how every store hands out webhook messages. */
export function describeOutboxContract(scene: Scene): void {
  const options = { limit: 10, lease: 60 };

  /** Makes a change that puts messages into the outbox. */
  async function put(...ids: string[]): Promise<void> {
    const audit: AuditOf<unknown> = () =>
      ids.map((id) => ({
        row: null,
        delivery: { id, body: `{"id":"${id}","text":"☃\\u0000"}`, at: scene.now },
      }));
    await scene.store.feed.revokeToken("jti", { audit });
  }
  const claimIds = async (claim = options) => (await scene.store.outbox.claim(claim)).map(({ id }) => id).sort();

  describe("the outbox", () => {
    it("returns the message of a change byte for byte, and adds no audit entry", async () => {
      const at = scene.now;
      await put("a");
      scene.now += 5;
      const body = '{"id":"a","text":"☃\\u0000"}';
      expect(await scene.store.outbox.claim(options)).toEqual([{ id: "a", body, at, attempts: 1, now: at + 5 }]);
      expect((await scene.store.audit.read({ after: null, limit: 9 })).entries).toEqual([]);
    });

    it("has no message of a change that failed", async () => {
      const audit: AuditOf<unknown> = () => [
        { row: null, delivery: { id: "a", body: "{}", at: 1 } },
        { row: { type: null } as never, delivery: null },
      ];
      await expect(
        addUser(scene.store, "alice").then((id) => scene.store.users.disable(id, { audit })),
      ).rejects.toThrow();
      expect(await claimIds()).toEqual([]);
    });

    it("gives each message to only one of several concurrent claims until its lease is over", async () => {
      await put("a", "b", "c", "d");
      const claims = await Promise.all([1, 2, 3].map(() => claimIds({ limit: 2, lease: 60 })));
      expect(claims.flat().sort()).toEqual(["a", "b", "c", "d"]);
      scene.now += 59;
      expect(await claimIds()).toEqual([]);
      scene.now += 1;
      expect(await claimIds()).toEqual(["a", "b", "c", "d"]);
    });

    it("removes and postpones a message only for its last claim", async () => {
      const { outbox } = scene.store;
      await put("a", "b");
      const [first] = await outbox.claim({ limit: 1, lease: 10 });
      scene.now += 10;
      const claimed = await outbox.claim(options);
      const again = claimed.find(({ id }) => id === first?.id);
      const other = claimed.find(({ id }) => id !== first?.id);
      if (first === undefined || again === undefined || other === undefined) throw new Error("not claimed");
      expect(again.attempts).toBe(2);
      expect([await outbox.remove(first), await outbox.postpone(first, 1)]).toEqual([false, false]);
      expect([await outbox.remove(again), await outbox.postpone(other, 100)]).toEqual([true, true]);
      scene.now += 99;
      expect(await claimIds()).toEqual([]);
      scene.now += 1;
      expect(await claimIds()).toEqual([other.id]);
    });
  });
}
