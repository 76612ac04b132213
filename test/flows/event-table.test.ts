import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClientInfo } from "../../src/core/client-info.ts";
import type { AuditEntry } from "../../src/core/store/audit.ts";
import { createSecret } from "../../src/crypto/secrets.ts";
import { toAuditRow, toKeeping } from "../../src/events/audit-policy.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { changePassword } from "../../src/flows/change-password.ts";
import { login } from "../../src/flows/login.ts";
import { logout, logoutByRefreshToken } from "../../src/flows/logout.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { endSession, revokeAllSessions, revokeSessionsForUser, revokeToken } from "../../src/flows/sessions.ts";
import { createUser, deleteUser, disableUser, enableUser, setPassword } from "../../src/flows/users.ts";
import { alice, createTestAuth, type TestAuth, testStart as time } from "../support/auth.ts";
import { createBrowser, ownOrigin } from "../support/browser.ts";
import { logIn } from "./flow.ts";

const client: ClientInfo = { ip: "192.0.2.7", userAgent: "Firefox", actor: "staff/7" };

let auth: TestAuth;
let userId: string;
let sessionId: string;
let token: string;

beforeEach(async () => {
  auth = await createTestAuth();
  const { session, pair } = await logIn(auth);
  [userId, sessionId, token] = [auth.user.id, session.id, pair.refresh];
  auth.events.length = 0;
});
afterEach(() => auth.close());

type Row = readonly [name: string, act: () => Promise<unknown>, expected: () => readonly AuthEvent[]];

const ended = (more: object): AuthEvent =>
  ({ type: "sessions_revoked", time, sessions: 1, client, ...more }) as AuthEvent;
const changed = (change: string): AuthEvent => ({ type: "user_changed", time, userId, change, client }) as AuthEvent;
const refreshed = (more: object): AuthEvent =>
  ({ type: "refresh", time, userId, sessionId, generation: 0, client, ...more }) as AuthEvent;

/** Alice's second session, from a browser that she has not used before. */
let loggedIn: readonly AuthEvent[];
beforeEach(() => {
  const subject = { time, userId, sessionId: expect.any(String), client } as const;
  loggedIn = [
    { type: "login", ...subject },
    { type: "new_device", ...subject },
  ];
});

