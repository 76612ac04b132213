import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Role } from "../../src/core/role.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  scene = await createStaffScene();
});
afterEach(async () => {
  await scene.close();
  vi.useRealTimers();
});

const reason = "laptop stolen, ticket 4411";
const password = "another long password";

interface Row {
  readonly name: string;
  readonly method: string;
  /** Returns the path for a target. */
  readonly path: (target: { readonly id: string; readonly sessionId: string }) => string;
  readonly body: object;
  /** The lowest role that may do it to a user without a role. */
  readonly least: Role;
  /** Whether it always needs a confirmation. */
  readonly confirmed?: boolean;
  /** Whether support may do it to viewers too. */
  readonly onLowerStaff?: boolean;
}

const rows: readonly Row[] = [
  {
    name: "update",
    method: "PATCH",
    path: ({ id }) => `users/${id}/`,
    body: { email: "n@example.org" },
    least: "support",
  },
  {
    name: "role",
    method: "PATCH",
    path: ({ id }) => `users/${id}/`,
    body: { role: "viewer" },
    least: "admin",
    confirmed: true,
  },
  {
    name: "disable",
    method: "POST",
    path: ({ id }) => `users/${id}/disable/`,
    body: {},
    least: "support",
    confirmed: true,
  },
  { name: "enable", method: "POST", path: ({ id }) => `users/${id}/enable/`, body: {}, least: "support" },
  { name: "unlock", method: "POST", path: ({ id }) => `users/${id}/unlock/`, body: {}, least: "support" },
  {
    name: "logout",
    method: "POST",
    path: ({ id }) => `users/${id}/logout/`,
    body: {},
    least: "support",
    onLowerStaff: true,
  },
  {
    name: "set-password",
    method: "POST",
    path: ({ id }) => `users/${id}/set-password/`,
    body: { password },
    least: "support",
    confirmed: true,
  },
  {
    name: "delete",
    method: "DELETE",
    path: ({ id }) => `users/${id}/`,
    body: { username: "target" },
    least: "admin",
    confirmed: true,
  },
  {
    name: "revoke-session",
    method: "DELETE",
    path: ({ sessionId }) => `sessions/${sessionId}/`,
    body: {},
    least: "support",
    onLowerStaff: true,
  },
];

const ranks = [null, "viewer", "support", "admin"] as const;

/** Says what the specification allows: the decision table, in other words than the code. */
function toExpected(row: Row, actor: Role | null, target: Role | null, isConfirmed: boolean): number {
  if (actor === null) return 403;
  const isEnough = ranks.indexOf(actor) >= ranks.indexOf(row.least);
  if (!isEnough) return 403;
  if (row.confirmed && !isConfirmed) return 401;
  if (actor !== "admin" && target !== null) {
    if (!row.onLowerStaff || ranks.indexOf(target) >= ranks.indexOf(actor)) return 403;
  }
  if (actor === "admin" && target === "admin" && !isConfirmed) return 401;
  return 200;
}

const cases = rows.flatMap((row) =>
  ranks.flatMap((actor) =>
    ranks.flatMap((target) => [true, false].map((isConfirmed) => ({ row, actor, target, isConfirmed }))),
  ),
);

