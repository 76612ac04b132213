import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RefreshClaims } from "../../../src/core/claims.ts";
import type { AuthErrorCode } from "../../../src/core/errors.ts";
import type { RevokeReason } from "../../../src/core/session.ts";
import { deriveSecret, hashIdempotencyKey, hashSecret } from "../../../src/crypto/secrets.ts";
import { changePassword } from "../../../src/flows/passwords/change.ts";
import { isSessionOfExpiredTokenOver, refresh } from "../../../src/flows/refresh/refresh.ts";
import type { RefreshOptions } from "../../../src/flows/refresh/report.ts";
import type { Issued } from "../../../src/flows/sessions/issue.ts";
import { revokeSession } from "../../../src/flows/sessions/sessions.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { deleteUser, disableUser, setPassword } from "../../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth, testStart, withSessions } from "../../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "../flow.ts";

const idempotencyKey = "Zk3q9VYb0m5oRkq2nWl7xA";

let auth: TestAuth;
let first: Issued;
let id: string;
let calls: string[];

/** Wraps a part of the store so that the names of its called methods are noted in `calls`. */
const noting = <T extends object>(part: T): T =>
  new Proxy(part, {
    get(target, name) {
      calls.push(String(name));
      return Reflect.get(target, name);
    },
  });

beforeEach(async () => {
  calls = [];
  auth = await createTestAuth({
    wrapStore: (store) => ({ ...store, sessions: noting(store.sessions), users: noting(store.users) }),
  });
  first = await logIn(auth);
  id = first.session.id;
  auth.events.length = 0;
  calls = [];
});
afterEach(() => auth.close());

const refreshFirst = (options?: RefreshOptions) => refresh(auth.deps, first.pair.refresh, options);
const claimsOf = (token: string): RefreshClaims => auth.deps.tokens.verifyRefresh(token, { mayBeExpired: true });
const firstWith = (changes: Partial<RefreshClaims>) =>
  refresh(auth.deps, auth.deps.tokens.mintRefresh({ ...claimsOf(first.pair.refresh), ...changes }));

async function rotate(token = first.pair.refresh, options?: RefreshOptions): Promise<string> {
  const { pair } = await refresh(auth.deps, token, options);
  return pair.refresh as string;
}

/** Expects a refusal that leaves the session's row unchanged. */
async function expectUnchanged(
  attempt: () => Promise<unknown>,
  code: AuthErrorCode,
  more?: Parameters<typeof expectRefused>[2],
): Promise<void> {
  const before = await rowOf(auth, id);
  await expectRefused(attempt(), code, more);
  expect(await rowOf(auth, id)).toEqual(before);
}

describe("step 0 of a refresh", () => {
  it.each<[string, AuthErrorCode, () => string]>([
    ["a text that is no token", "token_invalid", () => "garbage"],
    ["a forged refresh token", "token_invalid", () => `${first.pair.refresh.slice(0, -43)}${"A".repeat(43)}`],
    ["an access token", "token_wrong_type", () => first.pair.access],
    [
      "an expired refresh token",
      "token_expired",
      () => auth.deps.tokens.mintRefresh({ ...claimsOf(first.pair.refresh), expiresAt: testStart }),
    ],
  ])("refuses %s without a call of the store", async (_, code, toToken) => {
    const token = toToken();
    await expectRefused(refresh(auth.deps, token, { client: { ip: "192.0.2.7" } }), code);
    expect(calls).toEqual([]);
    expect(auth.events).toMatchObject([
      { type: "refresh", outcome: "refused", reason: expect.any(String), client: { ip: "192.0.2.7" } },
    ]);
  });
});

describe("steps 1 and 2 of a refresh", () => {
  it("rotates the current generation with one call of the store", async () => {
    await refreshFirst();
    expect(calls).toEqual(["rotate"]);
  });

  it("derives the successor from the presented secret and the row's salt; the row only holds hashes of secrets", async () => {
    const successor = claimsOf(await rotate(first.pair.refresh, { idempotencyKey }));
    const presented = claimsOf(first.pair.refresh);
    const row = await rowOf(auth, id);
    expect(successor.generation).toBe(1);
    expect(successor.secret).toEqual(deriveSecret(presented.secret, id, 1, row.salt as Uint8Array));
    expect(Buffer.from(row.currentHash)).toEqual(hashSecret(successor.secret));
    expect(Buffer.from(row.previousHash as Uint8Array)).toEqual(hashSecret(presented.secret));
    expect(Buffer.from(row.idempotencyHash as Uint8Array)).toEqual(hashIdempotencyKey(idempotencyKey));
    expect(row).toMatchObject({ generation: 1, rotatedAt: testStart });
  });

  it("returns tokens of the same session, user and epoch, and stores the client", async () => {
    auth.clock.advance(60);
    const { outcome, session, pair } = await refreshFirst({ client: { ip: "192.0.2.7", userAgent: "Firefox" } });
    const common = { sessionId: id, userId: auth.user.id, userEpoch: 0, issuedAt: testStart + 60 };
    expect(outcome).toBe("rotated");
    expect(session).toMatchObject({ ip: "192.0.2.7", userAgent: "Firefox", lastUsedAt: testStart + 60 });
    expect(claimsOf(pair.refresh as string)).toMatchObject({ ...common, expiresAt: testStart + 60 + 2_592_000 });
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ ...common, expiresAt: testStart + 60 + 1_800 });
    expect(pair).toMatchObject({ accessExpiresIn: 1_800, refreshExpiresIn: 2_592_000 });
  });

  it("emits one event about a rotation, with user, session and generation", async () => {
    const client = { ip: "192.0.2.7" };
    await refreshFirst({ client });
    const subject = { userId: auth.user.id, sessionId: id, generation: 0 };
    expect(auth.events).toEqual([{ type: "refresh", time: testStart, outcome: "rotated", ...subject, client }]);
  });

  it("moves the idle expiry at a rotation but not the absolute one, which no token outlives", async () => {
    let token = first.pair.refresh;
    const end = testStart + 365 * 86_400;
    while (auth.clock.now() < end - 20 * 86_400) {
      auth.clock.advance(20 * 86_400);
      token = await rotate(token);
      const row = await rowOf(auth, id);
      expect(row.absoluteExpiresAt).toBe(end);
      expect(claimsOf(token).expiresAt).toBe(Math.min(auth.clock.now() + 30 * 86_400, end));
    }
    auth.clock.advance(end - auth.clock.now() - 600);
    const { pair } = await refresh(auth.deps, token);
    expect((await authenticate(auth.deps, pair.access)).expiresAt).toBe(end);
    expect(pair).toMatchObject({ accessExpiresIn: 600, refreshExpiresIn: 600 });
  });
});

