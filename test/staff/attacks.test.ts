import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Role } from "../../src/core/role.ts";
import type { AuthUser, User } from "../../src/core/user.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
afterEach(() => scene.close());

const reason = "laptop stolen, ticket 4411";
const firstPart = { from: null, isBackward: false, limit: 100, scan: 1_000 };
const findRefusals = async () =>
  (await scene.store.staff.audit({ types: ["staff_refused"] }, firstPart)).rows.map(({ row }) => row);

describe("the roles of an application", () => {
  type Account = AuthUser & { role: Role | null; isFound: boolean };
  const accounts = new Map<string, Account>();

  async function addAccount(id: string, role: Role | null, more: Partial<Account> = {}): Promise<string> {
    accounts.set(id, { id, username: id, isActive: true, isFound: true, role });
    const { access } = await scene.auth.issue(id);
    accounts.set(id, { id, username: id, isActive: true, isFound: true, role, ...more });
    return access;
  }

  beforeEach(async () => {
    accounts.clear();
    const findUser = (id: string) => {
      const account = accounts.get(id);
      return (account?.isFound ? account : null) as User | null;
    };
    const roleOf = (id: string) => {
      const { role = null } = accounts.get(id) ?? {};
      if (accounts.get(id)?.username === "broken") throw new Error("the application's database is down");
      return role;
    };
    scene = await createStaffScene({ findUser }, undefined, { roleOf });
  });

  it.each([{ isActive: false }, { isFound: false }])("count for a target that is %j", async (state) => {
    const eve = await addAccount("eve", "support");
    const boss = await addAccount("boss", "admin", state);
    await scene.auth.users.disable("boss");
    for (const action of ["enable", "disable", "logout", "unlock"]) {
      const answer = await scene.call(eve, "POST", `users/boss/${action}/`, { reason });
      expect([action, answer.status, answer.body.code]).toEqual([action, 403, "permission_denied"]);
    }
    expect((await scene.call(boss, "GET", "me/")).status).toBe(401);
  });

  it("don't let in a member whom the application has deactivated", async () => {
    const ada = await addAccount("ada", "admin");
    expect((await scene.call(ada, "GET", "me/")).status).toBe(200);
    accounts.set("ada", { ...(accounts.get("ada") as Account), isActive: false });
    expect(await scene.call(ada, "GET", "me/")).toMatchObject({ status: 403, body: { code: "not_staff" } });
  });

  it("let nobody in, and allow nothing, if the application doesn't answer", async () => {
    const [ada, broken] = [await addAccount("ada", "admin"), await addAccount("broken", "admin")];
    expect((await scene.call(broken, "GET", "me/")).status).toBeGreaterThanOrEqual(500);
    expect((await scene.call(ada, "POST", "users/broken/logout/", { reason })).status).toBeGreaterThanOrEqual(500);
    expect(await scene.auth.sessions.list("broken")).toHaveLength(1);
  });
});

describe("sessions/revoke/", () => {
  it("is confirmed even if the last session that matches can't be revoked", async () => {
    scene = await createStaffScene();
    const ada = await scene.addUser("ada", "admin");
    const bob = await scene.addUser("bob");
    // The member's own sessions are skipped, and some of them are the oldest and some the newest.
    await scene.auth.issue(ada.id);
    const { access } = await scene.auth.issue(ada.id);
    const dry = await scene.call(access, "POST", "sessions/revoke/", { filter: {}, dry_run: true, reason });
    const done = await scene.call(access, "POST", "sessions/revoke/", { filter: {}, expected: 1, reason });
    expect([dry.body, done.body]).toEqual([
      { sessions: 1, confirmed: null },
      { sessions: 1, confirmed: "acks" },
    ]);
    expect(await scene.auth.sessions.list(bob.id)).toEqual([]);
    expect(await scene.auth.sessions.list(ada.id)).toHaveLength(3);
  });
});

describe("users/bulk/", () => {
  it("records each refusal, like the same action on one user", async () => {
    scene = await createStaffScene();
    const [eve, root] = [await scene.addUser("eve", "support"), await scene.addUser("root", "admin")];
    const body = { action: "logout", ids: [root.id, "nobody"], reason };
    expect((await scene.call(eve.access, "POST", "users/bulk/", body)).status).toBe(200);
    await expect.poll(findRefusals).toHaveLength(1);
    expect((await findRefusals())[0]).toMatchObject({
      userId: eve.id,
      actor: "staff/eve",
      details: { action: "changeStaffUsers", code: "permission_denied", targetId: root.id },
    });
  });
});

describe("an id that no database can store", () => {
  it.each(["a\0b", "x".repeat(10_000), "../1", "1/../2", "%", "' OR 1=1 --"])("is not found: %j", async (id) => {
    scene = await createStaffScene();
    const ada = await scene.addUser("ada", "admin");
    const part = encodeURIComponent(id);
    for (const [method, path, body] of [
      ["POST", `users/${part}/disable/`, {}],
      ["POST", `users/${part}/enable/`, {}],
      ["POST", `users/${part}/unlock/`, {}],
      ["POST", `users/${part}/logout/`, {}],
      ["POST", `users/${part}/set-password/`, { generate: true }],
      ["PATCH", `users/${part}/`, { email: null }],
      ["DELETE", `users/${part}/`, { username: "x" }],
      ["DELETE", `sessions/${part}/`, {}],
      ["GET", `users/${part}/`, undefined],
    ] as const) {
      const answer = await scene.call(ada.access, method, path, body && { ...body, reason });
      expect([method, path.slice(0, 40), answer.status]).toEqual([method, path.slice(0, 40), 404]);
    }
    const bulk = await scene.call(ada.access, "POST", "users/bulk/", { action: "enable", ids: [id, ada.id], reason });
    expect([200, 400]).toContain(bulk.status);
    const jti = await scene.call(ada.access, "POST", "tokens/revoke/", { jti: id, reason });
    expect([200, 400]).toContain(jti.status);
  });

  it("doesn't hide a refusal from the audit log", async () => {
    scene = await createStaffScene();
    const eve = await scene.addUser("eve", "viewer");
    expect((await scene.call(eve.access, "POST", "users/a%00b/disable/", { reason })).status).toBe(403);
    await expect.poll(findRefusals).toHaveLength(1);
  });
});
