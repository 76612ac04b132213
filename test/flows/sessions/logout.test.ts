import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changePassword } from "../../../src/flows/passwords/change.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import { type Issued, issue } from "../../../src/flows/sessions/issue.ts";
import { logout, logoutByRefreshToken } from "../../../src/flows/sessions/logout.ts";
import { revokeSession } from "../../../src/flows/sessions/sessions.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { createUser, disableUser } from "../../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth, withSessions } from "../../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "../flow.ts";

const client = { ip: "192.0.2.7" };

let auth: TestAuth;
let first: Issued;
let second: Issued;

beforeEach(async () => {
  auth = await createTestAuth();
  [first, second] = [await logIn(auth), await logIn(auth)];
  auth.events.length = 0;
});
afterEach(() => auth.close());

const ownerOf = ({ session }: Issued) => ({ sessionId: session.id, userId: session.userId });

async function isAccepted({ pair }: Issued): Promise<boolean> {
  try {
    await authenticate(auth.deps, pair.access);
    return true;
  } catch {
    return false;
  }
}
const accepted = () => Promise.all([first, second].map(isAccepted));

async function startSessionOfBob(): Promise<Issued> {
  const bob = await createUser(auth.deps, { username: "bob" });
  const issued = await issue(auth.deps, bob.id);
  auth.events.length = 0;
  return issued;
}

