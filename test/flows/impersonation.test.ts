import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changePassword } from "../../src/flows/passwords/change.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { type Issued, type IssueOptions, issue } from "../../src/flows/sessions/issue.ts";
import { logout, logoutByRefreshToken } from "../../src/flows/sessions/logout.ts";
import { listSessions } from "../../src/flows/sessions/sessions.ts";
import { authenticate } from "../../src/flows/tokens/authenticate.ts";
import { alice, createTestAuth, type TestAuth, testStart } from "../support/auth.ts";
import { eventsOf, expectRefused, logIn } from "./flow.ts";

const actor = "support/bob";

let auth: TestAuth;
beforeEach(async () => {
  auth = await createTestAuth({ settings: { auditRotations: true } });
});
afterEach(() => auth.close());

const act = (options: IssueOptions = {}): Promise<Issued> =>
  issue(auth.deps, auth.user.id, { actor, client: { ip: "192.0.2.1", userAgent: "Firefox" }, ...options });

const actors = async () =>
  (await auth.store.audit.read({ after: null, limit: 20 })).entries.map(({ type, actor: who }) => [type, who]);

describe("a session in which an actor acts for the user", () => {
  it("has tokens with the claim act, before and after a refresh", async () => {
    const { pair, session } = await act({ amr: ["mfa"] });
    const refreshed = await refresh(auth.deps, pair.refresh);
    for (const { access } of [pair, refreshed.pair]) {
      const claims = await authenticate(auth.deps, access);
      expect(claims).toMatchObject({ actor, amr: ["mfa"], authTime: testStart, sessionId: session.id });
      expect(claims.payload).toMatchObject({ act: { sub: actor } });
    }
  });

  it("ends after an hour, no matter how often it is refreshed", async () => {
    let { pair }: { pair: { refresh?: string; refreshExpiresIn: number } } = await act();
    expect(pair.refreshExpiresIn).toBe(3_600);
    auth.clock.advance(3_599);
    pair = (await refresh(auth.deps, pair.refresh ?? "")).pair;
    expect(pair).toMatchObject({ refreshExpiresIn: 1, accessExpiresIn: 1 });
    auth.clock.advance(1);
    await expectRefused(refresh(auth.deps, pair.refresh ?? ""), "token_expired");
  });

  it("can be given a shorter life, but not a longer one", async () => {
    expect((await act({ lifetime: 60 })).pair).toMatchObject({ refreshExpiresIn: 60, accessExpiresIn: 60 });
    for (const lifetime of [3_601, 0, 1.5, Number.NaN, "60" as unknown as number]) {
      await expect(act({ lifetime })).rejects.toThrow(
        /^issue: lifetime must be a whole number of seconds from 1 to 3600/,
      );
    }
  });

  it("is shown with its actor by its user's list of sessions", async () => {
    await logIn(auth);
    await act();
    const sessions = await listSessions(auth.deps, auth.user.id);
    expect(sessions.map((session) => session.actor).sort()).toEqual([null, actor]);
  });

  it("isn't a login of the user: it sets no last login and revokes no session beyond the limit", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { maxSessionsPerUser: 1 } });
    await act();
    expect(await auth.store.users.findById(auth.user.id)).toMatchObject({ lastLoginAt: null });
    const own = await logIn(auth, { client: { userAgent: "Chrome" } });
    auth.clock.advance(1);
    await act({ client: { userAgent: "Safari" } });
    expect(eventsOf(auth, "new_device")).toEqual([]);
    expect(await authenticate(auth.deps, own.pair.access)).toMatchObject({ actor: null });
  });

  it("takes no place among the sessions that the user may have, and isn't revoked by a login of the user", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { maxSessionsPerUser: 2 } });
    const acting = await act();
    const own = await logIn(auth);
    auth.clock.advance(1);
    await logIn(auth);
    for (const { pair } of [acting, own]) {
      expect(await authenticate(auth.deps, pair.access)).toMatchObject({ userId: auth.user.id });
    }
    await logIn(auth);
    expect(eventsOf(auth, "sessions_revoked")).toMatchObject([{ sessionId: own.session.id, reason: "limit" }]);
  });

  it("has its actor in every entry of the audit log", async () => {
    const { pair } = await act();
    const refreshed = await refresh(auth.deps, pair.refresh);
    await refresh(auth.deps, pair.refresh);
    await refresh(auth.deps, refreshed.pair.refresh ?? "");
    await expectRefused(refresh(auth.deps, pair.refresh), "token_revoked", { sessionEnded: true });
    const second = await act();
    await logoutByRefreshToken(auth.deps, second.pair.refresh);
    const third = await act();
    await logout(auth.deps, { userId: auth.user.id, sessionId: third.session.id });
    await auth.auditQueue.stop();
    const entries = await actors();
    const acting = entries.filter(([type]) => type !== "user_changed");
    expect(acting.map(([type]) => type).sort()).toEqual(
      [...Array(3).fill("login"), ...Array(4).fill("refresh"), ...Array(3).fill("sessions_revoked")].sort(),
    );
    expect(new Set(acting.map(([, who]) => who))).toEqual(new Set([actor]));
    expect(eventsOf(auth, "refresh").map(({ client }) => client.actor)).toEqual(Array(4).fill(actor));
  });

  it("keeps the name of the operator who revokes it", async () => {
    const { session } = await act();
    await logout(auth.deps, { userId: auth.user.id, sessionId: session.id }, { client: { actor: "cli/root" } });
    expect(await actors()).toContainEqual(["sessions_revoked", "cli/root"]);
  });

  it("has its actor in the events of refreshes without rotation", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { rotateRefreshTokens: false } });
    const { pair, session } = await act();
    await refresh(auth.deps, pair.refresh);
    await logout(auth.deps, { userId: auth.user.id, sessionId: session.id });
    await expectRefused(refresh(auth.deps, pair.refresh), "token_revoked", { sessionEnded: true });
    expect(eventsOf(auth, "refresh").map(({ client }) => client.actor)).toEqual([actor, actor]);
  });

  it("can't log the user out elsewhere, or change the password", async () => {
    const own = await logIn(auth);
    const { pair, session } = await act();
    const owner = { userId: auth.user.id, sessionId: session.id };
    for (const scope of ["others", "all"] as const) {
      await expectRefused(logout(auth.deps, owner, { scope }), "impersonated");
      await expectRefused(logoutByRefreshToken(auth.deps, pair.refresh, { scope }), "impersonated");
    }
    const change = { ...owner, currentPassword: alice.password, newPassword: "another horse battery staple" };
    await expectRefused(changePassword(auth.deps, change), "impersonated");
    expect(await authenticate(auth.deps, own.pair.access)).toMatchObject({ userId: auth.user.id });
    expect((await logIn(auth)).user.id).toBe(auth.user.id);
  });

  it.each(["a b", "", 'a"', "x".repeat(65)])("is refused if the actor is %j", async (name) => {
    await expect(act({ actor: name })).rejects.toThrow(/^issue: actor must be /);
  });
});
