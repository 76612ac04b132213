import { afterEach, describe, expect, it } from "vitest";
import type { AccessClaims } from "../../../src/core/claims.ts";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { logout } from "../../../src/flows/sessions/logout.ts";
import { type Authentication, authenticate, isStillValid } from "../../../src/flows/tokens/authenticate.ts";
import { verify } from "../../../src/flows/tokens/verify.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";
import { expectRefused, logIn } from "../flow.ts";

let auth: TestAuth;
let calls: string[] = [];

/**
 * Starts with a store that notes every call about users and sessions, and with a feed that has been loaded and whose reads get
 * no answer any more: this node learns of revocations only through `feed.apply`, and its knowledge grows stale only with the
 * test's clock.
 */
async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  let isCutOff = false;
  const noting = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        calls.push(String(name));
        return Reflect.get(target, name);
      },
    });
  auth = await createTestAuth({
    settings: { maxStaleness: 3_600, ...settings },
    wrapStore: (store) => ({
      ...store,
      users: noting(store.users),
      sessions: noting(store.sessions),
      feed: { ...store.feed, read: (options) => (isCutOff ? new Promise(() => {}) : store.feed.read(options)) },
    }),
  });
  isCutOff = true;
  calls = [];
}
afterEach(() => auth.close());

const check = async (token: string): Promise<Authentication> => authenticate(auth.deps, token);

describe("authenticate", () => {
  it("returns the claims of an access token at once, without a call of the store", async () => {
    await start();
    const { session, pair } = await logIn(auth);
    calls = [];
    expect(authenticate(auth.deps, pair.access)).toMatchObject({
      type: "access",
      userId: auth.user.id,
      sessionId: session.id,
      userEpoch: 0,
      issuedAt: testStart,
      expiresAt: testStart + 1_800,
    });
    expect(calls).toEqual([]);
  });

  it("refuses an access token whose session was logged out, and one in the second in which it expires", async () => {
    await start();
    const [loggedOut, kept] = [await logIn(auth), await logIn(auth)];
    await logout(auth.deps, { sessionId: loggedOut.session.id, userId: auth.user.id });
    await expectRefused(check(loggedOut.pair.access), "token_revoked");
    auth.clock.advance(1_799);
    expect(await check(kept.pair.access)).toMatchObject({ sessionId: kept.session.id });
    auth.clock.advance(1);
    await expectRefused(check(kept.pair.access), "token_expired");
  });

  it("refuses a token after it, its session or its user was revoked, although it accepted it before", async () => {
    await start();
    const [token, session, user] = [await logIn(auth), await logIn(auth), await logIn(auth)];
    const revocations = [
      [token, { kind: "token", tokenId: auth.deps.tokens.verifyAccess(token.pair.access).tokenId, at: testStart }],
      [session, { kind: "session", sessionId: session.session.id, at: testStart }],
      [user, { kind: "user", userId: auth.user.id, epoch: 1, at: testStart }],
    ] as const;
    for (const [{ pair }, revocation] of revocations) {
      for (let i = 0; i < 3; i++) expect(await check(pair.access)).toMatchObject({ userEpoch: 0 });
      auth.deps.feed.apply([revocation]);
      await expectRefused(check(pair.access), "token_revoked");
    }
  });

  it("refuses a refresh token and an empty text", async () => {
    await start();
    const { pair } = await logIn(auth);
    await expectRefused(check(pair.refresh), "token_wrong_type");
    await expectRefused(check(""), "token_invalid");
  });

  it("answers unavailable, and so does verify, once the revocations are older than maxStaleness", async () => {
    await start({ maxStaleness: 10, onStale: "refuse" });
    const { pair } = await logIn(auth);
    auth.clock.stall(10);
    expect(await check(pair.access)).toMatchObject({ userId: auth.user.id });
    auth.clock.stall(0.001);
    const reason = "revocations are not loaded or too stale";
    await expectRefused(check(pair.access), "unavailable", { reason });
    await expectRefused(verify(auth.deps, pair.access), "unavailable", { reason });
    await expectRefused(check("garbage"), "token_invalid");
  });
});

describe("authenticate with onStale: wait and stale revocations", () => {
  it("accepts a token after a read, and refuses one that the read shows to be revoked", async () => {
    auth = await createTestAuth({ settings: { maxStaleness: 10 } });
    const [first, second] = [await logIn(auth), await logIn(auth)];
    auth.clock.stall(60);
    await auth.store.sessions.revoke(second.session.id, "logout");
    const [accepted, refused] = [check(first.pair.access), check(second.pair.access)];
    expect(await accepted).toMatchObject({ sessionId: first.session.id });
    await expectRefused(refused, "token_revoked");
  });

  it("answers unavailable if the read gets no answer", async () => {
    await start({ maxStaleness: 10 });
    const { pair } = await logIn(auth);
    auth.clock.stall(60);
    await expectRefused(check(pair.access), "unavailable", { reason: "revocations are not loaded or too stale" });
  });

  it("answers unavailable after the node was stopped", async () => {
    await start();
    const { pair } = await logIn(auth);
    await auth.deps.feed.stop();
    await expectRefused(check(pair.access), "unavailable");
    expect(isStillValid(auth.deps, auth.deps.tokens.verifyAccess(pair.access))).toBe(false);
  });
});

