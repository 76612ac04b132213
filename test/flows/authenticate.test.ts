import { afterEach, describe, expect, it } from "vitest";
import type { AccessClaims } from "../../src/core/claims.ts";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { authenticate } from "../../src/flows/authenticate.ts";
import { logout } from "../../src/flows/logout.ts";
import { verify } from "../../src/flows/verify.ts";
import { createTestAuth, type TestAuth, testStart } from "../support/auth.ts";
import { expectRefused, logIn } from "./flow.ts";

let auth: TestAuth;
let reads: string[] = [];

/** Starts with a store that notes every look at a user or a session. */
async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  const noting = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        reads.push(String(name));
        return Reflect.get(target, name);
      },
    });
  auth = await createTestAuth({
    settings,
    wrapStore: (store) => ({ ...store, users: noting(store.users), sessions: noting(store.sessions) }),
  });
  reads = [];
}
afterEach(() => auth.close());

describe("a request's access token", () => {
  it("proves user and session from memory: no look at the store", async () => {
    await start();
    const { session, pair } = await logIn(auth);
    reads = [];
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({
      type: "access",
      userId: auth.user.id,
      sessionId: session.id,
      userEpoch: 0,
      issuedAt: testStart,
      expiresAt: testStart + 1_800,
    });
    expect(reads).toEqual([]);
  });

  it("is refused once its session has ended, and in the second in which it expires", async () => {
    await start();
    const [ended, kept] = [await logIn(auth), await logIn(auth)];
    await logout(auth.deps, { sessionId: ended.session.id, userId: auth.user.id });
    await expectRefused(authenticate(auth.deps, ended.pair.access), "token_revoked");
    auth.clock.advance(1_799);
    expect(await authenticate(auth.deps, kept.pair.access)).toMatchObject({ sessionId: kept.session.id });
    auth.clock.advance(1);
    await expectRefused(authenticate(auth.deps, kept.pair.access), "token_expired");
  });

  it("is refused once it is revoked, or its session or user is, however often it was accepted", async () => {
    await start();
    const [token, session, user] = [await logIn(auth), await logIn(auth), await logIn(auth)];
    const revocations = [
      [token, { kind: "token", tokenId: auth.deps.tokens.verifyAccess(token.pair.access).tokenId, at: testStart }],
      [session, { kind: "session", sessionId: session.session.id, at: testStart }],
      [user, { kind: "user", userId: auth.user.id, epoch: 1, at: testStart }],
    ] as const;
    for (const [{ pair }, revocation] of revocations) {
      for (let i = 0; i < 3; i++) expect(await authenticate(auth.deps, pair.access)).toMatchObject({ userEpoch: 0 });
      auth.deps.feed.apply([revocation]);
      await expectRefused(authenticate(auth.deps, pair.access), "token_revoked");
    }
  });

  it("is no refresh token and no garbage", async () => {
    await start();
    const { pair } = await logIn(auth);
    await expectRefused(authenticate(auth.deps, pair.refresh), "token_wrong_type");
    await expectRefused(authenticate(auth.deps, ""), "token_invalid");
  });

  it("is not answered from revocations that are too stale, also by verify: fails closed", async () => {
    await start({ maxStaleness: 10 });
    const { pair } = await logIn(auth);
    auth.clock.stall(10);
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ userId: auth.user.id });
    auth.clock.stall(0.001);
    const reason = "revocations are not loaded or too stale";
    await expectRefused(authenticate(auth.deps, pair.access), "unavailable", { reason });
    await expectRefused(verify(auth.deps, pair.access), "unavailable", { reason });
    await expectRefused(authenticate(auth.deps, "garbage"), "token_invalid");
  });
});

