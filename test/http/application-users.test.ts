import { afterEach, describe, expect, it } from "vitest";
import type { AuthUser } from "../../src/core/user.ts";
import { login } from "../../src/flows/login.ts";
import { issue } from "../../src/flows/sessions/issue.ts";
import { listSessions, revokeSessionsForUser } from "../../src/flows/sessions/sessions.ts";
import { authenticate } from "../../src/flows/tokens/authenticate.ts";
import { disableUser, enableUser } from "../../src/flows/users/users.ts";
import { eventsOf, expectRefused } from "../flows/flow.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";
import { createBrowser } from "../support/browser.ts";

let auth: TestAuth;
/** What the application's two functions return. */
let answer: unknown;

async function start(first: unknown): Promise<void> {
  answer = first;
  const hooks = { verifyCredentials: () => answer as AuthUser, findUser: () => answer as AuthUser };
  auth = await createTestAuth({ settings: hooks });
}
afterEach(() => auth.close());

const ada = { id: "42", username: "ada", isActive: true };
const logIn = () => login(auth.deps, alice);
const refresh = (token: string) => auth.send("POST", "/api/token/refresh/", { body: { refresh: token } });
const me = (token: string) => auth.send("GET", "/api/auth/me/", { headers: { Authorization: `Bearer ${token}` } });

describe("the id of a user of the application's own table", () => {
  it.each([
    ["a number", 42],
    ["a bigint", 42n],
  ])("becomes its decimal digits if it is %s, so that a revocation by these digits finds its tokens", async (_, id) => {
    await start({ ...ada, id });
    const { access, refresh: token } = await auth.logIn();
    expect(await (await me(access)).json()).toMatchObject({ id: "42" });
    const next = (await (await refresh(token)).json()) as { access: string };
    expect(await revokeSessionsForUser(auth.deps, "42")).toMatchObject({ sessions: 1 });
    expect((await me(next.access)).status).toBe(401);
  });

  it("is text in the answer to a login by cookie, although the application returned a number", async () => {
    await start({ ...ada, id: 42 });
    const browser = createBrowser(auth);
    await browser.logIn();
    expect(await (await browser.send("GET", "/api/auth/me/")).json()).toMatchObject({ id: "42", username: "ada" });
  });

  it("keeps the methods of an object whose id was a number", async () => {
    class Member {
      id = 7;
      username = "ada";
      isActive = true;
      greet() {
        return `Hello, ${this.username}`;
      }
    }
    await start(new Member());
    const { user } = await logIn();
    expect((user as unknown as Member).greet()).toBe("Hello, ada");
    expect(user.id).toBe("7");
  });

  it.each([
    ["an empty id", { id: "" }, /verifyCredentials: a user id must not be empty/],
    ["a blank id", { id: "  " }, /must not be empty or blank/],
    ["no id", { id: undefined }, /a user id must be a string, got undefined\. Example: id: String\(row\.id\)/],
    ["an id of null", { id: null }, /a user id must be a string, got null/],
    ["a fraction as id", { id: 1.5 }, /a user id must be a string, got 1\.5/],
    ["a number too large to be exact", { id: 2 ** 53 }, /a user id must be a string/],
    ["an object as id", { id: { $oid: "1" } }, /a user id must be a string, got an object/],
    ["a NUL in the id", { id: "a\0" }, /no control characters/],
    ["a lone surrogate in the id", { id: "a\ud800" }, /no lone surrogates/],
    ["an id of 256 characters", { id: "x".repeat(256) }, /at most 255 characters, got 256/],
    ["a username of null", { username: null }, /username must be a string that is not blank, got null/],
    ["an empty username", { username: "" }, /username must be a string that is not blank/],
  ])(
    "makes a login unavailable and reports a TypeError, with no session, if the user has %s",
    async (_, part, message) => {
      await start({ ...ada, ...part });
      const response = await auth.send("POST", "/api/token/", { body: alice });
      expect([response.status, await response.json()]).toMatchObject([503, { code: "unavailable" }]);
      const [error] = auth.errors as [Error];
      expect(error.cause).toBeInstanceOf(TypeError);
      expect((error.cause as Error).message).toMatch(message);
      expect(await listSessions(auth.deps)).toEqual([]);
    },
  );

  it.each([true, "ada", 42])(
    "makes a login unavailable if the application returns %j instead of a user",
    async (value) => {
      await start(value);
      await expectRefused(logIn(), "unavailable", { reason: "verifyCredentials failed" });
      expect(await listSessions(auth.deps)).toEqual([]);
    },
  );

  it("makes issue unavailable if findUser returns another user than it was asked for", async () => {
    await start(ada);
    await expectRefused(issue(auth.deps, "43"), "unavailable", { reason: "findUser failed" });
    expect(await listSessions(auth.deps)).toEqual([]);
  });

  it('revokes a session that tokenpair 0.1 gave to "42.0" on SQLite, at its next refresh', async () => {
    await start({ ...ada, id: "42.0" });
    const { refresh: token } = await auth.logIn();
    answer = { ...ada, id: 42 };
    expect((await refresh(token)).status).toBe(401);
    expect(await listSessions(auth.deps)).toEqual([]);
  });
});

