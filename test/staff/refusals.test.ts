import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
let ada: { id: string; access: string };
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  scene = await createStaffScene();
  ada = await scene.addUser("ada", "admin");
});
afterEach(async () => {
  await scene.close();
  vi.useRealTimers();
});

const paths = [
  "me/",
  "overview/",
  "nodes/",
  "health/",
  "settings/",
  "keys/",
  "users/",
  "users/1/",
  "sessions/",
  "audit/",
  "audit/stream/",
  "audit/export/?format=csv",
];

describe("the staff API", () => {
  it("has an answer for a member at every path of this test, which are all that it has", async () => {
    const document = JSON.parse(await scene.text(ada.access, "schema/"));
    const documented = Object.entries<Record<string, unknown>>(document.paths)
      .filter(([path, item]) => path.startsWith("/api/admin/") && "get" in item && path !== "/api/admin/schema/")
      .map(([path]) => path.replace("/api/admin/", "").replace("{id}", "1"));
    expect(documented.sort()).toEqual(paths.map((path) => path.replace(/\?.*/, "")).sort());
    for (const path of paths) {
      const response = await scene.request(ada.access, path);
      await response.body?.cancel();
      expect([path, response.status]).toEqual([path, 200]);
    }
  });

  it("refuses a member who is only a viewer now what only admins may do", async () => {
    await scene.auth.users.update(ada.id, { role: "viewer" });
    expect((await scene.call(ada.access, "GET", "me/")).body.permissions).toEqual(["read"]);
    const { status, body } = await scene.call(ada.access, "GET", "audit/export/?format=csv");
    expect([status, body.code]).toEqual([403, "permission_denied"]);
  });

  it("never trusts a claim about the role", async () => {
    await scene.close();
    scene = await createStaffScene({ claims: async () => ({ role: "admin", is_staff: true }) });
    const bob = await scene.addUser("bob");
    expect((await scene.call(bob.access, "GET", "me/")).body.code).toBe("not_staff");
  });

  it("refuses a session in which somebody else acts for a member", async () => {
    const { access } = await scene.auth.issue(ada.id, { actor: "support-7" });
    expect((await scene.call(access, "GET", "me/")).body.code).toBe("impersonated");
  });

  it("answers every path and method in its document alike without a token: 401", async () => {
    const document = JSON.parse(await scene.text(ada.access, "schema/"));
    for (const [path, item] of Object.entries<object>(document.paths)) {
      if (!path.startsWith("/api/admin/") || path === "/api/admin/schema/") continue;
      for (const method of Object.keys(item)) {
        const response = await scene.staff.fetch(
          new Request(`http://localhost${path.replaceAll(/\{\w+\}/g, "1")}`, {
            method: method.toUpperCase(),
            headers: { "Content-Type": "application/json" },
            ...(method === "get" ? {} : { body: "{}" }),
          }),
        );
        expect([path, method, response.status]).toEqual([path, method, 401]);
      }
    }
  });
});
