import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuthUser } from "../../src/core/user.ts";
import { authenticate } from "../../src/flows/authenticate.ts";
import { login } from "../../src/flows/login.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { listSessions, revokeSessionsForUser } from "../../src/flows/sessions.ts";
import { createTestAuth, type TestAuth } from "../support/auth.ts";
import { eventsOf, expectRefused } from "./flow.ts";

const ada = { id: "u-1", username: "ada", isActive: true };
const password = "analytical engine";

let auth: TestAuth;
let table: Map<string, AuthUser>;
/** What happens between the application's two answers. */
let meanwhile: () => Promise<unknown>;

beforeEach(async () => {
  table = new Map([[ada.id, ada]]);
  meanwhile = async () => {};
  auth = await createTestAuth({
    settings: {
      verifyCredentials: async (username, given) => {
        const user = [...table.values()].find((row) => row.username === username) ?? null;
        await meanwhile();
        return given === password ? user : null;
      },
      findUser: async (id) => table.get(id) as AuthUser,
    },
  });
  auth.events.length = 0;
});
afterEach(() => auth.close());

const logIn = () => login(auth.deps, { username: " ada ", password });
const deactivate = () => table.set(ada.id, { ...ada, isActive: false });

describe("a user of the application's own table", () => {
  it("logs in, refreshes and logs out like any other", async () => {
    const { user, session, pair } = await logIn();
    expect(user).toEqual(ada);
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ userId: "u-1", sessionId: session.id });
    const next = await refresh(auth.deps, pair.refresh);
    expect(next.outcome).toBe("rotated");
    expect(await revokeSessionsForUser(auth.deps, "u-1")).toMatchObject({ sessions: 1 });
    await expectRefused(authenticate(auth.deps, next.pair.access), "token_revoked");
    expect((await logIn()).session.id).not.toBe(session.id);
  });

  it("is refused by a wrong password and an unknown name in one way", async () => {
    await expectRefused(login(auth.deps, { username: "ada", password: "wrong" }), "no_active_account");
    await expectRefused(login(auth.deps, { username: "bob", password }), "no_active_account");
    expect(new Set(eventsOf(auth, "login_failed").map(({ reason }) => reason)).size).toBe(1);
  });

  it("who is deactivated there neither logs in nor refreshes", async () => {
    const { pair } = await logIn();
    deactivate();
    await expectRefused(logIn(), "no_active_account");
    await expectRefused(refresh(auth.deps, pair.refresh), "token_user_inactive");
    table.delete(ada.id);
    await expectRefused(refresh(auth.deps, pair.refresh), "token_user_inactive");
  });

  it("who is deactivated there during a login is seen as inactive", async () => {
    meanwhile = async () => deactivate();
    await expectRefused(logIn(), "no_active_account");
    expect(await listSessions(auth.deps, ada.id)).toEqual([]);
  });

  it("whose sessions are all ended during a login has that login refused", async () => {
    const before = await logIn();
    await auth.close();
    let endAll: () => Promise<unknown> = async () => {};
    auth = await createTestAuth({
      settings: {
        verifyCredentials: async () => ada,
        findUser: async () => {
          // The epoch has been read; what ends it now must outrun the session.
          await endAll();
          return ada;
        },
      },
    });
    endAll = () => revokeSessionsForUser(auth.deps, ada.id);
    await expectRefused(logIn(), "no_active_account", { reason: "user_epoch_changed" });
    expect(await listSessions(auth.deps, ada.id)).toEqual([]);
    expect(before.session.userId).toBe(ada.id);
  });

  it("is nobody, where an application without verifyCredentials issues sessions itself", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { findUser: async () => ada } });
    await expectRefused(logIn(), "no_active_account");
  });
});

describe("an application's function that fails", () => {
  it.each(["verifyCredentials", "findUser"] as const)("(%s) is a 503 with the cause for the operator", async (hook) => {
    await auth.close();
    const cause = new Error("connect ECONNREFUSED");
    const users = { verifyCredentials: async () => ada, findUser: async () => ada };
    auth = await createTestAuth({ settings: { ...users, [hook]: () => Promise.reject(cause) } });
    await expect(logIn()).rejects.toMatchObject({ code: "unavailable", reason: `${hook} failed`, cause });
    expect(await listSessions(auth.deps)).toEqual([]);
  });

  it("is a 503, too, where it throws before it returns a promise", async () => {
    await auth.close();
    const findUser = () => {
      throw new TypeError("cannot read properties of undefined");
    };
    auth = await createTestAuth({ settings: { findUser, verifyCredentials: async () => ada } });
    await expectRefused(logIn(), "unavailable", { reason: "findUser failed" });
  });
});
