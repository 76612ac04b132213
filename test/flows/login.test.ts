import { afterEach, describe, expect, it } from "vitest";
import type { ClientInfo } from "../../src/core/client-info.ts";
import type { AuthError } from "../../src/core/errors.ts";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { Store } from "../../src/core/store/index.ts";
import type { AuthUser } from "../../src/core/user.ts";
import type { PasswordHasher } from "../../src/crypto/passwords.ts";
import { login } from "../../src/flows/login.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { authenticate } from "../../src/flows/tokens/authenticate.ts";
import { createOwnUsers } from "../../src/flows/users/user-source.ts";
import { createUser, disableUser, findUserByName } from "../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth, testStart } from "../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "./flow.ts";

const client = { ip: "192.0.2.7", userAgent: "Firefox" };

let auth: TestAuth;

async function start(
  settings: Partial<Settings<AuthUser>> = {},
  wrapStore: (store: Store) => Store = (store) => store,
): Promise<void> {
  auth = await createTestAuth({ settings, wrapStore });
  auth.events.length = 0;
}
afterEach(() => auth.close());

const sessionsOfAlice = async () => (await auth.store.sessions.list({ userId: auth.user.id, limit: 10 })).sessions;

describe("login", () => {
  it("starts a session and returns its first pair", async () => {
    await start();
    const { user, session, pair } = await logIn(auth, { client });
    expect(user).toEqual(auth.user);
    expect(session).toMatchObject({ userId: auth.user.id, generation: 0, persistent: true, ...client });
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ sessionId: session.id, userId: auth.user.id });
    expect((await refresh(auth.deps, pair.refresh)).session.id).toBe(session.id);
  });

  it("emits no new_device for a user's first login", async () => {
    await start();
    await logIn(auth, { client });
    expect(auth.events.map(({ type }) => type)).not.toContain("new_device");
  });

  it("emits one login event, and new_device for a new user agent", async () => {
    await start();
    await logIn(auth);
    auth.events.length = 0;
    const { session } = await logIn(auth, { client });
    const subject = { userId: auth.user.id, sessionId: session.id, client };
    expect(auth.events).toMatchObject([
      { type: "login", ...subject },
      { type: "new_device", ...subject },
    ]);
  });

  it("starts a new session at every login, and stores whether the browser keeps its cookie", async () => {
    await start();
    const first = await logIn(auth);
    const second = await logIn(auth, { remember: false });
    expect((await sessionsOfAlice()).map(({ id }) => id).sort()).toEqual([first.session.id, second.session.id].sort());
    expect((await rowOf(auth, second.session.id)).persistent).toBe(false);
  });

  it("revokes the session that the new session replaces, and emits sessions_revoked once", async () => {
    await start();
    const first = await logIn(auth);
    auth.events.length = 0;
    const replaces = { sessionId: first.session.id, userId: auth.user.id };
    const second = await logIn(auth, { replaces });
    expect((await rowOf(auth, first.session.id)).revokeReason).toBe("replaced");
    expect(() => authenticate(auth.deps, first.pair.access)).toThrow(/^token_revoked/);
    expect(eventsOf(auth, "sessions_revoked")).toMatchObject([
      { type: "sessions_revoked", ...replaces, reason: "replaced" },
    ]);
    await logIn(auth, { replaces });
    expect(eventsOf(auth, "sessions_revoked")).toHaveLength(1);
    expect((await refresh(auth.deps, second.pair.refresh)).outcome).toBe("rotated");
  });

  it("sets lastLoginAt only if updateLastLogin is on", async () => {
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

describe("login with a username", () => {
  const as = (username: string) => login(auth.deps, { ...alice, username });

  it("finds the user whatever the username's case, surrounding white space and Unicode form (NFKC)", async () => {
    await start();
    for (const name of ["alice", "ALICE", " Alice\t", "\uff41lice"]) {
      expect((await as(name)).user.id).toBe(auth.user.id);
    }
  });

  it("distinguishes usernames by case if usernameCaseSensitive is on", async () => {
    await start({ usernameCaseSensitive: true });
    await expectRefused(as("Alice"), "no_active_account");
    const other = await createUser(auth.deps, { username: "Alice", password: alice.password });
    expect((await as("Alice")).user.id).toBe(other.id);
    expect((await as(" \uff41lice")).user.id).toBe(auth.user.id);
  });
});

describe("a refused login", () => {
  it.each([
    ["an unknown user", { username: "bob", password: alice.password }],
    ["a wrong password", { username: "alice", password: "wrong" }],
    ["a password with white space around it", { username: "alice", password: ` ${alice.password}` }],
    ["an empty password", { username: "alice", password: "" }],
  ])("refuses a login in one way, without a session, for %s", async (_, credentials) => {
    await start();
    await expectRefused(login(auth.deps, credentials, { client }), "no_active_account");
    const reason = "unknown user or wrong password";
    expect(auth.events).toMatchObject([{ type: "login_failed", code: "no_active_account", reason, client }]);
    expect(await sessionsOfAlice()).toEqual([]);
  });

  it("refuses a disabled user with the right password in the same way as a wrong password", async () => {
    await start();
    await disableUser(auth.deps, auth.user.id);
    await expectRefused(logIn(auth), "no_active_account", { reason: "the user may not log in" });
    expect(eventsOf(auth, "login_failed")).toHaveLength(1);
  });

  it("refuses a user who has no password, whatever password is given", async () => {
    await start();
    await createUser(auth.deps, { username: "robot" });
    for (const password of ["", "null", "undefined"]) {
      await expectRefused(login(auth.deps, { username: "robot", password }), "no_active_account");
    }
  });
});

describe("userAuthenticationRule at a login", () => {
  it("refuses a disabled user although userAuthenticationRule allows it, because the store decides last", async () => {
    await start({ userAuthenticationRule: () => true });
    await disableUser(auth.deps, auth.user.id);
    await expectRefused(logIn(auth), "no_active_account", { reason: "user_inactive" });
  });

  it("refuses an active user whom userAuthenticationRule does not allow", async () => {
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
    ["is async, even if its promise holds true", async () => true],
    ["returns undefined", () => undefined],
  ])("refuses the login if userAuthenticationRule %s", async (_, rule) => {
    await start({ userAuthenticationRule: rule as () => boolean });
    await expectRefused(logIn(auth), "unavailable", { reason: /^userAuthenticationRule / });
    expect(await sessionsOfAlice()).toEqual([]);
    expect(eventsOf(auth, "login")).toEqual([]);
  });
});

describe("onLoginSuccess", () => {
  it("calls onLoginSuccess with the user and the client before the session exists", async () => {
    const calls: unknown[] = [];
    await start({
      onLoginSuccess: async (user, from) => {
        calls.push([user.id, from, (await sessionsOfAlice()).length]);
      },
    });
    await logIn(auth, { client });
    expect(calls).toEqual([[auth.user.id, client, 0]]);
  });

  it("creates and replaces no session if onLoginSuccess throws", async () => {
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
    const replaces = { sessionId: first.session.id, userId: auth.user.id };
    await expectRefused(logIn(auth, { replaces }), "unavailable", {
      reason: "onLoginSuccess failed",
    });
    expect((await sessionsOfAlice()).map(({ id }) => id)).toEqual([first.session.id]);
    expect((await refresh(auth.deps, first.pair.refresh)).outcome).toBe("rotated");
    expect((await findUserByName(auth.deps, "alice"))?.lastLoginAt).toBe(testStart);
    expect(eventsOf(auth, "login")).toEqual([]);
  });
});

describe("onLoginFailed", () => {
  it("calls onLoginFailed with every refusal and its client, and not at a success", async () => {
    const calls: [AuthError, ClientInfo][] = [];
    await start({ onLoginFailed: (error, from) => void calls.push([error, from]) });
    await logIn(auth);
    expect(calls).toEqual([]);
    await expectRefused(login(auth.deps, { username: "alice", password: "wrong" }, { client }), "no_active_account");
    expect(calls).toMatchObject([[{ name: "AuthError", code: "no_active_account" }, client]]);
  });

  it("gives the client the same answer if onLoginFailed throws", async () => {
    await start({ onLoginFailed: () => Promise.reject(new Error("the audit log is full")) });
    await expectRefused(login(auth.deps, { username: "alice", password: "wrong" }), "no_active_account");
    expect(eventsOf(auth, "login_failed")).toHaveLength(1);
  });
});

describe("the work of a login", () => {
  it("reads the user's row once in a login, also with a claims hook", async () => {
    const reads: string[] = [];
    const noting = (users: Store["users"]) =>
      new Proxy(users, {
        get(target, name) {
          reads.push(String(name));
          return Reflect.get(target, name);
        },
      });
    const settings = { claims: () => ({ role: "admin" }), updateLastLogin: true };
    await start(settings, (store) => ({ ...store, users: noting(store.users) }));
    reads.length = 0;
    await logIn(auth, { client });
    expect(reads).toEqual(["findByKey"]);
  });

  it("refuses a login before any lookup if too many passwords are waiting to be hashed, and reports it", async () => {
    await start({ passwordHashConcurrency: 1, passwordQueueLimit: 1 });
    const hashing = [auth.passwords.hash("one"), auth.passwords.hash("two")];
    const findByKey = () => Promise.reject(new Error("asked the store"));
    const store = { ...auth.store, users: { ...auth.store.users, findByKey } };
    const users = createOwnUsers(store, auth.passwords, auth.deps.settings);
    await expectRefused(login({ ...auth.deps, store, users }, alice, { client }), "unavailable");
    expect(auth.events).toMatchObject([{ type: "login_failed", code: "unavailable", client }]);
    await Promise.all(hashing);
  });

  it.each([
    ["a wrong password", { username: "alice", password: "wrong" }],
    ["an unknown user", { username: "bob", password: alice.password }],
    ["a user who has no password", { username: "robot", password: alice.password }],
  ])("hashes exactly one password at a login with %s", async (_, credentials) => {
    await start();
    await createUser(auth.deps, { username: "robot" });
    let begun = 0;
    const verify: PasswordHasher["verify"] = (encoded, password) => {
      const match = auth.passwords.verify(encoded, password);
      // The queue was empty: whatever is in it now was begun for this password.
      begun += auth.passwords.load().inFlight;
      return match;
    };
    const passwords = { ...auth.passwords, verify };
    const users = createOwnUsers(auth.store, passwords, auth.deps.settings);
    await expectRefused(login({ ...auth.deps, passwords, users }, credentials), "no_active_account");
    expect(begun).toBe(1);
  });
});
