import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClientInfo } from "../../src/core/client-info.ts";
import type { AuditEntry } from "../../src/core/store/audit.ts";
import { createSecret } from "../../src/crypto/secrets.ts";
import { toAuditRow } from "../../src/events/audit-row.ts";
import { toAuditPolicy } from "../../src/events/catalogue/catalogue.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { login } from "../../src/flows/login.ts";
import { changePassword } from "../../src/flows/passwords/change.ts";
import { reauthenticateByPassword } from "../../src/flows/reauthenticate.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { completeLogin } from "../../src/flows/second-factor/complete.ts";
import { authenticateService } from "../../src/flows/services/authenticate-service.ts";
import { logout, logoutByRefreshToken } from "../../src/flows/sessions/logout.ts";
import {
  revokeAllSessions,
  revokeSession,
  revokeSessionsForUser,
  revokeToken,
} from "../../src/flows/sessions/sessions.ts";
import { introspect } from "../../src/flows/tokens/introspect.ts";
import { revokePresented } from "../../src/flows/tokens/revoke-presented.ts";
import { eraseUser } from "../../src/flows/users/erase-user.ts";
import {
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  setPassword,
  updateUser,
} from "../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth, testStart as time } from "../support/auth.ts";
import { addService } from "../support/services.ts";
import { logIn } from "./flow.ts";

const client: ClientInfo = { ip: "192.0.2.7", userAgent: "Firefox", actor: "staff/7" };

let auth: TestAuth;
let userId: string;
let sessionId: string;
let token: string;
let access: string;

beforeEach(async () => {
  // The clock moves by more than maxStaleness.
  auth = await createTestAuth({ settings: { maxStaleness: 3_600 } });
  const { session, pair } = await logIn(auth);
  [userId, sessionId, token, access] = [auth.user.id, session.id, pair.refresh, pair.access];
  auth.events.length = 0;
});
afterEach(() => auth.close());

type Row = readonly [name: string, act: () => Promise<unknown>, expected: () => readonly AuthEvent[]];

const revoked = (more: object): AuthEvent =>
  ({ type: "sessions_revoked", time, sessions: 1, client, ...more }) as AuthEvent;
const changed = (change: string): AuthEvent => ({ type: "user_changed", time, userId, change, client }) as AuthEvent;
const refreshed = (more: object): AuthEvent =>
  ({ type: "refresh", time, userId, sessionId, generation: 0, client, ...more }) as AuthEvent;

