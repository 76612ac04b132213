import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
let access: string;
/** The ids that the application was asked for. */
let asked: string[];
let running = 0;
let mostRunning = 0;
let isBroken: boolean;
const errors: unknown[] = [];

beforeEach(async () => {
  [asked, isBroken, running, mostRunning] = [[], false, 0, 0];
  errors.length = 0;
  scene = await createStaffScene(
    {
      onError: (error) => errors.push(error),
      async findUser(id) {
        asked.push(String(id));
        mostRunning = Math.max(mostRunning, ++running);
        await new Promise(setImmediate);
        running--;
        if (isBroken) throw new Error("the application's database is down");
        return id === "gone" ? null : ({ id, username: `${id}@example.org`, isActive: true } as never);
      },
    },
    undefined,
    { roleOf: (id) => (id === "ada" ? "admin" : null) },
  );
  ({ access } = await scene.auth.issue("ada"));
});
afterEach(() => scene.close());

const read = async (path: string) => (await scene.call(access, "GET", path)).body;

describe("the lists of the staff API with an application's users", () => {
  it("have the names that the application knows", async () => {
    await scene.auth.issue("bob");
    await scene.auth.users.disable("gone");
    const { results: users } = await read("users/");
    expect(users.map(({ id, username }: { id: string; username: string }) => [id, username]).sort()).toEqual([
      ["ada", "ada@example.org"],
      ["bob", "bob@example.org"],
      ["gone", "gone"],
    ]);
    expect((await read("users/bob/")).username).toBe("bob@example.org");
    expect((await read("sessions/?user=bob")).results[0].user).toEqual({ id: "bob", username: "bob@example.org" });
    const { results: entries } = await read("audit/?type=user_changed,sessions_revoked");
    expect(entries.map(({ user }: { user: unknown }) => user)).toContainEqual({ id: "gone", username: null });
    await scene.auth.users.disable("bob", { client: { actor: "staff/ada" } });
    expect((await read("overview/")).staff_actions[0].user).toEqual({ id: "bob", username: "bob@example.org" });
  });

  it("ask for each name once a minute, and for few at a time", async () => {
    for (let n = 0; n < 30; n++) await scene.auth.issue(`user${n}`);
    asked.length = 0;
    mostRunning = 0;
    expect((await read("users/")).results).toHaveLength(31);
    const first = asked.filter((id) => id.startsWith("user"));
    expect([first.length, new Set(first).size]).toEqual([30, 30]);
    expect(mostRunning).toBeGreaterThan(1);
    expect(mostRunning).toBeLessThan(10);
    expect((await read("sessions/")).results).toHaveLength(31);
    expect(asked.filter((id) => id.startsWith("user"))).toHaveLength(30);
  });

  it("insert nobody into tokenpair's own table", async () => {
    await scene.auth.issue("bob");
    await scene.auth.users.disable("bob", { client: {} });
    const { rows } = await scene.store.staff.users({}, { from: null, isBackward: false, limit: 100, scan: 100 });
    await read("audit/");
    const after = await scene.store.staff.users({}, { from: null, isBackward: false, limit: 100, scan: 100 });
    expect(after.rows).toEqual(rows);
  });

  it("have the failed logins of a user, which are counted under the name", async () => {
    await scene.auth.issue("bob");
    await scene.auth.login({ username: "bob@example.org", password: "wrong" }).catch(() => {});
    const { username, failed_logins: failed } = await read("users/bob/");
    expect([username, failed.account]).toEqual(["bob@example.org", 1]);
  });

  it("have the user who was unlocked, although the failed logins are counted under the name", async () => {
    await scene.auth.issue("bob");
    await scene.auth.login({ username: "bob@example.org", password: "wrong" }).catch(() => {});
    const { status, body } = await scene.call(access, "POST", "users/bob/unlock/", { reason: "forgot it" });
    expect([status, body]).toEqual([200, { cleared: 1 }]);
    const { results } = await read("audit/?type=unlocked&user=bob");
    expect(results).toMatchObject([{ actor: "staff/ada@example.org", user: { id: "bob" } }]);
  });
});

describe("the names of an application that fails", () => {
  it("are replaced by ids, and the error is reported once for a list", async () => {
    await scene.close();
    let fails = false;
    scene = await createStaffScene(
      {
        onError: (error) => errors.push(error),
        findUser(id) {
          if (fails && id !== "ada") throw new Error("the application's database is down");
          return { id, username: `${id}@example.org`, isActive: true } as never;
        },
      },
      undefined,
      { roleOf: (id) => (id === "ada" ? "admin" : null) },
    );
    ({ access } = await scene.auth.issue("ada"));
    for (let n = 0; n < 20; n++) await scene.auth.issue(`user${n}`);
    fails = true;
    const { results } = await read("users/");
    const shown = results.map(({ username }: { username: string }) => username);
    expect(shown.filter((name: string) => /^user\d+$/.test(name))).toHaveLength(20);
    expect(errors).toHaveLength(1);
  });
});
