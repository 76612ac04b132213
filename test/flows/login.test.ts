import { afterEach, describe, expect, it } from "vitest";
import type { ClientInfo } from "../../src/core/client-info.ts";
import type { AuthError } from "../../src/core/errors.ts";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { authenticate } from "../../src/flows/authenticate.ts";
import { login } from "../../src/flows/login.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { createUser, disableUser, findUserByName } from "../../src/flows/users.ts";
import { alice, createTestAuth, type TestAuth, testStart } from "../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "./flow.ts";

const client = { ip: "192.0.2.7", userAgent: "Firefox" };

let auth: TestAuth;

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  auth = await createTestAuth({ settings });
  auth.events.length = 0;
}
afterEach(() => auth.close());

const sessionsOfAlice = async () => (await auth.store.sessions.list({ userId: auth.user.id, limit: 10 })).sessions;

describe("a login", () => {
  it("starts a session and gives its first pair", async () => {
    await start();
    const { user, session, pair } = await logIn(auth, { client });
    expect(user).toEqual(auth.user);
    expect(session).toMatchObject({ userId: auth.user.id, generation: 0, persistent: true, ...client });
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ sessionId: session.id, userId: auth.user.id });
    expect((await refresh(auth.deps, pair.refresh)).session.id).toBe(session.id);
  });

  it("is reported once", async () => {
    await start();
    const { session } = await logIn(auth, { client });
    const subject = { userId: auth.user.id, sessionId: session.id, client };
    expect(auth.events).toMatchObject([
      { type: "login", ...subject },
      { type: "new_device", ...subject },
    ]);
  });

  it("gives every device a session of its own", async () => {
    await start();
    const first = await logIn(auth);
    const second = await logIn(auth, { remember: false });
    expect((await sessionsOfAlice()).map(({ id }) => id).sort()).toEqual([first.session.id, second.session.id].sort());
    expect((await rowOf(auth, second.session.id)).persistent).toBe(false);
  });

  it("ends the session that it replaces, and says so", async () => {
    await start();
    const first = await logIn(auth);
    auth.events.length = 0;
    const second = await logIn(auth, { replaces: first.session.id });
    expect((await rowOf(auth, first.session.id)).revokeReason).toBe("replaced");
    await expectRefused(authenticate(auth.deps, first.pair.access), "token_revoked");
    expect(eventsOf(auth, "sessions_revoked")).toMatchObject([
      { type: "sessions_revoked", sessionId: first.session.id, reason: "replaced" },
    ]);
    await logIn(auth, { replaces: first.session.id });
    expect(eventsOf(auth, "sessions_revoked")).toHaveLength(1);
    expect((await refresh(auth.deps, second.pair.refresh)).outcome).toBe("rotated");
  });

  it("notes when it was, where updateLastLogin is on", async () => {
    for (const updateLastLogin of [false, true]) {
      await start({ updateLastLogin });
      auth.clock.advance(60);
      await logIn(auth);
      const found = await findUserByName(auth.deps, "alice");
      expect(found?.lastLoginAt).toBe(updateLastLogin ? testStart + 60 : null);
      if (!updateLastLogin) await auth.close();
    }
  });
});

describe("the username at a login", () => {
  const as = (username: string) => login(auth.deps, { ...alice, username });

  it("is found in any case, with white space around it, and in any spelling (NFKC)", async () => {
    await start();
    for (const name of ["alice", "ALICE", " Alice\t", "\uff41lice"]) {
      expect((await as(name)).user.id).toBe(auth.user.id);
    }
  });

  it("counts by case where usernameCaseSensitive is on, and then names two users", async () => {
    await start({ usernameCaseSensitive: true });
    await expectRefused(as("Alice"), "no_active_account");
    const other = await createUser(auth.deps, { username: "Alice", password: alice.password });
    expect((await as("Alice")).user.id).toBe(other?.id);
    expect((await as(" \uff41lice")).user.id).toBe(auth.user.id);
  });
});

