import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuthUser } from "../../../src/core/user.ts";
import { login } from "../../../src/flows/login.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import { listSessions, revokeSessionsForUser } from "../../../src/flows/sessions/sessions.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { createPasswords } from "../../../src/passwords/create-passwords.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { eventsOf, expectRefused } from "../flow.ts";

const ada = { id: "u-1", username: "ada", isActive: true };
const password = "analytical engine";

let auth: TestAuth;
let table: Map<string, AuthUser>;
/** Runs between the application's two answers. */
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
  it("lets a user of the application's table log in and refresh until the sessions are revoked", async () => {
    const { user, session, pair } = await logIn();
    expect(user).toEqual(ada);
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ userId: "u-1", sessionId: session.id });
    const next = await refresh(auth.deps, pair.refresh);
    expect(next.outcome).toBe("rotated");
    expect(await revokeSessionsForUser(auth.deps, "u-1")).toMatchObject({ sessions: 1 });
    expect(() => authenticate(auth.deps, next.pair.access)).toThrow(/^token_revoked/);
    expect((await logIn()).session.id).not.toBe(session.id);
  });

  it("refuses a wrong password and an unknown name of the application in the same way", async () => {
    await expectRefused(login(auth.deps, { username: "ada", password: "wrong" }), "no_active_account");
    await expectRefused(login(auth.deps, { username: "bob", password }), "no_active_account");
    expect(new Set(eventsOf(auth, "login_failed").map(({ reason }) => reason)).size).toBe(1);
  });

  it("refuses login and refresh after the application deactivated or deleted the user", async () => {
    const { pair } = await logIn();
    deactivate();
    await expectRefused(logIn(), "no_active_account");
    await expectRefused(refresh(auth.deps, pair.refresh), "token_user_inactive", { sessionEnded: true });
    table.delete(ada.id);
    await expectRefused(refresh(auth.deps, pair.refresh), "token_user_inactive", { sessionEnded: true });
  });

  it("refuses a login during which the application deactivates the user", async () => {
    meanwhile = async () => deactivate();
    await expectRefused(logIn(), "no_active_account");
    expect(await listSessions(auth.deps, ada.id)).toEqual([]);
  });

  it("refuses a login during which all of the user's sessions are revoked", async () => {
    const before = await logIn();
    await auth.close();
    let revokeAll: () => Promise<unknown> = async () => {};
    auth = await createTestAuth({
      settings: {
        verifyCredentials: async () => ada,
        findUser: async () => {
          // The epoch has been read by now.
          await revokeAll();
          return ada;
        },
      },
    });
    revokeAll = () => revokeSessionsForUser(auth.deps, ada.id);
    await expectRefused(logIn(), "no_active_account", { reason: "user_epoch_changed" });
    expect(await listSessions(auth.deps, ada.id)).toEqual([]);
    expect(before.session.userId).toBe(ada.id);
  });

  it("refuses every password if the application has no verifyCredentials", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { findUser: async () => ada } });
    await expectRefused(logIn(), "no_active_account");
  });
});

describe("a login with a hook that fails", () => {
  it("answers unavailable, and reports no defect, if too many passwords wait in verifyCredentials", async () => {
    const busy = createPasswords({ memoryCost: 64, timeCost: 1, concurrency: 1, queueLimit: 0 });
    let running: Promise<string> | undefined;
    await auth.close();
    auth = await createTestAuth({
      settings: {
        findUser: async () => ada,
        verifyCredentials: async (_, given) => {
          running = busy.hash(given);
          return (await busy.verify(null, given)).isCorrect ? ada : null;
        },
      },
    });
    const error = await logIn().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "unavailable", reason: "too many passwords are waiting to be hashed" });
    expect((error as Error).cause).toBeUndefined();
    await running;
  });

  it.each(["verifyCredentials", "findUser"] as const)(
    "makes a login unavailable, with the error as the cause, if %s rejects",
    async (hook) => {
      await auth.close();
      const cause = new Error("connect ECONNREFUSED");
      const users = { verifyCredentials: async () => ada, findUser: async () => ada };
      auth = await createTestAuth({ settings: { ...users, [hook]: () => Promise.reject(cause) } });
      await expect(logIn()).rejects.toMatchObject({ code: "unavailable", reason: `${hook} failed`, cause });
      expect(await listSessions(auth.deps)).toEqual([]);
    },
  );

  it("makes a login unavailable if findUser throws before it returns a promise", async () => {
    await auth.close();
    const findUser = () => {
      throw new TypeError("cannot read properties of undefined");
    };
    auth = await createTestAuth({ settings: { findUser, verifyCredentials: async () => ada } });
    await expectRefused(logIn(), "unavailable", { reason: "findUser failed" });
  });
});
