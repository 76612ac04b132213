import { describe, expect, it } from "vitest";
import type { ChangedService, Service } from "../../../src/core/store/services.ts";
import { toAuditRow } from "../../../src/events/audit-row.ts";
import { newService, toHash } from "./records.ts";
import type { Scene } from "./scene.ts";

/** Defines the tests of every store's services. */
export function describeServiceContract(scene: Scene): void {
  const nameOf = async (hash: Uint8Array) => (await scene.store.services.find(hash))?.name;
  const rotateTo = (n: number, overlap: number) =>
    scene.store.services.rotate("shop", { credentialHash: toHash(n), prefix: `prefix${n}`, overlap });

  describe("services.create", () => {
    it("stores a service, which is listed by name and found by its credential's hash", async () => {
      const { services } = scene.store;
      const shop: Service = {
        name: "shop",
        scopes: ["revoke", "feed"],
        prefix: "prefix01",
        createdAt: scene.now,
        previousUntil: null,
      };
      const created = await services.create(newService("shop", { scopes: ["revoke", "feed"] }));
      expect(created).toStrictEqual({ ...shop, now: scene.now });
      const names = ["a-b", "Z.z", "a_b"];
      for (const [i, name] of names.entries())
        await services.create(newService(name, { credentialHash: toHash(10 + i) }));
      const list = await services.list();
      expect(list.map(({ name }) => name)).toEqual(["Z.z", "a-b", "a_b", "shop"]);
      expect(list[3]).toStrictEqual(shop);
      expect(await services.find(toHash(1))).toStrictEqual({ ...shop, validUntil: null });
      expect(await services.find(toHash(2))).toBeNull();
      expect(await services.find(new Uint8Array(0))).toBeNull();
    });

    it("refuses a name that is taken, and the hash of another service's credential", async () => {
      const { services } = scene.store;
      await services.create(newService("shop"));
      expect(await services.create(newService("shop", { scopes: ["feed"], credentialHash: toHash(2) }))).toBeNull();
      expect(await nameOf(toHash(2))).toBeUndefined();
      expect(await services.find(toHash(1))).toMatchObject({ name: "shop", scopes: ["introspect"] });
      await expect(services.create(newService("other"))).rejects.toThrow();
      expect(await services.list()).toHaveLength(1);
    });

    it("creates one of several services of one name at once", async () => {
      const { services } = scene.store;
      const attempts = [1, 2, 3, 4].map((n) => services.create(newService("shop", { credentialHash: toHash(n) })));
      const created = await Promise.all(attempts);
      expect(created.filter((service) => service !== null)).toHaveLength(1);
      const found = await Promise.all([1, 2, 3, 4].map((n) => nameOf(toHash(n))));
      expect(found).toEqual(created.map((service) => service?.name));
    });
  });

  describe("services.rotate", () => {
    it("replaces the credential, and the replaced one ends when the overlap is over by the database's clock", async () => {
      const { services } = scene.store;
      await services.create(newService("shop"));
      scene.now += 10;
      const previousUntil = scene.now + 60;
      const shop = { name: "shop", scopes: ["introspect"], prefix: "prefix2", createdAt: scene.now - 10 };
      expect(await rotateTo(2, 60)).toStrictEqual({ ...shop, previousUntil, now: scene.now });
      scene.now += 59;
      expect(await services.find(toHash(1))).toStrictEqual({ ...shop, previousUntil, validUntil: previousUntil });
      expect(await services.find(toHash(2))).toStrictEqual({ ...shop, previousUntil, validUntil: null });
      expect(await services.list()).toStrictEqual([{ ...shop, previousUntil }]);
      scene.now += 1;
      expect(await services.find(toHash(1))).toBeNull();
      expect(await services.find(toHash(2))).toStrictEqual({ ...shop, previousUntil: null, validUntil: null });
      expect(await services.list()).toStrictEqual([{ ...shop, previousUntil: null }]);
    });

    it("ends the replaced credential at once if there is no overlap", async () => {
      await scene.store.services.create(newService("shop"));
      expect(await rotateTo(2, 0)).toMatchObject({ prefix: "prefix2", previousUntil: null });
      expect([await nameOf(toHash(1)), await nameOf(toHash(2))]).toEqual([undefined, "shop"]);
    });

    it("ends a credential that an earlier rotation has replaced", async () => {
      await scene.store.services.create(newService("shop"));
      await rotateTo(2, 60);
      await rotateTo(3, 60);
      const found = await Promise.all([1, 2, 3].map((n) => nameOf(toHash(n))));
      expect(found).toEqual([undefined, "shop", "shop"]);
    });

    it("changes no other service, and returns null if there is none of that name", async () => {
      const { services } = scene.store;
      await services.create(newService("other", { credentialHash: toHash(9) }));
      expect(await rotateTo(2, 60)).toBeNull();
      expect(await nameOf(toHash(9))).toBe("other");
      expect(await nameOf(toHash(2))).toBeUndefined();
    });
  });

  describe("services.revoke", () => {
    it("ends both credentials at once, and returns null if there is nothing to revoke", async () => {
      const { services } = scene.store;
      await services.create(newService("shop"));
      await services.create(newService("other", { credentialHash: toHash(9) }));
      await rotateTo(2, 60);
      scene.now += 5;
      expect(await services.revoke("shop")).toMatchObject({ name: "shop", now: scene.now, previousUntil: null });
      const found = await Promise.all([1, 2, 9].map((n) => nameOf(toHash(n))));
      expect(found).toEqual([undefined, undefined, "other"]);
      expect(await services.list()).toMatchObject([{ name: "other" }]);
      for (const name of ["shop", "gone"]) expect(await services.revoke(name)).toBeNull();
      expect(await rotateTo(3, 60)).toBeNull();
    });

    it("makes the name free for a new service, which gets nothing of the old one", async () => {
      const { services } = scene.store;
      await services.create(newService("shop", { scopes: ["feed", "introspect", "revoke"] }));
      await rotateTo(2, 3_600);
      await services.revoke("shop");
      scene.now += 5;
      const created = await services.create(newService("shop", { scopes: ["feed"], credentialHash: toHash(3) }));
      const shop = { name: "shop", scopes: ["feed"], prefix: "prefix01", createdAt: scene.now, previousUntil: null };
      expect(created).toStrictEqual({ ...shop, now: scene.now });
      const found = await Promise.all([1, 2, 3].map((n) => services.find(toHash(n))));
      expect(found).toStrictEqual([null, null, { ...shop, validUntil: null }]);
    });
  });

  describe("the audit of a change of a service", () => {
    it("is written in its transaction, from its result, and not if nothing changed", async () => {
      const { services, audit } = scene.store;
      const toRecords = ({ name, prefix, now: time }: ChangedService) => [
        { row: toAuditRow({ type: "csrf_refused", time, reason: `${name} ${prefix}`, client: {} }), delivery: null },
      ];
      const rotated = { credentialHash: toHash(2), prefix: "prefix02", overlap: 0 };
      await services.create(newService("shop"), toRecords);
      await services.create(newService("shop"), toRecords);
      await services.rotate("shop", rotated, toRecords);
      await services.rotate("gone", rotated, toRecords);
      await services.revoke("shop", toRecords);
      await services.revoke("shop", toRecords);
      const { entries } = await audit.read({ after: null, limit: 9 });
      expect(entries.map(({ reason }) => reason)).toEqual(["shop prefix01", "shop prefix02", "shop prefix02"]);
    });

    it("rolls the change back if it fails", async () => {
      const { services } = scene.store;
      const fails = () => {
        throw new TypeError("no such record");
      };
      await expect(services.create(newService("shop"), fails)).rejects.toThrow("no such record");
      expect(await services.list()).toEqual([]);
      await services.create(newService("shop"));
      const rotated = { credentialHash: toHash(2), prefix: "prefix02", overlap: 0 };
      await expect(services.rotate("shop", rotated, fails)).rejects.toThrow("no such record");
      await expect(services.revoke("shop", fails)).rejects.toThrow("no such record");
      expect(await services.find(toHash(1))).toMatchObject({ name: "shop", prefix: "prefix01" });
      expect((await scene.store.keys.read()).version).toBe(1);
    });
  });
}
