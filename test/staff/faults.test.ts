import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import type { Store } from "../../src/core/store/index.ts";
import { openTestStore } from "../support/test-store.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

/*
 * After an answer that isn't 2xx, nothing has changed, or the same request succeeds when it is repeated. The database fails at each
 * call that a change makes: before the call does anything, and after it has committed.
 */

let scene: StaffScene;
afterEach(() => scene.close());

const reason = "laptop stolen, ticket 4411";

/** The call at which the database fails once, or `null`. */
let fault: { readonly call: string; readonly when: "before" | "after" } | null = null;
/** The calls since the fault was planned. */
let calls: string[] = [];

async function openFaultyStore(): Promise<Store> {
  const store = await openTestStore(() => Math.floor(Date.now() / 1_000));
  const withFaults = <T extends object>(room: string, part: T): T => {
    const methods = Object.entries(part).map(([name, method]) => {
      if (typeof method !== "function") return [name, method];
      const faulty = (...args: readonly unknown[]) => {
        const call = `${room}.${name}`;
        calls.push(call);
        const due = fault?.call === call ? fault.when : null;
        if (due === null) return method.apply(part, args);
        fault = null;
        const failed = () => Promise.reject(new StoreUnavailableError(`${call}: the connection was lost`));
        return due === "before" ? failed() : Promise.resolve(method.apply(part, args)).then(failed);
      };
      return [name, faulty];
    });
    return { ...part, ...Object.fromEntries(methods) };
  };
  const { users, sessions, throttle, keys, feed, staff } = store;
  return {
    ...store,
    users: withFaults("users", users),
    sessions: withFaults("sessions", sessions),
    throttle: withFaults("throttle", throttle),
    keys: withFaults("keys", keys),
    staff: withFaults("staff", { ...staff }),
    feed: { ...feed, revokeToken: withFaults("feed", { revokeToken: feed.revokeToken }).revokeToken },
  };
}

interface Target {
  readonly id: string;
  readonly sessionId: string;
  readonly kid: string;
}

const ways: readonly (readonly [name: string, (target: Target) => readonly [string, string, object]])[] = [
  ["create", () => ["POST", "users/", { username: "new", password: "a long password", email: "new@example.org" }]],
  ["create with a generated password", () => ["POST", "users/", { username: "new", role: "viewer", generate: true }]],
  ["update", ({ id }) => ["PATCH", `users/${id}/`, { email: "n@example.org" }]],
  ["role", ({ id }) => ["PATCH", `users/${id}/`, { role: "viewer" }]],
  ["disable", ({ id }) => ["POST", `users/${id}/disable/`, {}]],
  ["enable", ({ id }) => ["POST", `users/${id}/enable/`, {}]],
  ["unlock", ({ id }) => ["POST", `users/${id}/unlock/`, {}]],
  ["logout", ({ id }) => ["POST", `users/${id}/logout/`, {}]],
  ["set-password", ({ id }) => ["POST", `users/${id}/set-password/`, { generate: true }]],
  ["delete", ({ id }) => ["DELETE", `users/${id}/`, { username: "target" }]],
  ["bulk disable", ({ id }) => ["POST", "users/bulk/", { action: "disable", ids: [id] }]],
  ["revoke a session", ({ sessionId }) => ["DELETE", `sessions/${sessionId}/`, {}]],
  ["revoke many", ({ id }) => ["POST", "sessions/revoke/", { filter: { user: id }, expected: 2 }]],
  ["revoke a token", () => ["POST", "tokens/revoke/", { jti: "0".repeat(32) }]],
  ["unlock an address", () => ["POST", "addresses/unlock/", { ip: "192.0.2.1" }]],
  ["rotate keys", () => ["POST", "keys/rotate/", {}]],
  ["retire a key", ({ kid }) => ["POST", `keys/${kid}/retire/`, { now: true }]],
];

const keyEncryptionKey = `first:${createHash("sha256").update("a key").digest("base64url")}`;
const settings = {
  signingKey: undefined,
  algorithm: "ES256",
  keyEncryptionKey,
  issuer: "i",
  audience: "a",
  onError() {},
};

async function prepare(more: object = {}) {
  fault = null;
  scene = await createStaffScene({ ...settings, ...more } as never, await openFaultyStore());
  await scene.addUser("root", "admin");
  const [ada, { id }] = [await scene.addUser("ada", "admin"), await scene.addUser("target")];
  await scene.auth.issue(id);
  const [session] = await scene.auth.sessions.list(id);
  const kid = (await scene.store.keys.read()).keys.find(({ use }) => use === "access")?.kid ?? "";
  return { ada, target: { id, sessionId: session?.id ?? "", kid } };
}

/** What a node also calls by itself, at any time. */
const inBackground: ReadonlySet<string> = new Set(["keys.read", "staff.report", "staff.reports", "staff.countLive"]);

