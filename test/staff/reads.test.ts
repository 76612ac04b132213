import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toAuditRow } from "../../src/events/audit-row.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
let ada: { id: string; access: string };

beforeEach(async () => {
  scene = await createStaffScene();
  ada = await scene.addUser("ada", "admin");
});
afterEach(() => scene.close());

describe("the staff API", () => {
  it("answers staff only, as their role is now", async () => {
    const bob = await scene.addUser("bob", "viewer");
    expect((await scene.call(null, "GET", "me/")).status).toBe(401);
    const { status, body } = await scene.call(bob.access, "GET", "me");
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ id: bob.id, username: "bob", role: "viewer", permissions: ["read"] }),
    ]);
    await scene.auth.users.update(bob.id, { role: null });
    expect(await scene.call(bob.access, "GET", "me/")).toMatchObject({ status: 403, body: { code: "not_staff" } });
    await scene.auth.users.disable(ada.id);
    expect((await scene.call(ada.access, "GET", "me/")).status).toBe(401);
  });

  it("has no CORS, not even for trusted origins, and answers unknown paths with 404", async () => {
    const request = new Request("http://localhost/api/admin/me/", {
      headers: { Authorization: `Bearer ${ada.access}`, Origin: "https://app.example.com" },
    });
    const response = await scene.staff.fetch(request);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
    expect((await scene.call(ada.access, "GET", "nothing/")).status).toBe(404);
  });

  it("limits the reads of each member", async () => {
    const bob = await scene.addUser("bob", "viewer");
    const statuses = [];
    for (let n = 0; n < 301; n++) statuses.push((await scene.call(ada.access, "GET", "me/")).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(300);
    expect(statuses.at(-1)).toBe(429);
    expect((await scene.call(bob.access, "GET", "me/")).status).toBe(200);
  });
});