describe("a change by staff", () => {
  it.each(
    cases.map((one) => ({
      ...one,
      title: `${one.row.name} by ${one.actor} of ${one.target}, ${one.isConfirmed ? "confirmed" : "not confirmed"}`,
    })),
  )("$title", async ({ row, actor, target, isConfirmed }) => {
    // Another admin, so that the target is never the last one.
    await scene.addUser("root", "admin");
    const ada = await scene.addUser("ada", actor);
    if (!isConfirmed) vi.setSystemTime(Date.now() + 700_000);
    const found = await scene.addUser("target", target);
    const [session] = await scene.auth.sessions.list(found.id);
    const subject = { id: found.id, sessionId: session?.id ?? "" };
    const before = (await scene.store.staff.audit({}, firstPart)).rows.length;
    const { status, body } = await scene.call(ada.access, row.method, row.path(subject), { ...row.body, reason });
    const expected = toExpected(row, actor, target, isConfirmed);
    expect([status, body.code ?? null]).toEqual([
      expected,
      expected === 401
        ? "confirmation_required"
        : expected === 403
          ? actor === null
            ? "not_staff"
            : "permission_denied"
          : null,
    ]);
    const entries = (await scene.store.staff.audit({}, firstPart)).rows.map(({ row: entry }) => entry);
    const written = entries.slice(0, entries.length - before).filter(({ type }) => type !== "staff_refused");
    if (expected !== 200) {
      expect(written).toEqual([]);
      return;
    }
    for (const entry of written) expect(entry).toMatchObject({ actor: "staff/ada", note: reason });
    const changes = written.filter(({ type }) => type === "user_changed" || type === "unlocked");
    const isSilent = row.name === "enable" || row.name === "logout" || row.name === "revoke-session";
    expect(changes).toHaveLength(isSilent || (row.name === "role" && target === "viewer") ? 0 : 1);
  });
});

const firstPart = { from: null, isBackward: false, limit: 100, scan: 1_000 };

describe("changes by staff", () => {
  it("need a reason of 1 to 500 characters", async () => {
    const [ada, bob] = [await scene.addUser("ada", "admin"), await scene.addUser("bob")];
    for (const wrong of [undefined, "", "  ", "x".repeat(501), 7, null]) {
      const { status, body } = await scene.call(ada.access, "POST", `users/${bob.id}/disable/`, { reason: wrong });
      expect([wrong, status]).toEqual([wrong, wrong === 7 ? 200 : 400]);
      if (status === 400) expect(Object.keys(body)).toEqual(["reason"]);
    }
  });

  it("never remove the last admin who can log in with a password", async () => {
    const ada = await scene.addUser("ada", "admin");
    const { id: other } = await scene.auth.users.create({ username: "passkey-only", role: "admin" });
    const { access } = await scene.auth.issue(other);
    for (const [method, path, body] of [
      ["POST", `users/${ada.id}/disable/`, {}],
      ["PATCH", `users/${ada.id}/`, { role: "support" }],
      ["PATCH", `users/${ada.id}/`, { role: null }],
      ["DELETE", `users/${ada.id}/`, { username: "ada" }],
    ] as const) {
      const { status, body: answer } = await scene.call(access, method, path, { ...body, reason });
      expect([status, answer.code]).toEqual([409, "last_admin"]);
    }
    expect((await scene.call(access, "POST", `users/${ada.id}/logout/`, { reason })).status).toBe(200);
    await scene.addUser("second", "admin");
    expect((await scene.call(access, "POST", `users/${ada.id}/disable/`, { reason })).status).toBe(200);
  });

  it.each([
    // Over PostgreSQL, 200 rounds take seconds.
    ["disable", hasLongTests ? 200 : 50, (id: string) => ["POST", `users/${id}/disable/`, {}]],
    ["demote", 50, (id: string) => ["PATCH", `users/${id}/`, { role: null }]],
    ["delete", 50, (id: string, username: string) => ["DELETE", `users/${id}/`, { username }]],
  ] as const)("leave an admin when two %s each other at once", async (_, rounds, toCall) => {
    for (let round = 0; round < rounds; round++) {
      const names = [`a${round}`, `b${round}`] as const;
      const pair = [await scene.addUser(names[0], "admin"), await scene.addUser(names[1], "admin")] as const;
      const [one, two] = pair;
      const send = (access: string, [method, path, body]: ReturnType<typeof toCall>) =>
        scene.call(access, method as string, path as string, { ...(body as object), reason });
      const statuses = await Promise.all([
        send(one.access, toCall(two.id, names[1])),
        send(two.access, toCall(one.id, names[0])),
      ]);
      const codes = statuses.map(({ status }) => status).sort();
      expect(codes[0]).toBe(200);
      expect([401, 403]).toContain(codes[1]);
      const left = await Promise.all(pair.map(({ id }) => scene.auth.users.find(id)));
      const admins = left.filter((user) => user?.isActive && user.role === "admin");
      expect(admins).toHaveLength(1);
      for (const user of left) if (user !== null) await scene.auth.users.delete(user.id);
    }
  });

  it("record refusals with who and what", async () => {
    const [eve, bob] = [await scene.addUser("eve", "viewer"), await scene.addUser("bob")];
    expect((await scene.call(eve.access, "POST", `users/${bob.id}/disable/`, { reason })).status).toBe(403);
    await expect
      .poll(async () => (await scene.store.staff.audit({ types: ["staff_refused"] }, firstPart)).rows[0]?.row)
      .toMatchObject({
        userId: eve.id,
        actor: "staff/eve",
        details: { action: "disableStaffUser", code: "permission_denied", targetId: bob.id },
      });
  });

  it("create users, with a generated password and a role", async () => {
    const ada = await scene.addUser("ada", "admin");
    const made = await scene.call(ada.access, "POST", "users/", {
      username: "new",
      role: "support",
      generate: true,
      reason,
    });
    expect(made).toMatchObject({ status: 200, body: { user: { username: "new", role: "support" } } });
    expect(made.body.password).toMatch(/^[\w-]{20}$/);
    const login = await scene.auth.login({ username: "new", password: made.body.password });
    expect(login.user.id).toBe(made.body.user.id);
    const eve = await scene.addUser("eve", "support");
    const refused = await scene.call(eve.access, "POST", "users/", { username: "x", role: "admin", password, reason });
    expect(refused).toMatchObject({ status: 403, body: { code: "permission_denied" } });
    const again = await scene.call(ada.access, "POST", "users/", { username: "NEW", password, reason });
    expect([again.status, Object.keys(again.body)]).toEqual([400, ["username"]]);
    const weak = await scene.call(ada.access, "POST", "users/", { username: "y", password: "short", reason });
    expect([weak.status, Object.keys(weak.body)]).toEqual([400, ["new_password"]]);
  });

  it("change several users with a result for each", async () => {
    const [ada, bob, eve] = [
      await scene.addUser("ada", "admin"),
      await scene.addUser("bob"),
      await scene.addUser("eve"),
    ];
    const ids = [bob.id, "nobody", eve.id, ada.id, bob.id];
    const { status, body } = await scene.call(ada.access, "POST", "users/bulk/", { action: "disable", ids, reason });
    expect(status).toBe(200);
    expect(body.results).toEqual([
      { id: bob.id, ok: true, detail: null },
      { id: "nobody", ok: false, detail: "Not found." },
      { id: eve.id, ok: true, detail: null },
      { id: ada.id, ok: false, detail: "Your role, admin, may not do this." },
    ]);
    const many = Array.from({ length: 101 }, (_, index) => String(index));
    expect((await scene.call(ada.access, "POST", "users/bulk/", { action: "enable", ids: many, reason })).status).toBe(
      400,
    );
  });
});