describe("a change by staff over a database that fails", () => {
  it.each(ways)("succeeds when it is repeated, whatever failed: %s", async (_, toCall) => {
    const first = await prepare();
    const send = ({ ada, target }: typeof first) => {
      const [method, path, body] = toCall(target);
      return scene.call(ada.access, method, path, { ...body, reason });
    };
    calls = [];
    expect((await send(first)).status).toBe(200);
    const own = [...new Set(calls)].filter((call) => !inBackground.has(call));
    const planned = own.flatMap((call) => [
      { call, when: "before" as const },
      { call, when: "after" as const },
    ]);
    // The role, the change, and for most of them the user or session.
    expect(planned.length).toBeGreaterThan(3);
    for (const plan of planned) {
      await scene.close();
      const again = await prepare();
      fault = plan;
      const failed = await send(again);
      // A probe that fails only leaves the confirmation open.
      if (failed.status === 200)
        expect([plan.call, failed.body.confirmed ?? null]).toEqual(["feed.revokeToken", "pending"]);
      else expect([plan, failed.status]).toEqual([plan, 503]);
      expect(fault).toBeNull();
      const { status, body } = await send(again);
      const isDone = body.results?.every?.(({ ok = true }) => ok) ?? true;
      expect([plan, status, isDone, body]).toEqual([plan, 200, true, body]);
    }
  });

  it("gives a working password for a user whose first generated one was lost", async () => {
    const { ada } = await prepare();
    fault = { call: "users.create", when: "after" };
    const send = (more = {}) =>
      scene.call(ada.access, "POST", "users/", { username: "new", generate: true, reason, ...more });
    expect((await send()).status).toBe(503);
    // Another request isn't a repetition.
    expect((await send({ reason: "another reason" })).status).toBe(400);
    expect((await send({ email: "other@example.org" })).status).toBe(400);
    const { status, body } = await send();
    expect([status, body]).toMatchObject([200, { user: { username: "new" } }]);
    await scene.auth.login({ username: "new", password: body.password });
    expect((await send()).status).toBe(400);
  });

  it("doesn't reset the password of a new user who has logged in, whatever the settings record", async () => {
    const { ada } = await prepare({ updateLastLogin: false });
    const send = () => scene.call(ada.access, "POST", "users/", { username: "new", generate: true, reason });
    const first = await send();
    const { user } = await scene.auth.login({ username: "new", password: first.body.password });
    expect(user.lastLoginAt).toBeNull();
    expect((await send()).status).toBe(400);
    await scene.auth.login({ username: "new", password: first.body.password });
  });

  it("doesn't reset a password that another member has set since", async () => {
    const { ada } = await prepare();
    const grace = await scene.addUser("grace", "admin");
    const send = () => scene.call(ada.access, "POST", "users/", { username: "new", generate: true, reason });
    const { user } = (await send()).body;
    const password = "a password of Grace's choice";
    const set = await scene.call(grace.access, "POST", `users/${user.id}/set-password/`, { password, reason });
    expect(set.status).toBe(200);
    expect((await send()).status).toBe(400);
    await scene.auth.login({ username: "new", password });
  });

  it("doesn't say that a new user has another password than the one of the first request", async () => {
    const { ada } = await prepare();
    const send = (more: object) => scene.call(ada.access, "POST", "users/", { username: "new", reason, ...more });
    expect((await send({ password: "a long password" })).status).toBe(200);
    expect((await send({ password: "another long password" })).status).toBe(400);
    expect((await send({})).status).toBe(400);
    expect((await send({ password: "a long password" })).status).toBe(200);
  });

  it("doesn't say that a key will be retired if the retirement was undone since", async () => {
    const { ada, target } = await prepare();
    const post = (path: string) => scene.call(ada.access, "POST", path, { reason });
    const keyOf = (body: { results: { kid: string; state: string }[] }, state: string) =>
      body.results.find((key) => key.state === state)?.kid ?? "";
    const next = keyOf((await post("keys/rotate/")).body, "published");
    expect((await post(`keys/${target.kid}/retire/`)).status).toBe(200);
    // The next key was the reason why the first one could be retired.
    expect((await post(`keys/${next}/retire/`)).status).toBe(200);
    expect((await post(`keys/${target.kid}/retire/`)).status).toBe(409);
  });

  it("doesn't take another member's change, or an older one, for the member's own", async () => {
    const { ada, target } = await prepare();
    const other = await scene.addUser("grace", "admin");
    const remove = (access: string, more = {}) =>
      scene.call(access, "DELETE", `users/${target.id}/`, { username: "target", reason, ...more });
    expect((await remove(ada.access)).status).toBe(200);
    expect((await remove(other.access)).status).toBe(404);
    expect((await remove(ada.access, { reason: "another reason" })).status).toBe(404);
    expect((await remove(ada.access)).status).toBe(200);
  });
});