describe("the lists of the staff API", () => {
  it("pages forward and back through users with the same filters", async () => {
    for (let n = 0; n < 7; n++) await scene.addUser(`user${n}`);
    const names = (body: { results: readonly { username: string }[] }) => body.results.map(({ username }) => username);
    const first = (await scene.call(ada.access, "GET", "users/?search=user&page_size=3")).body;
    expect(names(first)).toEqual(["user0", "user1", "user2"]);
    expect(first.previous).toBeNull();
    const second = (await scene.call(ada.access, "GET", `users/?search=user&page_size=3&cursor=${first.next}`)).body;
    expect(names(second)).toEqual(["user3", "user4", "user5"]);
    const back = (await scene.call(ada.access, "GET", `users/?search=user&page_size=3&cursor=${second.previous}`)).body;
    expect(names(back)).toEqual(["user0", "user1", "user2"]);
    expect(back.previous).toBeNull();
    const again = (await scene.call(ada.access, "GET", `users/?search=user&page_size=3&cursor=${back.next}`)).body;
    expect(names(again)).toEqual(["user3", "user4", "user5"]);
    // The count of the first page belongs to the other ones too.
    expect([first, second, back, again].map(({ count }) => count)).toEqual([7, 7, 7, 7]);
    const other = await scene.call(ada.access, "GET", `users/?search=use&page_size=3&cursor=${first.next}`);
    expect([other.status, Object.keys(other.body)]).toEqual([400, ["cursor"]]);
  });

  it("finds a user by the whole name, however it is spelt, also if it has an @", async () => {
    for (const name of ["grace", "gracekelly", "grace@example.com"]) await scene.addUser(name);
    const find = async (name: string) =>
      (await scene.call(ada.access, "GET", `users/?username=${encodeURIComponent(name)}`)).body.results.map(
        ({ username }: { readonly username: string }) => username,
      );
    expect(await find(" GRACE ")).toEqual(["grace"]);
    expect(await find("Grace@Example.com")).toEqual(["grace@example.com"]);
    expect(await find("grac")).toEqual([]);
  });

  it.each([
    ["users/?search=grace&username=grace", "username"],
    ["users/?rolle=admin", "rolle"],
    ["users/?role=root", "role"],
    ["users/?role=admin&role=viewer", "role"],
    ["users/?page_size=0", "page_size"],
    ["users/?page_size=1000", "page_size"],
    ["users/?cursor=x", "cursor"],
    ["sessions/?ip=perhaps", "ip"],
    ["sessions/?created_before=tomorrow", "created_before"],
    ["sessions/?state=dead", "state"],
    ["audit/?from=never", "from"],
  ])("refuses %s and names the parameter", async (path, name) => {
    const { status, body } = await scene.call(ada.access, "GET", path);
    expect([status, Object.keys(body)]).toEqual([400, [name]]);
  });

  it("shows a user with what the caller may do", async () => {
    const [bob, eve] = [await scene.addUser("bob"), await scene.addUser("eve", "support")];
    const shown = await scene.call(eve.access, "GET", `users/${bob.id}/`);
    expect(shown.body).toMatchObject({
      username: "bob",
      has_password: true,
      password_format: "argon2id",
      live_sessions: 1,
      failed_logins: { account: 0, locked_for: "none" },
      allowed: ["update", "disable", "enable", "unlock", "logout", "set-password", "revoke-session"],
    });
    expect((await scene.call(eve.access, "GET", `users/${ada.id}/`)).body.allowed).toEqual([]);
    expect((await scene.call(ada.access, "GET", `users/${ada.id}/`)).body.allowed).toEqual([]);
    expect((await scene.call(ada.access, "GET", `users/${eve.id}/`)).body.allowed).toContain("delete");
    expect((await scene.call(ada.access, "GET", "users/nobody/")).status).toBe(404);
  });

  it("finds the sessions of a network", async () => {
    const bob = await scene.addUser("bob");
    await scene.auth.issue(bob.id, { client: { ip: "203.0.113.9" } });
    await scene.auth.issue(bob.id, { client: { ip: "203.0.114.1" } });
    const ips = async (network: string) =>
      (await scene.call(ada.access, "GET", `sessions/?ip=${network}`)).body.results
        .map((session: { ip: string }) => session.ip)
        .sort();
    expect(await ips("203.0.113.0/24")).toEqual(["203.0.113.9"]);
    expect(await ips("203.0.112.0/22")).toEqual(["203.0.113.9", "203.0.114.1"]);
    expect(await ips("203.0.113.8/29")).toEqual(["203.0.113.9"]);
    expect(await ips("203.0.114.1")).toEqual(["203.0.114.1"]);
  });

  it("lists the audit log with the names of users", async () => {
    const bob = await scene.addUser("bob");
    await scene.auth.users.disable(bob.id, { client: { actor: "ada", note: "laptop stolen" } });
    const { body } = await scene.call(ada.access, "GET", `audit/?type=user_changed,login&user=${bob.id}`);
    expect(body.results[0]).toMatchObject({
      type: "user_changed",
      user: { id: bob.id, username: "bob" },
      actor: "ada",
      note: "laptop stolen",
    });
  });
});

describe("the overview", () => {
  it("shows what the nodes report, and what needs a look", async () => {
    const bob = await scene.addUser("bob");
    await scene.auth.users.disable(bob.id, { client: { actor: "ada", note: "laptop stolen" } });
    await expect
      .poll(async () => (await scene.call(ada.access, "GET", "overview/")).body.nodes[0]?.state)
      .toBe("fresh");
    const { status, body } = await scene.call(ada.access, "GET", "overview/");
    expect(status).toBe(200);
    expect(body.nodes[0]).toMatchObject({ state: "fresh", hash_queue: 0, version: "0.2.0" });
    expect(body).toMatchObject({ state: { level: "ok", text: "The node knows all revocations." } });
    expect(body.logins.series).toHaveLength(60);
    expect(body.staff_actions[0]).toMatchObject({ actor: "ada", note: "laptop stolen", user: { username: "bob" } });
  });

  it("doesn't let logins on new devices hide what needs a look", async () => {
    const time = Math.floor(Date.now() / 1_000);
    const devices = Array.from({ length: 9 }, () => ({ type: "new_device", userId: ada.id, sessionId: "s" }) as const);
    await scene.store.audit.append([
      toAuditRow({ type: "throttled", scope: "address", retryAfter: 4, time: time - 1, client: {} }),
      ...devices.map((event) => toAuditRow({ ...event, time, client: {} })),
    ]);
    const { body } = await scene.call(ada.access, "GET", "overview/");
    expect(body.needs_a_look.map(({ type }: { type: string }) => type)).toEqual(["throttled"]);
    const { body: audit } = await scene.call(ada.access, "GET", "audit/?type=new_device");
    expect(audit.results).toHaveLength(9);
  });
});
