import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createConsole } from "../../src/staff/index.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
let ada: { id: string; access: string };
beforeEach(async () => {
  scene = await createStaffScene();
  ada = await scene.addUser("ada", "admin");
});
afterEach(() => scene.close());

const toText = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a cursor that a client wrote", () => {
  it.each(["users/", "users/?search=us", "users/?search=us@", "sessions/", "audit/", "audit/?user=1"])(
    "is refused for %s unless its values have the types of the list",
    async (path) => {
      for (let n = 0; n < 3; n++) await scene.addUser(`us${n}`, null, { email: `us@${n}.example` });
      await scene.auth.issue(ada.id);
      const at = `${path}${path.includes("?") ? "&" : "?"}page_size=1`;
      const { body } = await scene.call(ada.access, "GET", at);
      const [hash, back, count, ...key] = JSON.parse(Buffer.from(body.next, "base64url").toString());
      const other = (value: unknown) => (typeof value === "number" ? "x" : 1);
      const wrong = [
        [],
        [...key, 1],
        key.slice(1),
        [other(key[0]), ...key.slice(1)],
        [null, ...key.slice(1)],
        [{ a: 1 }, ...key.slice(1)],
        [typeof key[0] === "number" ? 1.5 : "\uD800", ...key.slice(1)],
        [typeof key[0] === "number" ? 2 ** 60 : ["a"], ...key.slice(1)],
      ];
      for (const values of wrong) {
        const answer = await scene.call(ada.access, "GET", `${at}&cursor=${toText([hash, back, count, ...values])}`);
        expect([values, answer.status]).toEqual([values, 400]);
      }
      for (const total of ["x", -1, 1.5, {}, 2 ** 60]) {
        const answer = await scene.call(ada.access, "GET", `${at}&cursor=${toText([hash, back, total, ...key])}`);
        expect([total, answer.status]).toEqual([total, 400]);
      }
      const { status } = await scene.call(ada.access, "GET", `${at}&cursor=${toText([hash, back, null, ...key])}`);
      expect(status).toBe(200);
    },
  );
});

describe("the stream of the audit log", () => {
  it.each(["9".repeat(40), '{"seen":1}', "null", "[]", '{"seen":"x"}', "-1", "1.5"])(
    "refuses the position %s before it begins",
    async (position) => {
      const response = await scene.staff.fetch(
        new Request("http://localhost/api/admin/audit/stream/", {
          headers: {
            Authorization: `Bearer ${ada.access}`,
            "Last-Event-ID": Buffer.from(position).toString("base64url"),
          },
        }),
      );
      await response.body?.cancel();
      expect(response.status).toBe(400);
    },
  );
});

describe("the export of the audit log", () => {
  it.each(["cross-site", "same-site", "none"])(
    "is refused to a page whose request is %s, and not recorded",
    async (site) => {
      const headers = { Authorization: `Bearer ${ada.access}`, "Sec-Fetch-Site": site };
      const url = "http://localhost/api/admin/audit/export/?format=csv";
      const response = await scene.staff.fetch(new Request(url, { headers }));
      expect([response.status, (await response.json()) as unknown]).toEqual([
        403,
        expect.objectContaining({ code: "csrf_failed" }),
      ]);
      const { body } = await scene.call(ada.access, "GET", "audit/?type=audit_exported");
      expect(body.results).toEqual([]);
    },
  );
});

describe("createConsole", () => {
  it.each([undefined, "", "root", "Admin", 1, { role: "admin" }, true])(
    "lets nobody in whose role the application gives as %j",
    async (role) => {
      const staff = createConsole(scene.auth, { roleOf: () => role as never });
      const headers = { Authorization: `Bearer ${ada.access}` };
      const response = await staff.fetch(new Request("http://localhost/api/admin/me/", { headers }));
      expect(response.status).toBe(403);
      await staff.close();
    },
  );

  it.each([
    [{ path: "/console/" }],
    [{ adminPath: "admin" }],
    [{ path: "/a/../b" }],
    [{ path: "/api/admin/console" }],
    [{ path: "/api", adminPath: "/api/admin" }],
  ])("refuses the paths %j", (options) => {
    expect(() => createConsole(scene.auth, options)).toThrow(/^createConsole: /);
  });

  it("answers 404 to a path that only looks like one of its own", async () => {
    const response = await scene.staff.fetch(new Request("http://localhost/console/../api/token/"));
    expect(response.status).toBe(404);
  });
});