describe("isStillValid", () => {
  it("returns whether a token has neither expired nor been revoked, and this node knows that", async () => {
    await start({ maxStaleness: 10 });
    const [kept, revoked] = [await logIn(auth), await logIn(auth)];
    const [claims, others] = [kept, revoked].map(({ pair }) => auth.deps.tokens.verifyAccess(pair.access));
    const ask = () => [claims, others].map((one) => isStillValid(auth.deps, one as AccessClaims));
    expect(ask()).toEqual([true, true]);
    await logout(auth.deps, { sessionId: revoked.session.id, userId: auth.user.id });
    expect(ask()).toEqual([true, false]);
    auth.clock.stall(11);
    expect(ask()).toEqual([false, false]);
  });

  it("returns false in the second in which the token expires", async () => {
    await start();
    const { pair } = await logIn(auth);
    const claims = auth.deps.tokens.verifyAccess(pair.access);
    auth.clock.advance(1_799);
    expect(isStillValid(auth.deps, claims)).toBe(true);
    auth.clock.advance(1);
    expect(isStillValid(auth.deps, claims)).toBe(false);
  });
});

describe("authenticate with onStale: lookup and stale revocations", () => {
  /** Logs in on a node that then reads nothing from the database for a minute. @returns the access token. */
  async function startStale(): Promise<string> {
    await start({ onStale: "lookup", maxStaleness: 10 });
    const { pair } = await logIn(auth);
    auth.clock.stall(60);
    return pair.access;
  }

  it("asks the store about a stale node's token and accepts it, and so does verify", async () => {
    const access = await startStale();
    expect(await check(access)).toMatchObject({ userId: auth.user.id });
    expect(await verify(auth.deps, access)).toMatchObject({ userId: auth.user.id });
  });

  it.each<readonly [string, (claims: AccessClaims) => Promise<unknown>]>([
    ["session", ({ sessionId }) => auth.store.sessions.revoke(sessionId, "logout")],
    ["user", ({ userId }) => auth.store.users.disable(userId)],
    ["one token", ({ tokenId }) => auth.store.feed.revokeToken(tokenId)],
    ["every token", () => auth.store.sessions.revokeAll("revoked")],
  ])("refuses a token on a stale node after another node revoked its %s", async (_, revoke) => {
    const access = await startStale();
    await revoke(auth.deps.tokens.verifyAccess(access));
    await expectRefused(check(access), "token_revoked");
    await expectRefused(verify(auth.deps, access), "token_revoked");
  });

  it("refuses a token that the stale node knows to be revoked, without asking the store", async () => {
    const access = await startStale();
    const { tokenId } = auth.deps.tokens.verifyAccess(access);
    auth.deps.feed.apply([{ kind: "token", tokenId, at: testStart }]);
    await auth.store.close();
    await expectRefused(check(access), "token_revoked");
  });

  it("answers 503 on a stale node if the store does not answer or nothing was ever loaded", async () => {
    const access = await startStale();
    await auth.store.close();
    await expect(check(access)).rejects.toBeInstanceOf(StoreUnavailableError);
    const answer = await auth.send("GET", "/api/auth/me/", { headers: { Authorization: `Bearer ${access}` } });
    expect([answer.status, answer.headers.has("Retry-After")]).toEqual([503, true]);
    const feed = { ...auth.deps.feed, isFresh: () => false, isLoaded: () => false };
    await expectRefused((async () => authenticate({ ...auth.deps, feed }, access))(), "unavailable");
  });
});

describe("authenticate with loadUser", () => {
  it("returns the user with the claims", async () => {
    await start({ loadUser: true });
    const { pair } = await logIn(auth);
    expect((await check(pair.access)).user).toEqual({ ...auth.user, lastLoginAt: auth.clock.now() });
  });

  it("refuses a user who was disabled or deleted on another node, before the feed brings the revocation", async () => {
    await start({ loadUser: true });
    const { pair } = await logIn(auth);
    await auth.store.users.disable(auth.user.id);
    await expectRefused(check(pair.access), "user_inactive");
    await auth.store.users.delete(auth.user.id);
    await expectRefused(check(pair.access), "user_not_found");
  });
});

describe("authenticate with checkUserIsActive", () => {
  it("returns the claims without the user while the user is active, then refuses", async () => {
    await start({ checkUserIsActive: true });
    const { pair } = await logIn(auth);
    expect(await check(pair.access)).not.toHaveProperty("user");
    await auth.store.users.disable(auth.user.id);
    await expectRefused(check(pair.access), "user_inactive");
  });
});

describe("authenticate with users of the application's own table", () => {
  const ada = { id: "u-1", username: "ada", isActive: true, plan: "gold" };

  async function logInAda(
    settings: Partial<Settings<AuthUser>>,
  ): Promise<{ readonly access: string; readonly setFound: (user: unknown) => void }> {
    let found: unknown = ada;
    await start({ findUser: async () => found as AuthUser, verifyCredentials: async () => ada, ...settings });
    const { pair } = await logIn(auth);
    return {
      access: pair.access,
      setFound: (user) => {
        found = user;
      },
    };
  }

  it("returns everything that findUser returned about the user", async () => {
    const { access } = await logInAda({ loadUser: true });
    expect((await check(access)).user).toEqual(ada);
  });

  describe.each([{ loadUser: true }, { checkUserIsActive: true }])("and %o", (settings) => {
    it.each([
      ["null", null, "user_not_found"],
      ["undefined", undefined, "user_not_found"],
      ["an inactive user", { ...ada, isActive: false }, "user_inactive"],
      ["a user without isActive", { id: "u-1", username: "ada" }, "unavailable"],
    ] as const)("refuses a token if findUser returns %s", async (_, found, code) => {
      const { access, setFound } = await logInAda(settings);
      setFound(found);
      await expectRefused(check(access), code);
    });
  });

  it("does not call findUser with neither loadUser nor checkUserIsActive", async () => {
    const { access, setFound } = await logInAda({});
    setFound(null);
    expect(await check(access)).toMatchObject({ userId: "u-1" });
  });
});
