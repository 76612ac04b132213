import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AccessClaims } from "../../src/core/claims.ts";
import { requireAuthentication } from "../../src/core/require-authentication.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { changePassword } from "../../src/flows/passwords/change.ts";
import { reauthenticate, reauthenticateByPassword } from "../../src/flows/reauthenticate.ts";
import { refresh } from "../../src/flows/refresh/refresh.ts";
import { type Issued, issue } from "../../src/flows/sessions/issue.ts";
import { logout } from "../../src/flows/sessions/logout.ts";
import { authenticate } from "../../src/flows/tokens/authenticate.ts";
import { disableUser, setPassword } from "../../src/flows/users/users.ts";
import {
  alice,
  createTestAuth,
  type TestAuth,
  type TestAuthOptions,
  testStart,
  withSessions,
} from "../support/auth.ts";
import { eventsOf, expectRefused, logIn } from "./flow.ts";

const client = { ip: "192.0.2.7", userAgent: "Firefox" };
const { password } = alice;

let auth: TestAuth;
let session: Issued;
let owner: { readonly userId: string; readonly sessionId: string };

async function start(options: TestAuthOptions = {}): Promise<void> {
  auth = await createTestAuth({ ...options, settings: { maxStaleness: 3_600, ...options.settings } });
  session = await logIn(auth);
  owner = { userId: session.user.id, sessionId: session.session.id };
  auth.events.length = 0;
}
beforeEach(() => start());
afterEach(() => auth.close());

describe("reauthenticate", () => {
  it("returns an access token that says when and how its user was authenticated, as do those of later refreshes", async () => {
    auth.clock.advance(600);
    const { pair, session: row } = await reauthenticate(auth.deps, owner, { amr: ["otp"] });
    expect(row).toMatchObject({ authenticatedAt: testStart + 600, amr: "pwd otp", generation: 0 });
    auth.clock.advance(60);
    const refreshed = await refresh(auth.deps, session.pair.refresh);
    for (const { access } of [pair, refreshed.pair]) {
      expect(await authenticate(auth.deps, access)).toMatchObject({
        authTime: testStart + 600,
        amr: ["pwd", "otp"],
        sessionId: owner.sessionId,
      });
    }
  });

  it("leaves the access tokens from before as they are", async () => {
    auth.clock.advance(60);
    await reauthenticate(auth.deps, owner, { amr: ["otp"] });
    expect(await authenticate(auth.deps, session.pair.access)).toMatchObject({ authTime: testStart, amr: ["pwd"] });
  });

  it("emits an event and records it in the same transaction", async () => {
    await reauthenticate(auth.deps, owner, { amr: ["otp", "mfa"], client });
    const event = { type: "session_confirmed", time: testStart, ...owner, amr: "otp mfa", client };
    expect(auth.events).toEqual([event]);
    const { entries } = await auth.store.audit.read({ after: null, limit: 1 });
    expect(entries).toMatchObject([
      { type: "session_confirmed", ...owner, ip: client.ip, details: { amr: "otp mfa" } },
    ]);
  });

  it("has the application's claims in the new token", async () => {
    await auth.close();
    await start({ settings: { claims: () => ({ role: "admin" }) } });
    const { pair } = await reauthenticate(auth.deps, owner, { amr: ["otp"] });
    expect((await authenticate(auth.deps, pair.access)).payload).toMatchObject({ role: "admin" });
  });

  it("returns no token that outlives the session", async () => {
    await auth.close();
    await start({ settings: { accessTokenLifetime: 60, refreshTokenLifetime: 100, sessionLifetime: 100 } });
    auth.clock.advance(90);
    expect((await reauthenticate(auth.deps, owner, { amr: ["otp"] })).pair.accessExpiresIn).toBe(10);
  });

  it("refuses a session that is over, for the reason for which it is", async () => {
    await logout(auth.deps, owner);
    await expectRefused(reauthenticate(auth.deps, owner, { amr: ["otp"] }), "token_revoked", { sessionEnded: true });
    const second = await logIn(auth);
    const later = { userId: owner.userId, sessionId: second.session.id };
    await setPassword(auth.deps, owner.userId, "another horse battery");
    await expectRefused(reauthenticate(auth.deps, later, { amr: ["otp"] }), "password_changed", { sessionEnded: true });
    await disableUser(auth.deps, owner.userId);
    await expectRefused(reauthenticate(auth.deps, later, { amr: ["otp"] }), "password_changed", { sessionEnded: true });
  });

  it("refuses another user's session and an unknown user, and changes nothing", async () => {
    const other = await issue(auth.deps, (await auth.deps.store.users.ensure("7")).id);
    await expectRefused(
      reauthenticate(auth.deps, { ...owner, userId: other.user.id }, { amr: ["otp"] }),
      "token_invalid",
    );
    await expectRefused(reauthenticate(auth.deps, { ...owner, userId: "999" }, { amr: ["otp"] }), "user_not_found");
    expect((await auth.store.sessions.find(owner.sessionId))?.session.amr).toBe("pwd");
    expect(eventsOf(auth, "session_confirmed")).toEqual([]);
  });

  it("refuses an actor", async () => {
    const acting = await issue(auth.deps, owner.userId, { actor: "support/bob" });
    const its = { ...owner, sessionId: acting.session.id };
    await expectRefused(reauthenticate(auth.deps, its, { amr: ["otp"] }), "impersonated");
    await expectRefused(reauthenticateByPassword(auth.deps, its, { password }), "impersonated");
  });

  it("refuses methods that aren't names", async () => {
    await expect(reauthenticate(auth.deps, owner, { amr: [] })).rejects.toThrow(
      /^confirm: amr must have 1 to 8 values/,
    );
  });
});

