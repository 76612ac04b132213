import { describe, expect, it } from "vitest";
import type { ListKey, ListPart, ListResult } from "../../../src/core/store/staff.ts";
import { toAuditRow } from "../../../src/events/audit-row.ts";
import { addSession, addUser, rotationOf } from "./records.ts";
import type { Scene } from "./scene.ts";

const firstPart: ListPart = { from: null, isBackward: false, limit: 10, scan: 1_000 };

type Read<T> = (part: ListPart) => Promise<ListResult<T>>;

/** Reads a list to its end, part by part. */
async function readAll<T>(read: Read<T>, part: Partial<ListPart> = {}): Promise<readonly T[]> {
  const rows: T[] = [];
  let from: ListKey | null = null;
  do {
    const result = await read({ ...firstPart, ...part, from });
    rows.push(...result.rows.map(({ row }) => row));
    from = result.end;
  } while (from !== null);
  return rows;
}

/** Defines the tests of how every store lists users, sessions and audit entries for the staff. */
export function describeStaffContract(scene: Scene): void {
  describe("staff.users", () => {
    const names = async (filter: Parameters<typeof scene.store.staff.users>[0], part: Partial<ListPart> = {}) =>
      (await readAll((of) => scene.store.staff.users(filter, of), part)).map(({ username }) => username);

    it("returns all users, newest first, in parts of any size, forward and backward", async () => {
      for (const name of ["a", "b", "c", "d", "e"]) await addUser(scene.store, name);
      for (const limit of [1, 2, 5, 9]) expect(await names({}, { limit })).toEqual(["e", "d", "c", "b", "a"]);
      const { rows } = await scene.store.staff.users({}, firstPart);
      const last = rows.at(-1)?.key ?? null;
      const back = await scene.store.staff.users({}, { ...firstPart, from: last, isBackward: true, limit: 2 });
      expect(back.rows.map(({ row }) => row.username)).toEqual(["c", "b"]);
      const rest = await scene.store.staff.users({}, { ...firstPart, from: back.end, isBackward: true });
      expect(rest.rows.map(({ row }) => row.username)).toEqual(["e", "d"]);
      expect(rest.end).toBeNull();
    });

    it("finds users by the beginning of the name or the email address, whatever it contains", async () => {
      await addUser(scene.store, "Ann", { email: "Ann@example.org" });
      await addUser(scene.store, "anna", { email: "x@example.org" });
      await addUser(scene.store, "an%", { email: "a%@example.org" });
      await addUser(scene.store, "bob");
      expect(await names({ namePrefix: "ann" }, { limit: 1 })).toEqual(["Ann", "anna"]);
      expect(await names({ namePrefix: "an%" })).toEqual(["an%"]);
      expect(await names({ emailPrefix: "ANN@" })).toEqual(["Ann"]);
      expect(await names({ emailPrefix: "a%" }, { limit: 1 })).toEqual(["an%"]);
      expect(await names({ emailPrefix: "" }, { limit: 1 })).toEqual(["an%", "Ann", "anna"]);
    });

    it("filters by role and state, and says how far the search came", async () => {
      await addUser(scene.store, "ada", { role: "admin" });
      for (let n = 0; n < 20; n++) await addUser(scene.store, `user${n}`);
      const off = await addUser(scene.store, "off", { role: "viewer" });
      await scene.store.users.disable(off);
      expect(await names({ role: "admin" }, { scan: 4 })).toEqual(["ada"]);
      expect(await names({ role: "none" }, { limit: 3, scan: 5 })).toHaveLength(20);
      expect(await names({ isActive: false })).toEqual(["off"]);
      const rare = { role: "admin", namePrefix: "" } as const;
      const { rows, end } = await scene.store.staff.users(rare, { ...firstPart, scan: 1, from: ["off"] });
      expect(rows).toEqual([]);
      expect(end).not.toBeNull();
      expect(await names({ role: "viewer", isActive: false })).toEqual(["off"]);
      expect(await names({ role: "viewer", isActive: true })).toEqual([]);
    });

    it("returns each user once while others are created and deleted", async () => {
      const ids: string[] = [];
      for (let n = 0; n < 12; n++) ids.push(await addUser(scene.store, `user${n}`));
      const seen: string[] = [];
      let from: ListKey | null = null;
      for (let part = 0; part === 0 || from !== null; part++) {
        const result: ListResult<{ readonly id: string }> = await scene.store.staff.users(
          {},
          { ...firstPart, from, limit: 3 },
        );
        seen.push(...result.rows.map(({ row }) => row.id));
        from = result.end;
        await addUser(scene.store, `new${part}`);
        await scene.store.users.delete(ids[part] as string);
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(ids.slice(4).every((id) => seen.includes(id))).toBe(true);
    });
  });

  describe("staff.sessions", () => {
    const ids = async (filter: Parameters<typeof scene.store.staff.sessions>[0], part: Partial<ListPart> = {}) =>
      (await readAll((of) => scene.store.staff.sessions(filter, of), part)).map(({ id }) => id);

    it("returns live and ended sessions, newest first, with the user's name", async () => {
      const alice = await addUser(scene.store, "alice");
      await addSession(scene.store, "s1", alice);
      scene.now += 1;
      await addSession(scene.store, "s2", alice, { ip: "203.0.113.9", userAgent: "Chrome 1_0%" });
      await addSession(scene.store, "s3", alice);
      await scene.store.sessions.rotate(rotationOf("s1", 0));
      await scene.store.sessions.revoke("s3", "logout");
      expect(await ids({}, { limit: 1 })).toEqual(["s3", "s2", "s1"]);
      expect(await ids({ state: "live" }, { limit: 1 })).toEqual(["s2", "s1"]);
      expect(await ids({ state: "ended" })).toEqual(["s3"]);
      const [first] = await readAll((part) => scene.store.staff.sessions({ state: "ended" }, part));
      expect(first).toEqual({
        id: "s3",
        userId: alice,
        username: "alice",
        createdAt: scene.now,
        lastUsedAt: scene.now,
        expiresAt: scene.now + 100,
        generation: 0,
        ip: "192.0.2.1",
        userAgent: "Firefox",
        label: null,
        actor: null,
        isLive: false,
        revokedAt: scene.now,
        revokeReason: "logout",
      });
    });

    it("filters by every member", async () => {
      const alice = await addUser(scene.store, "alice");
      const bob = await addUser(scene.store, "bob");
      await addSession(scene.store, "s1", alice, { ip: "203.0.113.9", userAgent: "Chrome 1_0%" });
      scene.now += 10;
      await addSession(scene.store, "s2", alice, { ip: "203.0.114.1", userAgent: "Firefox" });
      await addSession(scene.store, "s3", bob, { ip: null, userAgent: null });
      expect(await ids({ userId: alice })).toEqual(["s2", "s1"]);
      expect(await ids({ ips: ["203.0.113.9", "192.0.2.99"] })).toEqual(["s1"]);
      expect(await ids({ ipPrefixes: ["203.0.113.", "203.0.114."] })).toEqual(["s2", "s1"]);
      expect(await ids({ ipPrefixes: ["203.0.114."] })).toEqual(["s2"]);
      expect(await ids({ userAgent: "chrome 1_0%" })).toEqual(["s1"]);
      expect(await ids({ userAgent: "1%" })).toEqual([]);
      expect(await ids({ createdBefore: scene.now })).toEqual(["s1"]);
      expect(await ids({ unusedSince: scene.now })).toEqual(["s1"]);
      await scene.store.users.disable(bob);
      expect(await ids({ state: "live", userId: bob })).toEqual([]);
      scene.now += 95;
      expect(await ids({ state: "live" })).toEqual(["s2"]);
      expect(await ids({ state: "live", ips: ["203.0.113.9"] }, { scan: 1 })).toEqual([]);
    });
  });

  describe("the reports of nodes", () => {
    it("replace each other, and are forgotten after an hour", async () => {
      await scene.store.staff.report({ id: "a", body: "1" });
      await scene.store.staff.report({ id: "a", body: "2" });
      scene.now += 10;
      await scene.store.staff.report({ id: "b", body: "3" });
      expect(await scene.store.staff.reports()).toEqual({
        reports: [
          { id: "a", reportedAt: scene.now - 10, body: "2" },
          { id: "b", reportedAt: scene.now, body: "3" },
        ],
        now: scene.now,
      });
      scene.now += 3_595;
      await scene.store.staff.report({ id: "b", body: "4" });
      expect((await scene.store.staff.reports()).reports.map(({ body }) => body)).toEqual(["4"]);
      await scene.store.staff.forgetReport("b");
      expect((await scene.store.staff.reports()).reports).toEqual([]);
    });

    it("can have the number of live sessions and of their users", async () => {
      const [alice, bob] = [await addUser(scene.store, "alice"), await addUser(scene.store, "bob")];
      await addSession(scene.store, "s1", alice);
      await addSession(scene.store, "s2", alice);
      await addSession(scene.store, "s3", bob);
      expect(await scene.store.staff.countLive()).toEqual({ sessions: 3, users: 2 });
      await scene.store.users.disable(bob);
      expect(await scene.store.staff.countLive()).toEqual({ sessions: 2, users: 1 });
    });
  });

  describe("staff.audit", () => {
    const times = async (filter: Parameters<typeof scene.store.staff.audit>[0], part: Partial<ListPart> = {}) =>
      (await readAll((of) => scene.store.staff.audit(filter, of), part)).map(({ time }) => time);

    it("returns entries, newest first, and filters by every member", async () => {
      const client = { ip: "192.0.2.7", actor: "ada", note: "laptop stolen" };
      await scene.store.audit.append([
        toAuditRow({ type: "user_changed", time: 1, userId: "7", change: "updated", client: {} }),
        toAuditRow({ type: "user_changed", time: 2, userId: "7", change: "disabled", client }),
        toAuditRow({ type: "csrf_refused", time: 3, reason: "no cookie", client: { ip: "192.0.2.8" } }),
        toAuditRow({ type: "user_changed", time: 4, userId: "8", change: "enabled", client: {} }),
      ]);
      expect(await times({}, { limit: 1 })).toEqual([4, 3, 2, 1]);
      expect(await times({ userId: "7" }, { limit: 1 })).toEqual([2, 1]);
      expect(await times({ userId: "7", since: 2 })).toEqual([2]);
      expect(await times({ types: ["csrf_refused", "login"] }, { scan: 2 })).toEqual([3]);
      expect(await times({ ip: "192.0.2.8" })).toEqual([3]);
      expect(await times({ actor: "ada" })).toEqual([2]);
      expect(await times({ hasActor: true })).toEqual([2]);
      expect(await times({ since: 2, before: 4 }, { limit: 1 })).toEqual([3, 2]);
      expect((await readAll((part) => scene.store.staff.audit({ actor: "ada" }, part)))[0]).toMatchObject({
        note: "laptop stolen",
        details: { change: "disabled" },
      });
    });
  });
}