describe("step 3a of a refresh", () => {
  const endings: readonly [RevokeReason, AuthErrorCode, boolean][] = [
    ["logout", "token_revoked", true],
    ["revoked", "token_revoked", true],
    ["reuse", "token_revoked", true],
    ["replaced", "token_revoked", false],
    ["password_changed", "password_changed", true],
    ["user_disabled", "token_user_inactive", true],
    ["user_deleted", "token_user_inactive", true],
  ];
  it.each(endings)("refuses a session that was revoked with the reason %s", async (reason, code, sessionEnded) => {
    await auth.store.sessions.revoke(id, reason);
    await expectUnchanged(refreshFirst, code, { reason: `session revoked: ${reason}`, sessionEnded });
    expect(eventsOf(auth, "refresh")).toMatchObject([{ outcome: "refused", reason: `session revoked: ${reason}` }]);
  });

  it("refuses a token whose session does not exist", async () => {
    const sessionId = "019b7a5e-0000-7000-8000-00000000000a";
    await expectRefused(firstWith({ sessionId }), "token_revoked", { reason: "no such session", sessionEnded: true });
  });

  it("refuses a session that has expired although the token has not", async () => {
    auth.clock.advance(2_592_000);
    const attempt = () => firstWith({ expiresAt: testStart + 9_000_000 });
    await expectUnchanged(attempt, "token_expired", { reason: "session expired", sessionEnded: true });
  });

  it.each([
    ["given a new password", setPassword, "password_changed"],
    ["disabled", disableUser, "token_user_inactive"],
    ["deleted", deleteUser, "token_user_inactive"],
  ] as const)("refuses a session whose user was %s", async (_, change, code) => {
    await change(auth.deps, auth.user.id, "another horse");
    await expectUnchanged(refreshFirst, code, { sessionEnded: true });
  });

  it("refuses only the older tokens of a session that changed its user's password", async () => {
    const { pair } = await changePassword(auth.deps, {
      userId: auth.user.id,
      sessionId: id,
      currentPassword: alice.password,
      newPassword: "another horse",
    });
    await expectUnchanged(refreshFirst, "password_changed", { reason: "the token is older than the password" });
    expect(claimsOf(pair.refresh).userEpoch).toBe(1);
    expect(claimsOf(await rotate(pair.refresh))).toMatchObject({ userEpoch: 1, generation: 2 });
  });
});

describe("step 3d of a refresh", () => {
  it("refuses a refresh whose UPDATE matched no row although the row is unchanged, and a retry succeeds", async () => {
    await auth.close();
    let isMissed = true;
    auth = await createTestAuth({
      wrapStore: (store) =>
        withSessions(store, ({ rotate }) => ({
          rotate: async (rotation) => (isMissed ? null : rotate(rotation)),
        })),
    });
    first = await logIn(auth);
    id = first.session.id;
    await expectUnchanged(refreshFirst, "unavailable", { reason: "the session changed during the refresh" });
    expect(eventsOf(auth, "refresh")).toMatchObject([{ outcome: "refused" }]);
    isMissed = false;
    expect((await refreshFirst()).outcome).toBe("rotated");
  });

  it("rotates once more, with one event, if another change of the row came in between", async () => {
    await auth.close();
    let missed = 1;
    auth = await createTestAuth({
      wrapStore: (store) =>
        withSessions(store, ({ rotate }) => ({
          rotate: async (rotation) => (missed-- > 0 ? null : rotate(rotation)),
        })),
    });
    first = await logIn(auth);
    expect((await refreshFirst()).outcome).toBe("rotated");
    expect(eventsOf(auth, "refresh")).toMatchObject([{ outcome: "rotated" }]);
  });
});

describe("isSessionOfExpiredTokenOver", () => {
  it("returns false for the expired token of a live session, and true once the session is revoked or expired", async () => {
    const expired = auth.deps.tokens.mintRefresh({ ...claimsOf(first.pair.refresh), expiresAt: testStart });
    await expectRefused(refresh(auth.deps, expired), "token_expired");
    expect(await isSessionOfExpiredTokenOver(auth.deps, expired)).toBe(false);
    const other = await logIn(auth);
    await revokeSession(auth.deps, id);
    expect(await isSessionOfExpiredTokenOver(auth.deps, expired)).toBe(true);
    auth.clock.advance(2_592_000);
    expect(await isSessionOfExpiredTokenOver(auth.deps, other.pair.refresh)).toBe(true);
  });

  it("refuses a forged token", async () => {
    await expectRefused(isSessionOfExpiredTokenOver(auth.deps, `${first.pair.refresh}A`), "token_invalid");
  });
});