describe("reauthenticateByPassword", () => {
  it("confirms the session if the password is right", async () => {
    auth.clock.advance(600);
    const { pair } = await reauthenticateByPassword(auth.deps, owner, { password, client });
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ authTime: testStart + 600, amr: ["pwd"] });
    expect(auth.events).toMatchObject([{ type: "session_confirmed", amr: "pwd", client }]);
  });

  it("refuses a wrong password, and emits a failed login of the session", async () => {
    await expectRefused(reauthenticateByPassword(auth.deps, owner, { password: "wrong", client }), "wrong_password");
    const event = { type: "login_failed", time: testStart, code: "wrong_password", reason: "wrong password" };
    expect(auth.events).toEqual([{ ...event, ...owner, client }]);
    expect((await auth.store.sessions.find(owner.sessionId))?.session.authenticatedAt).toBe(testStart);
  });

  it("tells the application about a wrong password", async () => {
    await auth.close();
    const failures: unknown[] = [];
    await start({ settings: { onLoginFailed: ({ code }, sender) => void failures.push([code, sender]) } });
    await expectRefused(reauthenticateByPassword(auth.deps, owner, { password: "wrong", client }), "wrong_password");
    expect(failures).toEqual([["wrong_password", client]]);
  });

  it("refuses the right password if the session has changed it meanwhile", async () => {
    await auth.close();
    const newPassword = "another horse battery staple";
    await start({
      wrapStore: (store) =>
        withSessions(store, (sessions) => ({
          reauthenticate: async (change, audit) => {
            await changePassword(auth.deps, { ...owner, currentPassword: password, newPassword });
            return sessions.reauthenticate(change, audit);
          },
        })),
    });
    await expectRefused(reauthenticateByPassword(auth.deps, owner, { password }), "token_revoked");
    expect(eventsOf(auth, "session_confirmed")).toEqual([]);
  });
});

describe("reauthenticateByPassword with users of the application", () => {
  const ada: AuthUser = { id: "42", username: "ada", isActive: true };
  let verified: AuthUser | null = ada;
  const settings = { findUser: () => ada, verifyCredentials: () => verified };

  it("asks the application whether the password is right", async () => {
    await auth.close();
    await start({ settings });
    auth.clock.advance(5);
    const { pair } = await reauthenticateByPassword(auth.deps, owner, { password });
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ userId: "42", authTime: testStart + 5 });
    verified = null;
    await expectRefused(reauthenticateByPassword(auth.deps, owner, { password }), "wrong_password");
    verified = ada;
  });
});

describe("requireAuthentication", () => {
  const claims = { authTime: 1_000, amr: ["pwd", "otp"], actor: null } as unknown as AccessClaims;
  type Requirement = Parameters<typeof requireAuthentication>[1];
  const refusalOf = (claimed: AccessClaims, requirement: Requirement, now: number) => {
    try {
      requireAuthentication(claimed, requirement, { now: () => now });
      return null;
    } catch (error) {
      return error;
    }
  };

  it.each([
    [{}, 9_999_999],
    [{ maxAge: 60 }, 1_060],
    [{ maxAge: 60 }, 900],
    [{ amr: ["otp"] }, 9_999_999],
    [{ maxAge: 60, amr: ["otp", "pwd"] }, 1_000],
  ])("accepts a token for %j at %d", (requirement, now) => {
    expect(refusalOf(claims, requirement, now)).toBeNull();
  });

  it.each([undefined, {}, { amr: ["pwd"] }])("reads no clock for the requirement %j", (requirement) => {
    const now = vi.fn(() => 1_000);
    requireAuthentication(claims, requirement, { now });
    expect(now).not.toHaveBeenCalled();
  });

  it.each([
    [{ maxAge: 60 }, 1_061],
    [{ amr: ["hwk"] }, 1_000],
    [{ amr: ["otp", "hwk"] }, 1_000],
    [{ maxAge: 60, amr: ["otp"] }, 1_061],
  ])("refuses a token for %j at %d, and says what is required", (requirement, now) => {
    expect(refusalOf(claims, requirement, now)).toMatchObject({
      code: "confirmation_required",
      requirement,
      sessionEnded: false,
    });
  });

  it.each([{ maxAge: 60 }, { amr: ["pwd"] }, { maxAge: 60, amr: ["otp"] }])(
    "refuses an actor for %j, who hasn't been authenticated as the user",
    (requirement) => {
      const acting = { ...claims, actor: "support/bob" };
      expect(refusalOf(acting, requirement, 1_000)).toMatchObject({ code: "impersonated" });
      expect(refusalOf(acting, {}, 1_000)).toBeNull();
    },
  );

  it("refuses a token that doesn't say when its user was authenticated, as one of version 0.1", () => {
    const former = { ...claims, authTime: null };
    expect(refusalOf(former, { maxAge: 999_999 }, 0)).toMatchObject({ code: "confirmation_required" });
    expect(refusalOf({ ...claims, authTime: 0 }, { maxAge: 999 }, 1_000)).toMatchObject({
      code: "confirmation_required",
    });
  });

  it.each([{ maxAge: 0 }, { maxAge: 1.5 }, { maxAge: "600" as unknown as number }, { amr: [] }, { amr: ["a b"] }])(
    "refuses the requirement %j as an error of the program",
    (requirement) => {
      expect(refusalOf(claims, requirement, 1_000)).toBeInstanceOf(TypeError);
    },
  );
});