const rows: readonly Row[] = [
  ["a login", () => login(auth.deps, alice, { client }), () => loggedIn],
  [
    "a login that replaces a session",
    () => login(auth.deps, alice, { client, replaces: sessionId }),
    () => [ended({ sessionId, reason: "replaced" }), ...loggedIn],
  ],
  [
    "a refused login",
    () => login(auth.deps, { ...alice, password: "wrong" }, { client }),
    () => [
      {
        type: "login_failed",
        time,
        userId: auth.user.id,
        code: "no_active_account",
        reason: "unknown user or wrong password",
        client,
      },
    ],
  ],
  [
    "a refused login of a name that nobody has",
    () => login(auth.deps, { username: "nobody", password: "wrong" }, { client }),
    () => [{ type: "login_failed", time, code: "no_active_account", reason: "unknown user or wrong password", client }],
  ],
  ["a rotation", () => refresh(auth.deps, token, { client }), () => [refreshed({ outcome: "rotated" })]],
  [
    "a replay",
    async () => {
      await refresh(auth.deps, token);
      auth.events.length = 0;
      await refresh(auth.deps, token, { client });
    },
    () => [refreshed({ outcome: "replayed" })],
  ],
  [
    "a theft",
    async () => {
      await refresh(auth.deps, token);
      auth.clock.advance(60);
      auth.events.length = 0;
      await refresh(auth.deps, token, { client });
    },
    () => [
      ended({ time: time + 60, userId, sessionId, reason: "reuse" }),
      refreshed({ time: time + 60, outcome: "reuse_detected", reason: "a spent refresh token was presented again" }),
    ],
  ],
  [
    "a lost state",
    () => {
      const secret = createSecret(auth.deps.random);
      const lost = auth.deps.tokens.mintRefresh({ ...auth.deps.tokens.verifyRefresh(token), secret });
      return refresh(auth.deps, lost, { client });
    },
    () => [refreshed({ outcome: "state_lost", reason: "the store has lost this session's newer state" })],
  ],
  [
    "a refresh of a dead session",
    async () => {
      await auth.store.sessions.revoke(sessionId, "logout");
      await refresh(auth.deps, token, { client });
    },
    () => [refreshed({ outcome: "refused", reason: "session revoked: logout" })],
  ],
  [
    "a refresh with garbage",
    () => refresh(auth.deps, "garbage", { client }),
    () => [{ type: "refresh", time, outcome: "refused", reason: expect.any(String), client }],
  ],
  [
    "a logout",
    () => logout(auth.deps, { userId, sessionId }, "local", client),
    () => [ended({ userId, sessionId, reason: "logout" })],
  ],
  [
    "a logout by refresh token",
    () => logoutByRefreshToken(auth.deps, token, client),
    () => [ended({ userId, sessionId, reason: "logout" })],
  ],
  [
    "a logout everywhere",
    () => logout(auth.deps, { userId, sessionId }, "all", client),
    () => [ended({ userId, reason: "logout" })],
  ],
  ["a logout of a dead session", () => logout(auth.deps, { userId, sessionId: "gone" }, "local", client), () => []],
  [
    "the end of a session",
    () => endSession(auth.deps, sessionId, { userId, client }),
    () => [ended({ userId, sessionId, reason: "revoked" })],
  ],
  [
    "the end of a user's sessions",
    () => revokeSessionsForUser(auth.deps, userId, client),
    () => [ended({ userId, reason: "revoked" })],
  ],
  ["the end of all sessions", () => revokeAllSessions(auth.deps, client), () => [ended({ reason: "revoked" })]],
  [
    "the end of a token",
    () => revokeToken(auth.deps, "jti-1", client),
    () => [{ type: "token_revoked", time, tokenId: "jti-1", client }],
  ],
  [
    "a change of password",
    () => {
      const passwords = { currentPassword: alice.password, newPassword: "another horse" };
      return changePassword(auth.deps, { userId, sessionId, ...passwords, client });
    },
    () => [
      { ...changed("password_changed"), sessionId } as AuthEvent,
      ended({ userId, reason: "password_changed", sessions: 0 }),
    ],
  ],
  [
    "a wrong current password",
    () => {
      const passwords = { currentPassword: "wrong", newPassword: "another horse" };
      return changePassword(auth.deps, { userId, sessionId, ...passwords, client });
    },
    () => [
      {
        type: "login_failed",
        time,
        code: "wrong_password",
        reason: "wrong current password",
        userId,
        sessionId,
        client,
      },
    ],
  ],
  [
    "a password set",
    () => setPassword(auth.deps, userId, "another horse", client),
    () => [changed("password_changed"), ended({ userId, reason: "password_changed" })],
  ],
  [
    "a new user",
    () => createUser(auth.deps, { username: "bob" }, client),
    () => [{ type: "user_changed", time, userId: "2", change: "created", client }],
  ],
  [
    "a disabled user",
    () => disableUser(auth.deps, userId, client),
    () => [changed("disabled"), ended({ userId, reason: "user_disabled" })],
  ],
  ["an enabled user", () => enableUser(auth.deps, userId, client), () => [changed("enabled")]],
  [
    "a deleted user",
    () => deleteUser(auth.deps, userId, client),
    () => [changed("deleted"), ended({ userId, reason: "user_deleted" })],
  ],
];

async function actAlone(act: Row[1]): Promise<readonly AuditEntry[]> {
  const { audit } = auth.store;
  const { cursor } = await audit.read({ after: null, limit: 1 });
  await act().catch((error: Error) => expect(error.name).toBe("AuthError"));
  await auth.auditQueue.stop();
  return (await audit.read({ after: cursor, limit: 100 })).entries;
}