describe("logout", () => {
  it("revokes this session and its access tokens, and no other", async () => {
    expect(await logout(auth.deps, ownerOf(first))).toMatchObject({ sessions: 1 });
    expect(await accepted()).toEqual([false, true]);
    await expectRefused(refresh(auth.deps, first.pair.refresh), "token_revoked", { sessionEnded: true });
    expect((await rowOf(auth, first.session.id)).revokeReason).toBe("logout");
    expect(eventsOf(auth, "sessions_revoked")).toMatchObject([
      { type: "sessions_revoked", ...ownerOf(first), reason: "logout" },
    ]);
  });

  it('with scope "others" revokes the user\'s other sessions and leaves this one', async () => {
    expect(await logout(auth.deps, ownerOf(first), { scope: "others" })).toMatchObject({ sessions: 1 });
    expect(await accepted()).toEqual([true, false]);
    expect(auth.events).toMatchObject([{ type: "sessions_revoked", userId: auth.user.id, reason: "logout" }]);
    expect((await refresh(auth.deps, first.pair.refresh)).outcome).toBe("rotated");
  });

  it('with scope "others" keeps the access and refresh tokens that the session has, and those that it gets', async () => {
    await logout(auth.deps, ownerOf(first), { scope: "others" });
    const { pair } = await refresh(auth.deps, first.pair.refresh);
    for (const access of [first.pair.access, pair.access]) {
      expect(await authenticate(auth.deps, access)).toMatchObject({ sessionId: first.session.id });
    }
    // A replay of the token from before, whose epoch is lower than the session's.
    expect((await refresh(auth.deps, first.pair.refresh)).outcome).toBe("replayed");
    await refresh(auth.deps, pair.refresh as string);
    await expectRefused(refresh(auth.deps, first.pair.refresh), "token_revoked", { sessionEnded: true });
    expect((await rowOf(auth, first.session.id)).revokeReason).toBe("reuse");
  });

  it('with scope "others" is recorded also if there are no others', async () => {
    await logout(auth.deps, ownerOf(second));
    auth.events.length = 0;
    expect(await logout(auth.deps, ownerOf(first), { scope: "others" })).toMatchObject({ sessions: 0 });
    expect(auth.events).toMatchObject([
      { type: "sessions_revoked", userId: auth.user.id, reason: "logout", sessions: 0 },
    ]);
  });

  it.each(["was logged out", "was logged out by another one", "is another user's"])(
    'with scope "others" is refused and changes nothing if the session %s',
    async (what) => {
      const ofBob = await startSessionOfBob();
      if (what === "was logged out") await logout(auth.deps, ownerOf(second));
      if (what === "was logged out by another one") await logout(auth.deps, ownerOf(first), { scope: "others" });
      auth.events.length = 0;
      const owner = what === "is another user's" ? { ...ownerOf(second), userId: ofBob.user.id } : ownerOf(second);
      await expectRefused(logout(auth.deps, owner, { scope: "others" }), "token_revoked", { sessionEnded: true });
      expect(auth.events).toEqual([]);
      expect(await isAccepted(first)).toBe(true);
      expect((await refresh(auth.deps, first.pair.refresh)).outcome).toBe("rotated");
    },
  );

  it('with scope "all" revokes every session of the user, and none of another user', async () => {
    const ofBob = await startSessionOfBob();
    expect(await logout(auth.deps, ownerOf(first), { scope: "all" })).toMatchObject({ sessions: 2 });
    expect(await accepted()).toEqual([false, false]);
    expect(await isAccepted(ofBob)).toBe(true);
  });

  it('with scope "all" is refused and changes nothing if the session was revoked, perhaps by its owner against a thief', async () => {
    await revokeSession(auth.deps, first.session.id);
    auth.events.length = 0;
    const attempt = logout(auth.deps, ownerOf(first), { scope: "all", confirmed: true });
    await expectRefused(attempt, "token_revoked", { sessionEnded: true });
    expect([auth.events, await accepted()]).toEqual([[], [false, true]]);
  });

  it('with scope "all" changes nothing if it is repeated', async () => {
    const logOutAll = () => logout(auth.deps, ownerOf(first), { scope: "all" });
    const both = await Promise.all([logOutAll(), logOutAll()]);
    expect(both.map(({ sessions }) => sessions).sort()).toEqual([0, 2]);
    expect(await logOutAll()).toEqual({ sessions: 0, revocations: [] });
  });

  it('with scope "all" does not keep the user from logging in again', async () => {
    await logout(auth.deps, ownerOf(first), { scope: "all" });
    const third = await logIn(auth);
    expect(await isAccepted(third)).toBe(true);
    expect((await refresh(auth.deps, third.pair.refresh)).outcome).toBe("rotated");
  });

  it("changes nothing and emits nothing at the logout of a session that is over already", async () => {
    await logout(auth.deps, ownerOf(first));
    auth.events.length = 0;
    expect(await logout(auth.deps, ownerOf(first))).toEqual({ sessions: 0, revocations: [] });
    expect(auth.events).toEqual([]);
  });

  it("does not revoke another user's session at a logout", async () => {
    expect(await logout(auth.deps, { ...ownerOf(first), userId: "999" })).toMatchObject({ sessions: 0 });
    expect(await accepted()).toEqual([true, true]);
  });
});

