import { createHash } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { Role } from "../../src/core/role.ts";
import type { Store } from "../../src/core/store/index.ts";
import { openTestStore } from "../support/test-store.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
afterEach(() => scene.close());

const reason = "laptop stolen, ticket 4411";

/** What happens to a user just before the transaction of the next change. */
let beforeChange: (() => Promise<unknown>) | undefined;

/** Opens a store that lets something happen just before the transaction of a change: later than every check outside of it. */
async function openRacedStore(): Promise<Store> {
  const store = await openTestStore(() => Math.floor(Date.now() / 1_000));
  const race = <T extends object>(part: T, names: readonly (keyof T)[]): T => {
    const raced = { ...part };
    for (const name of names) {
      const method = part[name] as (...args: readonly unknown[]) => Promise<unknown>;
      raced[name] = (async (...args: readonly unknown[]) => {
        const happens = beforeChange;
        beforeChange = undefined;
        await happens?.();
        return method(...args);
      }) as T[typeof name];
    }
    return raced;
  };
  return {
    ...store,
    users: race(store.users, ["create", "update", "disable", "enable", "setPassword", "delete"]),
    sessions: race(store.sessions, ["revoke", "revokeEach", "revokeForUser", "revokeAll"]),
    throttle: race(store.throttle, ["clear"]),
    feed: race(store.feed, ["revokeToken"]),
    keys: race(store.keys, ["change"]),
  };
}

const password = "another long password";
const firstPart = { from: null, isBackward: false, limit: 100, scan: 1_000 };

const changes: readonly (readonly [string, (id: string, sessionId: string) => readonly [string, string, object]])[] = [
  ["update", (id) => ["PATCH", `users/${id}/`, { email: "n@example.org" }]],
  ["role", (id) => ["PATCH", `users/${id}/`, { role: "admin" }]],
  ["disable", (id) => ["POST", `users/${id}/disable/`, {}]],
  ["enable", (id) => ["POST", `users/${id}/enable/`, {}]],
  ["set-password", (id) => ["POST", `users/${id}/set-password/`, { password }]],
  ["delete", (id) => ["DELETE", `users/${id}/`, { username: "target" }]],
  ["logout", (id) => ["POST", `users/${id}/logout/`, {}]],
  ["revoke-session", (_, sessionId) => ["DELETE", `sessions/${sessionId}/`, {}]],
  ["create", () => ["POST", "users/", { username: "new", password }]],
  ["create admin", () => ["POST", "users/", { username: "new", role: "admin" }]],
  ["revoke all", () => ["POST", "sessions/revoke/", { all: true }]],
  ["revoke all that match", (id) => ["POST", "sessions/revoke/", { filter: { user: id }, expected: 1 }]],
  ["revoke a token", () => ["POST", "tokens/revoke/", { jti: "0".repeat(32) }]],
  ["unlock", (id) => ["POST", `users/${id}/unlock/`, {}]],
  ["unlock an address", () => ["POST", "addresses/unlock/", { ip: "192.0.2.1" }]],
];

describe("a change whose member loses the role just before its transaction", () => {
  it.each(
    changes.flatMap(([name, toCall]) => [
      { name, toCall, how: "is demoted" },
      { name, toCall, how: "is disabled" },
      { name, toCall, how: "is deleted" },
    ]),
  )("is refused: $name, $how", async ({ toCall, how }) => {
    scene = await createStaffScene({}, await openRacedStore());
    await scene.addUser("root", "admin");
    const [ada, target] = [await scene.addUser("ada", "admin"), await scene.addUser("target")];
    const [session] = await scene.auth.sessions.list(target.id);
    const [method, path, body] = toCall(target.id, session?.id ?? "");
    const { users } = scene.auth;
    beforeChange = () =>
      how === "is demoted"
        ? users.update(ada.id, { role: null })
        : how === "is disabled"
          ? users.disable(ada.id)
          : users.delete(ada.id);
    const answer = await scene.call(ada.access, method, path, { ...body, reason });
    expect([answer.status, answer.body.code]).toEqual([403, "not_staff"]);
    expect(await users.find(target.id)).toMatchObject({ isActive: true, role: null, email: null });
    expect(await users.findByName("new")).toBeNull();
    expect(await scene.auth.sessions.list(target.id)).toHaveLength(1);
    const { rows } = await scene.store.staff.audit(
      { actor: "staff/ada", types: ["unlocked", "token_revoked"] },
      firstPart,
    );
    expect(rows).toEqual([]);
  });

  it.each(["rotate/", "KID/retire/"])("is refused: keys/%s", async (path) => {
    const store = await openRacedStore();
    const keyEncryptionKey = `first:${createHash("sha256").update("a key").digest("base64url")}`;
    scene = await createStaffScene({ signingKey: undefined, algorithm: "ES256", keyEncryptionKey }, store);
    await scene.addUser("root", "admin");
    const ada = await scene.addUser("ada", "admin");
    const before = await store.keys.read();
    const kid = before.keys.find(({ use }) => use === "access")?.kid ?? "";
    beforeChange = () => scene.auth.users.update(ada.id, { role: "support" });
    const answer = await scene.call(ada.access, "POST", `keys/${path.replace("KID", kid)}`, { now: true, reason });
    expect([answer.status, answer.body.code]).toEqual([403, "permission_denied"]);
    expect((await store.keys.read()).keys).toEqual(before.keys);
  });
});

describe("a change whose target gets a higher role just before its transaction", () => {
  const toRoles: readonly Role[] = ["support", "admin"];
  const bySupport = ["update", "disable", "enable", "set-password", "logout", "revoke-session", "unlock"];
  it.each(
    changes
      .filter(([name]) => bySupport.includes(name))
      .flatMap(([name, toCall]) => toRoles.map((role) => ({ name, toCall, role }))),
  )("is refused: $name of a new $role", async ({ toCall, role }) => {
    scene = await createStaffScene({}, await openRacedStore());
    const [eve, target] = [await scene.addUser("eve", "support"), await scene.addUser("target")];
    const [session] = await scene.auth.sessions.list(target.id);
    const [method, path, body] = toCall(target.id, session?.id ?? "");
    beforeChange = () => scene.auth.users.update(target.id, { role });
    const answer = await scene.call(eve.access, method, path, { ...body, reason });
    expect([answer.status, answer.body.code]).toEqual([403, "permission_denied"]);
    expect(await scene.auth.users.find(target.id)).toMatchObject({ isActive: true, role, email: null });
    expect(await scene.auth.sessions.list(target.id)).toHaveLength(1);
  });

  it("is refused by each action on many", async () => {
    scene = await createStaffScene({}, await openRacedStore());
    const [eve, target] = [await scene.addUser("eve", "support"), await scene.addUser("target")];
    beforeChange = () => scene.auth.users.update(target.id, { role: "admin" });
    const answer = await scene.call(eve.access, "POST", "users/bulk/", { action: "disable", ids: [target.id], reason });
    expect(answer.body.results).toEqual([{ id: target.id, ok: false, detail: "Your role, support, may not do this." }]);
  });
});