/** What the audit log has of events, but for the entries' own numbers. */
function toEntries(events: readonly AuthEvent[]) {
  return events
    .filter((event) => toKeeping(event) !== "never")
    .map((event) => {
      const row = toAuditRow(event);
      return { ...row, id: expect.any(Number), details: JSON.parse(row.details) };
    });
}

describe("the events of", () => {
  it.each(rows)("%s are told once, with all their fields, and once written", async (_, act, expected) => {
    const entries = await actAlone(act);
    expect(auth.events).toEqual(expected());
    expect(entries).toEqual(toEntries(auth.events));
  });

  it("ordinary refreshes are written too, each once, where auditRotations is on", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { auditRotations: true } });
    const { pair } = await logIn(auth);
    auth.events.length = 0;
    const entries = await actAlone(async () => {
      const next = await refresh(auth.deps, pair.refresh, { client: { ip: "192.0.2.7", userAgent: "Firefox" } });
      await refresh(auth.deps, pair.refresh, { client });
      await refresh(auth.deps, next.pair.refresh ?? "");
    });
    expect(auth.events.map((event) => event.type === "refresh" && event.outcome)).toEqual([
      "rotated",
      "replayed",
      "rotated",
    ]);
    const toEntry = (event: AuthEvent) => {
      const row = toAuditRow(event);
      return { ...row, id: expect.any(Number), details: JSON.parse(row.details) };
    };
    expect(entries).toEqual(auth.events.map(toEntry));
  });

  it("anything are written nowhere where the audit log is off", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { auditRetention: 0 } });
    const entries = await actAlone(async () => {
      const { pair } = await login(auth.deps, alice, { client });
      await refresh(auth.deps, pair.refresh);
      await disableUser(auth.deps, auth.user.id, client);
      await login(auth.deps, alice, { client });
    });
    expect(auth.events.length).toBeGreaterThan(5);
    expect(entries).toEqual([]);
  });
});

describe("a CSRF refusal", () => {
  const refused = (more: object) => ({ type: "csrf_refused", time, client: { userAgent: "Firefox" }, ...more });

  it("is told once, with the session that the cookies name and nothing else of them", async () => {
    const browser = createBrowser(auth);
    const { sessionId } = await browser.logIn();
    auth.events.length = 0;
    const headers = { "X-CSRFToken": null, "User-Agent": "Firefox" };
    for (const path of ["/api/auth/refresh/", "/api/auth/logout/", "/api/auth/password/", "/api/auth/login/"]) {
      expect((await browser.post(path, {}, headers)).status).toBe(403);
    }
    expect((await browser.send("DELETE", `/api/auth/sessions/${sessionId}/`, { headers })).status).toBe(403);
    const reason = "CSRF token missing.";
    expect(auth.events).toEqual(Array.from({ length: 5 }, () => refused({ reason, userId, sessionId })));
  });

  it("of a page of others, without a session, is told too, and costs the database nothing", async () => {
    const headers = { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example", "User-Agent": "Firefox" };
    const entries = await actAlone(async () => {
      const response = await auth.send("POST", "/api/auth/login/", { headers, body: {} });
      expect(response.status).toBe(403);
    });
    expect(auth.events).toEqual([refused({ reason: "Origin checking failed." })]);
    expect(entries).toEqual([]);
  });

  it("is written where there is a session", async () => {
    const browser = createBrowser(auth);
    await browser.logIn();
    const entries = await actAlone(async () => {
      expect((await browser.post("/api/auth/logout/", {}, { "X-CSRFToken": null })).status).toBe(403);
    });
    expect(entries.map(({ type }) => type)).toEqual(["csrf_refused"]);
  });

  it("is no event where the request was fine", async () => {
    const browser = createBrowser(auth);
    await browser.logIn();
    auth.events.length = 0;
    expect((await browser.post("/api/auth/logout/", {}, { Origin: ownOrigin })).status).toBe(200);
    expect(auth.events.map(({ type }) => type)).toEqual(["sessions_revoked"]);
  });
});
