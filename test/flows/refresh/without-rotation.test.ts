import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RefreshClaims } from "../../../src/core/claims.ts";
import { changePassword } from "../../../src/flows/passwords/change.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import type { Issued } from "../../../src/flows/sessions/issue.ts";
import { logoutByRefreshToken } from "../../../src/flows/sessions/logout.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { disableUser } from "../../../src/flows/users/users.ts";
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

describe('a refresh with rotateRefreshTokens: "observe"', () => {
  const refreshOutcomes = () => eventsOf(auth, "refresh").map(({ outcome }) => outcome);
  const next = async (token: string) => (await refresh(auth.deps, token)).pair.refresh as string;

  beforeEach(async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { rotateRefreshTokens: "observe" } });
    first = await logIn(auth);
    id = first.session.id;
    auth.events.length = 0;
  });

  it("returns a later refresh token of the same generation and expiry, and both stay valid", async () => {
    auth.clock.advance(1_800);
    const { outcome, pair } = await refreshFirst();
    expect(outcome).toBe("not_rotated");
    const [old, later] = [first.pair.refresh, pair.refresh as string].map((token) =>
      auth.deps.tokens.verifyRefresh(token),
    );
    expect(later).toEqual({ ...old, issuedAt: testStart + 1_800 });
    expect(pair.refreshExpiresIn).toBe(2_592_000 - 1_800);
    for (const token of [first.pair.refresh, pair.refresh as string]) {
      expect((await refresh(auth.deps, token)).outcome).toBe("not_rotated");
    }
  });

  it("emits not_rotated while a client presents the newest token that it got", async () => {
    let token = first.pair.refresh;
    for (let n = 0; n < 4; n++) {
      auth.clock.advance(1_800);
      token = await next(token);
    }
    expect(refreshOutcomes()).toEqual(Array(4).fill("not_rotated"));
  });

  it("emits rotation_ignored from the second refresh on, with the client, if it presents the first token again", async () => {
    const client = { ip: "192.0.2.7", userAgent: "OldApp/1.0" };
    for (let n = 0; n < 3; n++) {
      auth.clock.advance(1_800);
      expect((await refresh(auth.deps, first.pair.refresh, { client })).pair.refresh).toBeDefined();
    }
    expect(refreshOutcomes()).toEqual(["not_rotated", "rotation_ignored", "rotation_ignored"]);
    expect(eventsOf(auth, "refresh")[1]).toMatchObject({ sessionId: id, userId: auth.user.id, client });
    expect((await rowOf(auth, id)).revokedAt).toBeNull();
  });

  it("emits not_rotated for a retry within the reuse interval, as after a lost response", async () => {
    auth.clock.advance(1_800);
    await refreshFirst();
    auth.clock.advance(10);
    const token = await next(first.pair.refresh);
    auth.clock.advance(1_800);
    await next(token);
    expect(refreshOutcomes()).toEqual(["not_rotated", "not_rotated", "not_rotated"]);
  });

  it("emits not_rotated for the first refresh of a session that was refreshed before observing began", async () => {
    await auth.close();
    const settings = { rotateRefreshTokens: false };
    const off = await createTestAuth({ settings });
    const { pair } = await logIn(off);
    off.clock.advance(1_800);
    await refresh(off.deps, pair.refresh);
    auth = { ...off, deps: { ...off.deps, settings: { ...off.deps.settings, rotateRefreshTokens: "observe" } } };
    auth.events.length = 0;
    auth.clock.advance(1_800);
    await refresh(auth.deps, pair.refresh);
    auth.clock.advance(1_800);
    await refresh(auth.deps, pair.refresh);
    expect(refreshOutcomes()).toEqual(["not_rotated", "rotation_ignored"]);
  });

  it("leaves every session usable when rotation is turned on", async () => {
    auth.clock.advance(1_800);
    const token = await next(first.pair.refresh);
    const deps = { ...auth.deps, settings: { ...auth.deps.settings, rotateRefreshTokens: true as const } };
    auth.clock.advance(1_800);
    const rotated = await refresh(deps, token);
    expect(rotated.outcome).toBe("rotated");
    // A client that ignored the rotation loses its session now, as the events have said.
    auth.clock.advance(1_800);
    await expectRefused(refresh(deps, first.pair.refresh), "token_revoked", { sessionEnded: true });
  });

  it("does not say rotation_ignored because a node's clock is a minute behind the database's", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { rotateRefreshTokens: "observe" }, storeAhead: 60 });
    let { refresh: token } = (await logIn(auth)).pair;
    for (let n = 0; n < 3; n++) {
      auth.clock.advance(1_800);
      token = await next(token);
    }
    expect(refreshOutcomes()).toEqual(Array(3).fill("not_rotated"));
  });
});
