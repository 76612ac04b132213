import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import { type Issued, issue, startSession } from "../../../src/flows/sessions/issue.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import type { FoundUser } from "../../../src/flows/users/user-source.ts";
import { disableUser, enableUser, setPassword } from "../../../src/flows/users/users.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";
import { expectRefused } from "../flow.ts";

let auth: TestAuth;
let found: FoundUser;

beforeEach(async () => {
  auth = await createTestAuth({
    settings: { accessTokenLifetime: 60, refreshTokenLifetime: 600, sessionLifetime: 900 },
  });
  found = (await auth.deps.users.find(auth.user.id)) as FoundUser;
  auth.events.length = 0;
});
afterEach(() => auth.close());

const liveSessions = async () => (await auth.store.sessions.list({ limit: 10 })).sessions.length;

describe("issue", () => {
  it("starts a session with the configured lifetimes and an id that sorts by time (UUIDv7)", async () => {
    const { user, session, pair } = await issue(auth.deps, auth.user.id);
    expect(user).toEqual(auth.user);
    expect(session).toMatchObject({
      userId: auth.user.id,
      createdAt: testStart,
      idleExpiresAt: testStart + 600,
      absoluteExpiresAt: testStart + 900,
      userAgent: null,
      ip: null,
    });
    expect(session.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(session.id.replace("-", "").slice(0, 12), 16)).toBe(testStart * 1_000);
    expect(pair).toMatchObject({ accessExpiresIn: 60, refreshExpiresIn: 600 });
  });

  it("emits a login with an empty client if the caller passes none", async () => {
    const { session } = await issue(auth.deps, auth.user.id);
    expect(auth.events).toEqual([
      { type: "login", time: testStart, userId: auth.user.id, sessionId: session.id, client: {} },
    ]);
  });

  it("refuses an unknown user and a disabled one, and starts no session", async () => {
    await expectRefused(issue(auth.deps, "999"), "no_active_account", { reason: "no such user" });
    await disableUser(auth.deps, auth.user.id);
    await expectRefused(issue(auth.deps, auth.user.id), "no_active_account", { reason: "the user may not log in" });
    expect(await liveSessions()).toBe(0);
  });
});

describe("issue with amr and lifetime", () => {
  it("returns tokens that say when and how the user was authenticated, also after refreshes", async () => {
    const { pair, session } = await issue(auth.deps, auth.user.id, { amr: ["hwk", "user"] });
    auth.clock.advance(30);
    const refreshed = await refresh(auth.deps, pair.refresh);
    const replayed = await refresh(auth.deps, pair.refresh);
    const expected = { authTime: testStart, amr: ["hwk", "user"], actor: null, sessionId: session.id };
    for (const { access } of [pair, refreshed.pair, replayed.pair]) {
      const claims = await authenticate(auth.deps, access);
      expect(claims).toMatchObject(expected);
      expect(claims.payload).toMatchObject({ auth_time: testStart, amr: ["hwk", "user"] });
      expect(claims.payload).not.toHaveProperty("act");
    }
  });

  it("returns tokens that don't say how the user was authenticated if the caller doesn't", async () => {
    const { pair } = await issue(auth.deps, auth.user.id);
    const claims = await authenticate(auth.deps, pair.access);
    expect(claims).toMatchObject({ authTime: testStart, amr: [] });
    expect(claims.payload).not.toHaveProperty("amr");
  });

  it("starts a session that ends earlier than the setting says", async () => {
    const { session } = await issue(auth.deps, auth.user.id, { lifetime: 100 });
    expect(session).toMatchObject({ idleExpiresAt: testStart + 100, absoluteExpiresAt: testStart + 100 });
    await expect(issue(auth.deps, auth.user.id, { lifetime: 901 })).rejects.toThrow(/from 1 to 900, got 901$/);
  });

  it.each([Date.now(), 1.5, -1, Number.NaN])(
    "refuses %d for the time when the user was authenticated",
    async (authTime) => {
      await expect(issue(auth.deps, auth.user.id, { authTime })).rejects.toThrow(
        /^issue: authTime must be whole seconds/,
      );
      expect(await liveSessions()).toBe(0);
    },
  );

  it("refuses values that aren't names of methods, and starts no session", async () => {
    await expect(issue(auth.deps, auth.user.id, { amr: ["one time"] })).rejects.toThrow(TypeError);
    expect(await liveSessions()).toBe(0);
  });
});

describe("issue with maxSessionsPerUser", () => {
  it("revokes the least recently used sessions beyond the limit, with one event each", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { maxSessionsPerUser: 2, maxStaleness: 3_600 } });
    const issued: Issued[] = [];
    for (let i = 0; i < 2; i++) {
      issued.push(await issue(auth.deps, auth.user.id));
      auth.clock.advance(1);
    }
    const [first, second] = issued as [Issued, Issued];
    const { pair } = await refresh(auth.deps, first.pair.refresh);
    auth.events.length = 0;
    const { session: third } = await issue(auth.deps, auth.user.id);
    const subject = { time: auth.clock.now(), userId: auth.user.id, client: {} };
    expect(auth.events).toEqual([
      { type: "sessions_revoked", ...subject, sessionId: second.session.id, sessions: 1, reason: "limit" },
      { type: "login", ...subject, sessionId: third.id },
    ]);
    expect(() => authenticate(auth.deps, second.pair.access)).toThrow(/^token_revoked/);
    await expectRefused(refresh(auth.deps, second.pair.refresh), "token_revoked", { sessionEnded: true });
    expect(authenticate(auth.deps, pair.access)).toMatchObject({ sessionId: first.session.id });
  });

  it("tells the session that the login replaces from those beyond the limit", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { maxSessionsPerUser: 1 } });
    const { session: first } = await issue(auth.deps, auth.user.id);
    auth.events.length = 0;
    const replaces = { sessionId: first.id, userId: auth.user.id };
    await issue(auth.deps, auth.user.id, { replaces });
    expect(auth.events).toMatchObject([
      { type: "sessions_revoked", sessionId: first.id, reason: "replaced" },
      { type: "login" },
    ]);
  });

  it("has no limit with null", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { maxSessionsPerUser: null } });
    for (let i = 0; i < 5; i++) await issue(auth.deps, auth.user.id);
    expect(await liveSessions()).toBe(5);
  });
});

describe("startSession", () => {
  it.each([
    ["disabled", disableUser, "user_inactive"],
    ["given a new password", setPassword, "user_epoch_changed"],
  ] as const)("refuses a user who was %s since the user was read", async (_, change, reason) => {
    await change(auth.deps, auth.user.id, "another horse");
    auth.events.length = 0;
    await expectRefused(startSession(auth.deps, found, {}), "no_active_account", { reason });
    expect(await liveSessions()).toBe(0);
    expect(auth.events).toEqual([]);
  });

  it("refuses a user who was disabled and enabled again since the user was read", async () => {
    await disableUser(auth.deps, auth.user.id);
    await enableUser(auth.deps, auth.user.id);
    await expectRefused(startSession(auth.deps, found, {}), "no_active_account", { reason: "user_epoch_changed" });
  });

  it("refuses a user who is gone, and leaves the session that it would replace", async () => {
    const { session } = await startSession(auth.deps, found, {});
    const unknown = { user: { ...found.user, id: "999" }, epoch: 0 };
    const attempt = startSession(auth.deps, unknown, {
      replaces: { sessionId: session.id, userId: session.userId },
    });
    await expectRefused(attempt, "no_active_account", { reason: "user_gone" });
    expect(await liveSessions()).toBe(1);
  });
});