describe("sessions/revoke/", () => {
  it("revokes all that match, but not the caller's own, and refuses if more match than expected", async () => {
    const [ada, bob] = [await scene.addUser("ada", "admin"), await scene.addUser("bob")];
    for (let n = 0; n < 11; n++) await scene.auth.issue(bob.id, { client: { ip: "203.0.113.9", userAgent: "curl" } });
    const revoke = (body: object) => scene.call(ada.access, "POST", "sessions/revoke/", { ...body, reason });
    expect(await revoke({ filter: { ip: "203.0.113.0/24" }, dry_run: true })).toMatchObject({ body: { sessions: 11 } });
    expect(await revoke({ filter: { ip: "203.0.113.0/24" }, expected: 9 })).toMatchObject({
      status: 409,
      body: { code: "more_match" },
    });
    const done = await revoke({ filter: { ip: "203.0.113.0/24" }, expected: 10 });
    expect(done).toMatchObject({ status: 200, body: { sessions: 11, confirmed: "acks" } });
    expect(done.headers.get("Revocation-Confirmed")).toBe("acks");
    expect(await revoke({ filter: {}, expected: 100 })).toMatchObject({ body: { sessions: 1 } });
    expect((await scene.call(ada.access, "GET", "me/")).status).toBe(200);
    expect((await revoke({ all: true })).status).toBe(200);
    expect((await scene.call(ada.access, "GET", "me/")).status).toBe(401);
  });

  it.each([
    [{}, "filter"],
    [{ filter: {}, all: true }, "filter"],
    [{ filter: {} }, "expected"],
    [{ filter: { ip: "x" }, expected: 1 }, "ip"],
    [{ filter: { ip: "0.0.0.0/0" }, expected: 1 }, "ip"],
    [{ filter: { ip: "::/0" }, expected: 1 }, "ip"],
    [{ filter: { usr: "1" }, expected: 1 }, "filter"],
  ])("refuses %j and names the field", async (body, field) => {
    const ada = await scene.addUser("ada", "admin");
    const { status, body: answer } = await scene.call(ada.access, "POST", "sessions/revoke/", { ...body, reason });
    expect([status, Object.keys(answer)]).toEqual([400, [field]]);
  });

  it("revokes one token, and unlocks an address", async () => {
    const [ada, bob] = [await scene.addUser("ada", "admin"), await scene.addUser("bob")];
    const { tokenId } = await scene.auth.authenticate(new Headers({ Authorization: `Bearer ${bob.access}` }), {
      method: "GET",
    });
    expect((await scene.call(ada.access, "POST", "tokens/revoke/", { jti: tokenId, reason })).status).toBe(200);
    await expect(
      scene.auth.authenticate(new Headers({ Authorization: `Bearer ${bob.access}` }), { method: "GET" }),
    ).rejects.toMatchObject({ code: "token_revoked" });
    expect((await scene.call(ada.access, "POST", "addresses/unlock/", { ip: "192.0.2.1", reason })).body).toEqual({
      cleared: 0,
    });
    expect((await scene.call(ada.access, "POST", "addresses/unlock/", { ip: "here", reason })).status).toBe(400);
  });
});