describe("a login is refused in one way", () => {
  it.each([
    ["an unknown user", { username: "bob", password: alice.password }],
    ["a wrong password", { username: "alice", password: "wrong" }],
    ["a password with white space around it", { username: "alice", password: ` ${alice.password}` }],
    ["an empty password", { username: "alice", password: "" }],
  ])("for %s", async (_, credentials) => {
    await start();
    await expectRefused(login(auth.deps, credentials, { client }), "no_active_account");
    const reason = "unknown user or wrong password";
    expect(auth.events).toMatchObject([{ type: "login_failed", code: "no_active_account", reason, client }]);
    expect(await sessionsOfAlice()).toEqual([]);
  });

  it("for a user who is not active", async () => {
    await start();
    await disableUser(auth.deps, auth.user.id);
    await expectRefused(logIn(auth), "no_active_account", { reason: "the user may not log in" });
    expect(eventsOf(auth, "login_failed")).toHaveLength(1);
  });

  it("for a user without a password, and the password that nobody has", async () => {
    await start();
    await createUser(auth.deps, { username: "robot" });
    for (const password of ["", "null", "undefined"]) {
      await expectRefused(login(auth.deps, { username: "robot", password }), "no_active_account");
    }
  });
});

describe("the application's rule", () => {
  it("cannot let in a user who has been disabled: the store has the last word", async () => {
    await start({ userAuthenticationRule: () => true });
    await disableUser(auth.deps, auth.user.id);
    await expectRefused(logIn(auth), "no_active_account", { reason: "user_inactive" });
  });

  it("may refuse a user who is active", async () => {
    await start({ userAuthenticationRule: ({ username }) => username !== "alice" });
    await expectRefused(logIn(auth), "no_active_account");
    expect(await sessionsOfAlice()).toEqual([]);
  });

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("boom");
      },
    ],
    ["is async, whatever its promise holds", async () => true],
    ["answers nothing", () => undefined],
  ])("fails closed where it %s", async (_, rule) => {
    await start({ userAuthenticationRule: rule as () => boolean });
    await expectRefused(logIn(auth), "unavailable", { reason: /^userAuthenticationRule / });
    expect(await sessionsOfAlice()).toEqual([]);
    expect(eventsOf(auth, "login")).toEqual([]);
  });
});

describe("onLoginSuccess", () => {
  it("hears of the user and the client before the session begins", async () => {
    const heard: unknown[] = [];
    await start({
      onLoginSuccess: async (user, from) => {
        heard.push([user.id, from, (await sessionsOfAlice()).length]);
      },
    });
    await logIn(auth, { client });
    expect(heard).toEqual([[auth.user.id, client, 0]]);
  });

  it("refuses the login by throwing, and nothing has changed: no session, and the earlier one lives", async () => {
    let fail = false;
    await start({
      updateLastLogin: true,
      onLoginSuccess: () => {
        if (fail) throw new Error("the audit log is full");
      },
    });
    const first = await logIn(auth);
    auth.events.length = 0;
    fail = true;
    auth.clock.advance(60);
    await expectRefused(logIn(auth, { replaces: first.session.id }), "unavailable", {
      reason: "onLoginSuccess failed",
    });
    expect((await sessionsOfAlice()).map(({ id }) => id)).toEqual([first.session.id]);
    expect((await refresh(auth.deps, first.pair.refresh)).outcome).toBe("rotated");
    expect((await findUserByName(auth.deps, "alice"))?.lastLoginAt).toBe(testStart);
    expect(eventsOf(auth, "login")).toEqual([]);
  });
});

describe("onLoginFailed", () => {
  it("hears of every refusal with its code, and of no success", async () => {
    const heard: [AuthError, ClientInfo][] = [];
    await start({ onLoginFailed: (error, from) => void heard.push([error, from]) });
    await logIn(auth);
    expect(heard).toEqual([]);
    await expectRefused(login(auth.deps, { username: "alice", password: "wrong" }, { client }), "no_active_account");
    expect(heard).toMatchObject([[{ name: "AuthError", code: "no_active_account" }, client]]);
  });

  it("changes nothing by what it throws", async () => {
    await start({ onLoginFailed: () => Promise.reject(new Error("the audit log is full")) });
    await expectRefused(login(auth.deps, { username: "alice", password: "wrong" }), "no_active_account");
    expect(eventsOf(auth, "login_failed")).toHaveLength(1);
  });
});