describe("with onStale: lookup, a request while the revocations are too stale", () => {
  /** A login, and a node that has heard nothing for a minute. */
  async function startStale(): Promise<string> {
    await start({ onStale: "lookup" });
    const { pair } = await logIn(auth);
    auth.clock.stall(60);
    return pair.access;
  }

  it("is answered after a look at the store, also by verify", async () => {
    const access = await startStale();
    expect(await authenticate(auth.deps, access)).toMatchObject({ userId: auth.user.id });
    expect(await verify(auth.deps, access)).toMatchObject({ userId: auth.user.id });
  });

  it.each<readonly [string, (claims: AccessClaims) => Promise<unknown>]>([
    ["session", ({ sessionId }) => auth.store.sessions.revoke(sessionId, "logout")],
    ["user", ({ userId }) => auth.store.users.disable(userId)],
    ["token", ({ tokenId }) => auth.store.feed.revokeToken(tokenId)],
    ["every token", () => auth.store.sessions.revokeAll("revoked")],
  ])("is refused where another node has revoked its %s", async (_, revoke) => {
    const access = await startStale();
    await revoke(auth.deps.tokens.verifyAccess(access));
    await expectRefused(authenticate(auth.deps, access), "token_revoked");
    await expectRefused(verify(auth.deps, access), "token_revoked");
  });

  it("is refused where the store does not answer, and where nothing was ever loaded", async () => {
    const access = await startStale();
    await auth.store.close();
    await expect(authenticate(auth.deps, access)).rejects.toBeInstanceOf(StoreUnavailableError);
    const answer = await auth.send("GET", "/api/auth/me/", { headers: { Authorization: `Bearer ${access}` } });
    expect([answer.status, answer.headers.has("Retry-After")]).toEqual([503, true]);
    const feed = { ...auth.deps.feed, isFresh: () => false, isLoaded: () => false };
    await expectRefused(authenticate({ ...auth.deps, feed }, access), "unavailable");
  });
});

describe("with loadUser, a request", () => {
  it("comes with its user", async () => {
    await start({ loadUser: true });
    const { pair } = await logIn(auth);
    expect((await authenticate(auth.deps, pair.access)).user).toEqual(auth.user);
  });

  it("is not admitted for a user who is inactive or gone, though the feed has not told yet", async () => {
    await start({ loadUser: true });
    const { pair } = await logIn(auth);
    await auth.store.users.disable(auth.user.id);
    await expectRefused(authenticate(auth.deps, pair.access), "user_inactive");
    await auth.store.users.delete(auth.user.id);
    await expectRefused(authenticate(auth.deps, pair.access), "user_not_found");
  });
});

describe("with checkUserIsActive, a request", () => {
  it("is admitted without its user, while that is active", async () => {
    await start({ checkUserIsActive: true });
    const { pair } = await logIn(auth);
    const admitted = await authenticate(auth.deps, pair.access);
    expect(admitted).not.toHaveProperty("user");
    await auth.store.users.disable(auth.user.id);
    await expectRefused(authenticate(auth.deps, pair.access), "user_inactive");
  });
});

describe("with users of the application's own, a request", () => {
  const ada = { id: "u-1", username: "ada", isActive: true, plan: "gold" };

  async function logInAda(
    settings: Partial<Settings<AuthUser>>,
  ): Promise<{ access: string; tell(found: unknown): void }> {
    let found: unknown = ada;
    await start({ findUser: async () => found as AuthUser, verifyCredentials: async () => ada, ...settings });
    const { pair } = await logIn(auth);
    return {
      access: pair.access,
      tell: (next) => {
        found = next;
      },
    };
  }

  it("comes with the application's user, all of it", async () => {
    const { access } = await logInAda({ loadUser: true });
    expect((await authenticate(auth.deps, access)).user).toEqual(ada);
  });

  describe.each([{ loadUser: true }, { checkUserIsActive: true }])("and %o,", (settings) => {
    it.each([
      ["null", null, "user_not_found"],
      ["undefined", undefined, "user_not_found"],
      ["somebody inactive", { ...ada, isActive: false }, "user_inactive"],
      ["somebody of whom nobody knows", { id: "u-1", username: "ada" }, "unavailable"],
    ] as const)("is refused where findUser answers %s", async (_, found, code) => {
      const { access, tell } = await logInAda(settings);
      tell(found);
      await expectRefused(authenticate(auth.deps, access), code);
    });
  });

  it("asks nobody where neither is on", async () => {
    const { access, tell } = await logInAda({});
    tell(null);
    expect(await authenticate(auth.deps, access)).toMatchObject({ userId: "u-1" });
  });
});