describe("logoutByRefreshToken", () => {
  it("revokes the session of the current refresh token", async () => {
    await logoutByRefreshToken(auth.deps, first.pair.refresh, { client });
    expect(await accepted()).toEqual([false, true]);
    expect(auth.events).toMatchObject([{ type: "sessions_revoked", ...ownerOf(first), reason: "logout", client }]);
  });

  it("revokes the session of a spent refresh token, with the tokens that replaced it", async () => {
    const { pair } = await refresh(auth.deps, first.pair.refresh);
    await logoutByRefreshToken(auth.deps, first.pair.refresh);
    expect(() => authenticate(auth.deps, pair.access)).toThrow(/^token_revoked/);
    await expectRefused(refresh(auth.deps, pair.refresh as string), "token_revoked", { sessionEnded: true });
  });

  it('with scope "others" revokes the other sessions of the token\'s user and leaves its own', async () => {
    const ofBob = await startSessionOfBob();
    await logoutByRefreshToken(auth.deps, first.pair.refresh, { scope: "others", client });
    expect(await accepted()).toEqual([true, false]);
    expect(await isAccepted(ofBob)).toBe(true);
    expect((await refresh(auth.deps, first.pair.refresh)).outcome).toBe("rotated");
    const [event] = auth.events;
    expect(event).toMatchObject({ type: "sessions_revoked", userId: auth.user.id, reason: "logout", client });
    expect(event).not.toHaveProperty("sessionId");
  });

  it('with scope "others" answers as for a session that is over if it is revoked in between', async () => {
    const deps = {
      ...auth.deps,
      store: withSessions(auth.store, ({ find, revoke }) => ({
        find: async (sessionId) => {
          const found = await find(sessionId);
          await revoke(sessionId, "logout");
          return found;
        },
      })),
    };
    const attempt = logoutByRefreshToken(deps, first.pair.refresh, { scope: "others" });
    await expectRefused(attempt, "token_revoked", { sessionEnded: true });
    expect(await isAccepted(second)).toBe(true);
  });

  it('with scope "all" revokes every session of the token\'s user, and none of another user', async () => {
    const ofBob = await startSessionOfBob();
    await logoutByRefreshToken(auth.deps, first.pair.refresh, { scope: "all", client });
    expect(await accepted()).toEqual([false, false]);
    expect(await isAccepted(ofBob)).toBe(true);
    expect(auth.events).toMatchObject([
      { type: "sessions_revoked", userId: auth.user.id, reason: "logout", sessions: 2, client },
    ]);
  });

  it.each([
    ["others", [true, false]],
    ["all", [false, false]],
  ] as const)('with scope "%s" accepts a spent token of a live session', async (scope, expected) => {
    await refresh(auth.deps, first.pair.refresh);
    auth.clock.advance(60);
    await logoutByRefreshToken(auth.deps, first.pair.refresh, { scope });
    expect(await accepted()).toEqual(expected);
  });

  it.each(["local", "others", "all"] as const)(
    'with scope "%s" revokes nothing for a token of a revoked session',
    async (scope) => {
      await revokeSession(auth.deps, first.session.id);
      auth.events.length = 0;
      const attempt = logoutByRefreshToken(auth.deps, first.pair.refresh, { scope });
      await expectRefused(attempt, "token_revoked", { reason: "the session is over already", sessionEnded: true });
      expect(await accepted()).toEqual([false, true]);
      expect(auth.events).toEqual([]);
    },
  );

  it.each(["others", "all"] as const)(
    'with scope "%s" revokes nothing for a token whose session is over: new password, disabled user, expired',
    async (scope) => {
      const own = { userId: auth.user.id, sessionId: second.session.id, currentPassword: alice.password };
      await changePassword(auth.deps, { ...own, newPassword: "another horse" });
      const attempt = () => logoutByRefreshToken(auth.deps, first.pair.refresh, { scope });
      await expectRefused(attempt(), "token_revoked", { sessionEnded: true });
      expect((await rowOf(auth, second.session.id)).revokedAt).toBeNull();
      await disableUser(auth.deps, auth.user.id);
      await expectRefused(attempt(), "token_revoked", { sessionEnded: true });
      auth.clock.advance(2_592_000);
      await expectRefused(attempt(), "token_expired");
    },
  );

  it.each(["local", "others", "all"] as const)(
    'with scope "%s" refuses an access token, a forged token and an expired one, and revokes nothing',
    async (scope) => {
      await expectRefused(logoutByRefreshToken(auth.deps, first.pair.access, { scope }), "token_wrong_type");
      await expectRefused(logoutByRefreshToken(auth.deps, `${first.pair.refresh}A`, { scope }), "token_invalid");
      expect(await accepted()).toEqual([true, true]);
      auth.clock.advance(2_592_000);
      await expectRefused(logoutByRefreshToken(auth.deps, first.pair.refresh, { scope }), "token_expired");
      for (const { session } of [first, second]) expect((await rowOf(auth, session.id)).revokedAt).toBeNull();
    },
  );
});