/** The events of alice's second login, with a user agent that she has not used before. */
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
    () => login(auth.deps, alice, { client, replaces: { sessionId, userId } }),
    () => [revoked({ userId, sessionId, reason: "replaced" }), ...loggedIn],
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
    "a refused login with a name that no user has",
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
    "detected reuse",
    async () => {
      await refresh(auth.deps, token);
      auth.clock.advance(60);
      auth.events.length = 0;
      await refresh(auth.deps, token, { client });
    },
    () => [
      revoked({ time: time + 60, userId, sessionId, reason: "reuse" }),
      refreshed({ time: time + 60, outcome: "reuse_detected", reason: "a spent refresh token was presented again" }),
    ],
  ],
  [
    "a token of a state that the database has lost",
    () => {
      const secret = createSecret(auth.deps.random);
      const lost = auth.deps.tokens.mintRefresh({ ...auth.deps.tokens.verifyRefresh(token), secret });
      return refresh(auth.deps, lost, { client });
    },
    () => [refreshed({ outcome: "state_lost", reason: "the store has lost this session's newer state" })],
  ],
  [
    "a refresh of a revoked session",
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
    () => logout(auth.deps, { userId, sessionId }, { client }),
    () => [revoked({ userId, sessionId, reason: "logout" })],
  ],
  [
    "a logout by refresh token",
    () => logoutByRefreshToken(auth.deps, token, { client }),
    () => [revoked({ userId, sessionId, reason: "logout" })],
  ],
  [
    "a logout everywhere",
    () => logout(auth.deps, { userId, sessionId }, { scope: "all", client }),
    () => [revoked({ userId, reason: "logout" })],
  ],
  [
    "a logout everywhere by refresh token",
    () => logoutByRefreshToken(auth.deps, token, { scope: "all", client }),
    () => [revoked({ userId, reason: "logout" })],
  ],
  ["a logout of an unknown session", () => logout(auth.deps, { userId, sessionId: "gone" }, { client }), () => []],
  [
    "a revoked session",
    () => revokeSession(auth.deps, sessionId, { userId, client }),
    () => [revoked({ userId, sessionId, reason: "revoked" })],
  ],
  [
    "revoked sessions of a user",
    () => revokeSessionsForUser(auth.deps, userId, { client, confirmed: false }),
    () => [revoked({ userId, reason: "revoked" })],
  ],
  [
    "revoked sessions of all users",
    () => revokeAllSessions(auth.deps, { client, confirmed: false }),
    () => [revoked({ reason: "revoked" })],
  ],
  [
    "a revoked access token",
    () => revokeToken(auth.deps, "jti-1", { client, confirmed: false }),
    () => [{ type: "token_revoked", time, tokenId: "jti-1", client }],
  ],
  [
    "a change of password",
    () => {
      const passwords = { currentPassword: alice.password, newPassword: "another horse" };
      return changePassword(auth.deps, { userId, sessionId, ...passwords }, { client });
    },
    () => [
      { ...changed("password_changed"), sessionId } as AuthEvent,
      revoked({ userId, reason: "password_changed", sessions: 0 }),
    ],
  ],
  [
    "a wrong current password",
    () => {
      const passwords = { currentPassword: "wrong", newPassword: "another horse" };
      return changePassword(auth.deps, { userId, sessionId, ...passwords }, { client });
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
    "a login that needs a second step",
    async () => {
      const { deps } = auth;
      const settings = { ...deps.settings, afterPassword: () => ({ methods: ["otp"] }) };
      await login({ ...deps, settings }, alice, { client }).catch(() => {});
    },
    () => [{ type: "login_pending", time, userId, client }],
  ],
  [
    "a second step with an invented ticket",
    () => completeLogin(auth.deps, "tpl_x", { amr: ["otp"], client }),
    () => [{ type: "login_failed", time, code: "ticket_invalid", reason: "not a ticket", client }],
  ],
  [
    "a confirmation by the password",
    () => reauthenticateByPassword(auth.deps, { userId, sessionId }, { password: alice.password, client }),
    () => [{ type: "session_confirmed", time, userId, sessionId, amr: "pwd", client }],
  ],
  [
    "a confirmation by a wrong password",
    () => reauthenticateByPassword(auth.deps, { userId, sessionId }, { password: "wrong", client }),
    () => [{ type: "login_failed", time, code: "wrong_password", reason: "wrong password", userId, sessionId, client }],
  ],
  [
    "a password set",
    () => setPassword(auth.deps, userId, "another horse", { client, confirmed: false }),
    () => [changed("password_changed"), revoked({ userId, reason: "password_changed" })],
  ],
  [
    "a new user",
    () => createUser(auth.deps, { username: "bob" }, { client }),
    () => [{ type: "user_changed", time, userId: "2", change: "created", client }],
  ],
  [
    "an updated user",
    () => updateUser(auth.deps, userId, { email: "a@example.com" }, { client }),
    () => [changed("updated")],
  ],
  [
    "a disabled user",
    () => disableUser(auth.deps, userId, { client, confirmed: false }),
    () => [changed("disabled"), revoked({ userId, reason: "user_disabled" })],
  ],
  [
    "an enabled user",
    async () => {
      await auth.store.users.disable(userId);
      await enableUser(auth.deps, userId, { client });
    },
    () => [changed("enabled")],
  ],
  ["a user who is enabled already", () => enableUser(auth.deps, userId, { client }), () => []],
  [
    "a user who is disabled already",
    async () => {
      await auth.store.users.disable(userId);
      await disableUser(auth.deps, userId, { client, confirmed: false });
    },
    () => [],
  ],
  [
    "a deleted user",
    () => deleteUser(auth.deps, userId, { client, confirmed: false }),
    () => [changed("deleted"), revoked({ userId, reason: "user_deleted" })],
  ],
  [
    "an erased user",
    async () => {
      await auth.store.users.delete(userId);
      await eraseUser(auth.deps, userId, client);
    },
    () => [changed("erased")],
  ],
  [
    "a refresh token that a service revoked",
    () => revokePresented(auth.deps, token, { client }),
    () => [revoked({ userId, sessionId, reason: "logout" })],
  ],
  [
    "an access token that a service revoked",
    () => revokePresented(auth.deps, access, { client }),
    () => [{ type: "token_revoked", time, tokenId: auth.deps.tokens.verifyAccess(access).tokenId, client }],
  ],
  ["a token that a service can't revoke", () => revokePresented(auth.deps, "garbage", { client }), () => []],
  ["an introspection", () => introspect(auth.deps, token), () => []],
  [
    "a service with a wrong credential",
    () => authenticateService(auth.deps, { credential: "wrong" }, { scope: "revoke", client }),
    () => [{ type: "service_refused", time, refusal: "invalid_client", client }],
  ],
  [
    "a service without the scope",
    async () => authenticateService(auth.deps, await addService(auth, ["feed"]), { scope: "revoke", client }),
    () => [{ type: "service_refused", time, refusal: "insufficient_scope", service: "billing", client }],
  ],
  [
    "a request without a service's credential",
    () => authenticateService(auth.deps, null, { scope: "revoke", client }),
    () => [],
  ],
];

