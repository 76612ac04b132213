import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RefreshClaims } from "../../../src/core/claims.ts";
import { authenticate } from "../../../src/flows/authenticate.ts";
import { changePassword } from "../../../src/flows/change-password.ts";
import type { Issued } from "../../../src/flows/issue.ts";
import { logoutByRefreshToken } from "../../../src/flows/logout.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import { disableUser } from "../../../src/flows/users.ts";
import { alice, createTestAuth, type TestAuth, testStart, withSessions } from "../../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "../flow.ts";

let auth: TestAuth;
let first: Issued;
let id: string;

beforeEach(async () => {
  auth = await createTestAuth({ settings: { rotateRefreshTokens: false } });
  first = await logIn(auth);
  id = first.session.id;
  auth.events.length = 0;
});
afterEach(() => auth.close());

const refreshFirst = () => refresh(auth.deps, first.pair.refresh);
const firstWith = (changes: Partial<RefreshClaims>) => {
  const claims = auth.deps.tokens.verifyRefresh(first.pair.refresh, { mayBeExpired: true });
  return refresh(auth.deps, auth.deps.tokens.mintRefresh({ ...claims, ...changes }));
};

describe("a refresh with rotateRefreshTokens: false", () => {
  it("returns a new access token and no refresh token, each time that the token is refreshed without rotation", async () => {
    for (const seconds of [0, 1_000, 1_000]) {
      auth.clock.advance(seconds);
      const { outcome, pair } = await refreshFirst();
      expect(outcome).toBe("not_rotated");
      expect(pair).not.toHaveProperty("refresh");
      expect(await authenticate(auth.deps, pair.access)).toMatchObject({
        sessionId: id,
        issuedAt: auth.clock.now(),
        expiresAt: auth.clock.now() + 1_800,
      });
    }
    expect(eventsOf(auth, "refresh").map(({ outcome }) => outcome)).toEqual([
      "not_rotated",
      "not_rotated",
      "not_rotated",
    ]);
  });

  it("stores the use of a session without rotation, and changes neither generation nor expiry", async () => {
    const before = await rowOf(auth, id);
    auth.clock.advance(100);
    const client = { ip: "192.0.2.7", userAgent: "Firefox" };
    const { pair } = await refresh(auth.deps, first.pair.refresh, { client });
    const accessUntil = testStart + 100 + 1_800;
    expect(await rowOf(auth, id)).toEqual({ ...before, lastUsedAt: testStart + 100, accessUntil, ...client });
    expect(pair).toMatchObject({ accessExpiresIn: 1_800, refreshExpiresIn: 2_592_000 - 100 });
  });

  it("returns no access token that outlives a session without rotation", async () => {
    const short = await createTestAuth({
      settings: { rotateRefreshTokens: false, refreshTokenLifetime: 2_000, sessionLifetime: 2_000 },
    });
    const { pair } = await logIn(short);
    short.clock.advance(1_900);
    expect((await refresh(short.deps, pair.refresh)).pair).toMatchObject({
      accessExpiresIn: 100,
      refreshExpiresIn: 100,
    });
    await short.close();
  });
});

describe("a refusal with rotateRefreshTokens: false", () => {
  it("refuses a session without rotation that was logged out", async () => {
    await logoutByRefreshToken(auth.deps, first.pair.refresh);
    await expectRefused(refreshFirst(), "token_revoked", { reason: "session revoked: logout", sessionEnded: true });
    expect(eventsOf(auth, "refresh")).toMatchObject([{ outcome: "refused", sessionId: id, generation: 0 }]);
  });

  it("refuses a session without rotation that has expired or does not exist", async () => {
    await expectRefused(firstWith({ sessionId: "019b7a5e-0000-7000-8000-00000000000a" }), "token_revoked", {
      reason: "no such session",
      sessionEnded: true,
    });
    auth.clock.advance(2_592_000);
    await expectRefused(refreshFirst(), "token_expired");
    await expectRefused(firstWith({ expiresAt: auth.clock.now() + 9 }), "token_expired", { sessionEnded: true });
  });

  it("refuses a session without rotation whose user was disabled", async () => {
    await disableUser(auth.deps, auth.user.id);
    await expectRefused(refreshFirst(), "token_user_inactive", { sessionEnded: true });
  });

  it("refuses a genuine token that is not the session's current one, without proving the session to be over", async () => {
    const reason = "not the session's current refresh token";
    for (const changes of [{ generation: 1 }, { secret: new Uint8Array(32).fill(9) }]) {
      await expectRefused(firstWith(changes), "token_revoked", { reason });
    }
    expect((await refreshFirst()).outcome).toBe("not_rotated");
  });

  it("tries once more if another change of the row came in between, and then answers unavailable", async () => {
    for (const [missed, outcome] of [
      [1, "not_rotated"],
      [2, "unavailable"],
    ] as const) {
      let left = missed as number;
      const busy = await createTestAuth({
        settings: { rotateRefreshTokens: false },
        wrapStore: (store) =>
          withSessions(store, ({ touch }) => ({ touch: async (use) => (left-- > 0 ? null : touch(use)) })),
      });
      const { pair } = await logIn(busy);
      const refreshed = refresh(busy.deps, pair.refresh);
      if (outcome === "unavailable") await expectRefused(refreshed, "unavailable");
      else expect((await refreshed).outcome).toBe(outcome);
      expect(eventsOf(busy, "refresh")).toHaveLength(1);
      await busy.close();
    }
  });

  it("refuses an older token of a session without rotation that changed its user's password", async () => {
    const passwords = { currentPassword: alice.password, newPassword: "another horse" };
    const { pair } = await changePassword(auth.deps, { userId: auth.user.id, sessionId: id, ...passwords });
    await expectRefused(refreshFirst(), "password_changed", { reason: "the token is older than the password" });
    expect((await refresh(auth.deps, pair.refresh)).outcome).toBe("not_rotated");
  });
});