describe("keys/", () => {
  it("are rotated and retired in the key ring, with who and why", async () => {
    await scene.close();
    const keyEncryptionKey = `first:${createHash("sha256").update("a key").digest("base64url")}`;
    scene = await createStaffScene({ signingKey: undefined, algorithm: "ES256", keyEncryptionKey });
    const ada = await scene.addUser("ada", "admin");
    const kids = (body: { results: readonly { kid: string; state: string }[] }, state: string) =>
      body.results.filter((key) => key.state === state).map(({ kid }) => kid);
    const before = (await scene.call(ada.access, "GET", "keys/")).body;
    const [first = ""] = kids(before, "signing");
    const rotated = await scene.call(ada.access, "POST", "keys/rotate/", { reason });
    expect([rotated.status, kids(rotated.body, "signing"), kids(rotated.body, "published").length]).toEqual([
      200,
      [first],
      1,
    ]);
    const again = await scene.call(ada.access, "POST", "keys/rotate/", { now: true, reason });
    expect(again.status).toBe(200);
    const retired = await scene.call(ada.access, "POST", `keys/${first}/retire/`, { now: true, reason });
    expect([retired.status, kids(retired.body, "retired").includes(first)]).toEqual([200, true]);
    const entries = (await scene.store.staff.audit({ actor: "staff/ada" }, firstPart)).rows.map(({ row }) => row);
    expect(new Set(entries.map(({ type }) => type))).toEqual(new Set(["key_added", "key_retired"]));
    expect(entries.every(({ note }) => note === reason)).toBe(true);
    const text = JSON.stringify([before, rotated.body, again.body, retired.body]);
    expect(text).not.toMatch(/PRIVATE|"d"|sealed/);
  });

  it("in the settings aren't changed here", async () => {
    const [ada, eve] = [await scene.addUser("ada", "admin"), await scene.addUser("eve", "support")];
    expect(await scene.call(ada.access, "POST", "keys/rotate/", { reason })).toMatchObject({
      status: 409,
      body: { code: "refused" },
    });
    expect((await scene.call(eve.access, "POST", "keys/rotate/", { reason })).status).toBe(403);
  });
});