describe("findUser and verifyCredentials", () => {
  it.each([null, undefined])("may be synchronous, and return %s for an unknown user", async (nobody) => {
    await start(ada);
    const { refresh: token } = await auth.logIn();
    answer = nobody;
    expect((await refresh(token)).status).toBe(401);
    await expectRefused(logIn(), "no_active_account");
    expect(auth.errors).toEqual([]);
  });
});

describe("a user who was set inactive in the application's own table", () => {
  it.each([
    ["is inactive", { ...ada, isActive: false }, "user_disabled"],
    ["is gone", null, "user_deleted"],
  ])("loses the session and its access tokens at the first refresh: the user %s", async (_, later, reason) => {
    await start(ada);
    const { access, refresh: token } = await auth.logIn();
    expect((await me(access)).status).toBe(200);
    answer = later;
    auth.events.length = 0;
    const response = await refresh(token);
    expect([response.status, response.headers.get("Session-Ended")]).toEqual([401, "true"]);
    expect(await response.json()).toMatchObject({ code: "no_active_account" });
    expect((await me(access)).status).toBe(401);
    expect(eventsOf(auth, "sessions_revoked")).toMatchObject([{ reason, sessions: 1, userId: "42" }]);
    answer = ada;
    expect((await refresh(token)).status).toBe(401);
  });

  it("loses the session at a refresh that presents a spent token", async () => {
    await start(ada);
    const { refresh: spent } = await auth.logIn();
    const { access } = (await (await refresh(spent)).json()) as { access: string };
    answer = { ...ada, isActive: false };
    await refresh(spent);
    expect(() => authenticate(auth.deps, access)).toThrow(/^token_revoked/);
  });
});

describe("disableUser, for a user of the application's own table", () => {
  it("holds before the first login, and until enableUser", async () => {
    await start(ada);
    expect(await disableUser(auth.deps, "42")).toMatchObject({ sessions: 0 });
    await expectRefused(logIn(), "no_active_account");
    await enableUser(auth.deps, "42");
    expect((await logIn()).session.userId).toBe("42");
  });

  it("is recorded once if it is called twice, and so is enableUser", async () => {
    await start(ada);
    auth.events.length = 0;
    for (const change of [disableUser, disableUser, enableUser, enableUser]) await change(auth.deps, "42");
    expect(eventsOf(auth, "user_changed").map(({ change }) => change)).toEqual(["disabled", "enabled"]);
    const { entries } = await auth.store.audit.read({ userId: "42", after: null, limit: 10 });
    expect(entries.map(({ type }) => type).sort()).toEqual(["sessions_revoked", "user_changed", "user_changed"]);
  });
});
