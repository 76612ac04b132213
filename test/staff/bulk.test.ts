import { afterEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import type { Store } from "../../src/core/store/index.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { openTestStore } from "../support/test-store.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

let scene: StaffScene;
afterEach(() => scene.close());

const reason = "laptop stolen, ticket 4411";
const firstPart = { from: null, isBackward: false, limit: 100, scan: 1_000 };

interface Results {
  readonly results: readonly { readonly id: string; readonly ok: boolean; readonly detail: string | null }[];
  readonly confirmed: string | null;
}

/** Counts the confirmations that somebody waited for. */
function countConfirmations(): () => readonly string[] {
  const confirmations: string[] = [];
  scene.auth.on((event) => {
    if (event.type === "revocation_confirmed") confirmations.push(event.by);
  });
  return () => confirmations;
}

/** Adds users without sessions, which cost nothing to create. */
const addUsers = (count: number) =>
  Promise.all(Array.from({ length: count }, async (_, n) => (await scene.addUser(`user${n}`)).id));

describe("users/bulk/", () => {
  it.each(["logout", "disable"])("waits for one confirmation when it does %s to 100 users", async (action) => {
    scene = await createStaffScene();
    const ada = await scene.addUser("ada", "admin");
    const ids = await addUsers(100);
    // A node that never reports what it has read.
    await scene.store.nodes.register({ id: "silent", name: "silent", lease: 300, accessTokenLifetime: 1_800 });
    const confirmations = countConfirmations();
    const { status, headers, body } = await scene.call(ada.access, "POST", "users/bulk/", { action, ids, reason });
    expect([status, confirmations()]).toEqual([200, ["expiry"]]);
    expect(body.results).toEqual(ids.map((id) => ({ id, ok: true, detail: null })));
    expect([body.confirmed, headers.get("Revocation-Confirmed")]).toEqual(["expiry", "expiry"]);
    for (const id of ids) expect(await scene.auth.sessions.list(id)).toEqual([]);
    const { rows } = await scene.store.staff.audit({ types: ["sessions_revoked"] }, { ...firstPart, limit: 200 });
    expect(new Set(rows.map(({ row }) => row.userId))).toEqual(new Set(ids));
    expect(rows.every(({ row }) => row.actor === "staff/ada" && row.note === reason)).toBe(true);
    expect(rows).toHaveLength(100);
  });

  it("confirms what it has revoked even if the last user can't be revoked", async () => {
    scene = await createStaffScene();
    const ada = await scene.addUser("ada", "admin");
    const [bob = ""] = await addUsers(1);
    const confirmations = countConfirmations();
    const ids = [bob, "nobody"];
    const { body } = await scene.call(ada.access, "POST", "users/bulk/", { action: "disable", ids, reason });
    expect([body.confirmed, confirmations()]).toEqual(["acks", ["acks"]]);
  });

  it.each(["enable", "unlock"])("waits for nothing when it does %s", async (action) => {
    scene = await createStaffScene();
    const ada = await scene.addUser("ada", "admin");
    const ids = await addUsers(2);
    const confirmations = countConfirmations();
    const { headers, body } = await scene.call(ada.access, "POST", "users/bulk/", { action, ids, reason });
    expect([body.confirmed, headers.get("Revocation-Confirmed"), confirmations()]).toEqual([null, null, []]);
  });

  it("waits for nothing without the setting confirmRevocations", async () => {
    scene = await createStaffScene({ confirmRevocations: false });
    const ada = await scene.addUser("ada", "admin");
    const ids = await addUsers(2);
    const confirmations = countConfirmations();
    const { body } = await scene.call(ada.access, "POST", "users/bulk/", { action: "logout", ids, reason });
    expect([body.confirmed, confirmations()]).toEqual([null, []]);
  });
});

describe("users/bulk/ over a database that stops answering", () => {
  /** The user at whose change the database stops answering, and whether it has committed it before. */
  let broken: { readonly id: string; readonly isCommitted: boolean } | undefined;

  async function openBrokenStore(): Promise<Store> {
    const store = await openTestStore(() => Math.floor(Date.now() / 1_000));
    const { revokeForUser } = store.sessions;
    return {
      ...store,
      sessions: {
        ...store.sessions,
        async revokeForUser(userId, ...rest) {
          if (userId !== broken?.id) return revokeForUser(userId, ...rest);
          if (broken.isCommitted) await revokeForUser(userId, ...rest);
          throw new StoreUnavailableError("sessions.revokeForUser: the connection was lost");
        },
      },
    };
  }

  it.each([true, false])("returns the results so far and that user's error (committed: %s)", async (isCommitted) => {
    const errors: unknown[] = [];
    scene = await createStaffScene({ onError: (error) => errors.push(error) }, await openBrokenStore());
    const ada = await scene.addUser("ada", "admin");
    const ids = await addUsers(5);
    broken = { id: ids[2] ?? "", isCommitted };
    const send = () => scene.call(ada.access, "POST", "users/bulk/", { action: "logout", ids, reason });
    const { status, body } = await send();
    expect([status, (body as Results).confirmed]).toEqual([200, "acks"]);
    expect(errors).toEqual([expect.any(StoreUnavailableError)]);
    expect((body as Results).results).toEqual([
      { id: ids[0], ok: true, detail: null },
      { id: ids[1], ok: true, detail: null },
      { id: ids[2], ok: false, detail: "The database didn't answer. Look at the user, and try again." },
      { id: ids[3], ok: false, detail: "Not tried." },
      { id: ids[4], ok: false, detail: "Not tried." },
    ]);
    expect(await scene.auth.sessions.list(ids[3] ?? "")).toHaveLength(1);
    broken = undefined;
    expect((await send()).body.results.every(({ ok }: { ok: boolean }) => ok)).toBe(true);
    for (const id of ids) expect(await scene.auth.sessions.list(id)).toEqual([]);
  });

  it("answers 503 if nothing was changed before, and the same request succeeds later", async () => {
    scene = await createStaffScene({ onError() {} }, await openBrokenStore());
    const ada = await scene.addUser("ada", "admin");
    const ids = await addUsers(2);
    broken = { id: ids[0] ?? "", isCommitted: false };
    const send = () => scene.call(ada.access, "POST", "users/bulk/", { action: "logout", ids, reason });
    expect((await send()).status).toBe(503);
    broken = undefined;
    expect((await send()).status).toBe(200);
  });
});

describe("users/bulk/ with an application's users", () => {
  it("gives one user's failure to that user, and reports it", async () => {
    const errors: unknown[] = [];
    const toUser = (id: string): AuthUser => ({ id, username: id, isActive: true });
    scene = await createStaffScene({ findUser: toUser as never, onError: (error) => errors.push(error) }, undefined, {
      roleOf(id) {
        if (id === "broken") throw new Error("the application's database is down");
        return id === "ada" ? "admin" : null;
      },
    });
    const { access } = await scene.auth.issue("ada");
    const ids = ["bob", "broken", "eve"];
    for (const id of ids) await scene.auth.issue(id);
    const { status, body } = await scene.call(access, "POST", "users/bulk/", { action: "logout", ids, reason });
    expect([status, body]).toEqual([
      200,
      {
        results: [
          { id: "bob", ok: true, detail: null },
          { id: "broken", ok: false, detail: "This failed on the server. Look at the user, and try again." },
          { id: "eve", ok: true, detail: null },
        ],
        confirmed: "acks",
      },
    ]);
    expect(errors).toEqual([expect.objectContaining({ message: "the application's database is down" })]);
    expect(await scene.auth.sessions.list("broken")).toHaveLength(1);
  });
});

describe("users/bulk/ by a member whose session is revoked on the way", () => {
  it("stops", async () => {
    const store = await openTestStore(() => Math.floor(Date.now() / 1_000));
    const { revokeForUser } = store.sessions;
    let ids: readonly string[] = [];
    let adaId = "";
    scene = await createStaffScene(
      {},
      {
        ...store,
        sessions: {
          ...store.sessions,
          async revokeForUser(userId, ...rest) {
            const revoked = await revokeForUser(userId, ...rest);
            if (userId === ids[1]) await scene.auth.sessions.revokeAllForUser(adaId);
            return revoked;
          },
        },
      },
    );
    const ada = await scene.addUser("ada", "admin");
    adaId = ada.id;
    ids = await addUsers(4);
    const { body } = await scene.call(ada.access, "POST", "users/bulk/", { action: "logout", ids, reason });
    expect((body as Results).results).toEqual([
      { id: ids[0], ok: true, detail: null },
      { id: ids[1], ok: true, detail: null },
      { id: ids[2], ok: false, detail: "Your session has ended. Log in, and try again." },
      { id: ids[3], ok: false, detail: "Not tried." },
    ]);
    expect(await scene.auth.sessions.list(ids[3] ?? "")).toHaveLength(1);
  });
});