/** Runs `act`, which may be refused, and returns the entries that the audit log got. */
async function actAlone(act: Row[1]): Promise<readonly AuditEntry[]> {
  const { audit } = auth.store;
  const { cursor } = await audit.read({ after: null, limit: 1 });
  await act().catch((error: Error) => expect(error.name).toBe("AuthError"));
  await auth.auditQueue.stop();
  return (await audit.read({ after: cursor, limit: 100 })).entries;
}

/** Returns the entries that the audit log must have of these events. */
function toEntries(events: readonly AuthEvent[]) {
  return events
    .filter((event) => toAuditPolicy(event, auth.deps.settings) !== "never")
    .map((event) => {
      const row = toAuditRow(event);
      return { ...row, id: expect.any(Number), details: JSON.parse(row.details) };
    });
}

describe("the events of a flow", () => {
  it.each(rows)("emits the events of %s once, with all fields, and records them once", async (_, act, expected) => {
    const entries = await actAlone(act);
    expect(auth.events).toEqual(expected());
    expect(entries).toEqual(toEntries(auth.events));
  });

  it("records rotations and replays once each if auditRotations is on", async () => {
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
    expect(entries).toHaveLength(3);
    expect(entries).toEqual(toEntries(auth.events));
  });

  it.each(["garbage", "forged"])(
    "emits the refusal of a %s refresh token and keeps it out of the audit log",
    async (kind) => {
      const forged = kind === "garbage" ? kind : `${token.slice(0, -43)}${"A".repeat(43)}`;
      const entries = await actAlone(async () => {
        for (let n = 0; n < 3; n++) await refresh(auth.deps, forged, { client }).catch(() => {});
      });
      expect(auth.events).toMatchObject(Array(3).fill({ type: "refresh", outcome: "refused" }));
      expect(entries).toEqual([]);
    },
  );

  it("records no event if the audit log is off", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { auditRetention: 0 } });
    const entries = await actAlone(async () => {
      const { pair } = await login(auth.deps, alice, { client });
      await refresh(auth.deps, pair.refresh);
      await disableUser(auth.deps, auth.user.id, { client, confirmed: false });
      await login(auth.deps, alice, { client });
    });
    expect(auth.events.length).toBeGreaterThan(5);
    expect(entries).toEqual([]);
  });
});
