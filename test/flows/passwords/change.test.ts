import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { login } from "../../../src/flows/login.ts";
import { changePassword, type PasswordChange } from "../../../src/flows/passwords/change.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import type { Issued } from "../../../src/flows/sessions/issue.ts";
import { logout } from "../../../src/flows/sessions/logout.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { disableUser, setPassword } from "../../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "../flow.ts";

const newPassword = "another horse";
const client = { ip: "192.0.2.7" };

let auth: TestAuth;
let failures: unknown[];
let asking: Issued;
let other: Issued;

beforeEach(async () => {
  failures = [];
  auth = await createTestAuth({
    settings: {
      onLoginFailed: (error, from) => {
        failures.push([error.code, from]);
        throw new Error("the audit log is full");
      },
    },
  });
  [asking, other] = [await logIn(auth), await logIn(auth)];
  auth.events.length = 0;
});
afterEach(() => auth.close());

const change = (changes: Partial<PasswordChange> = {}) => {
  const own = { userId: auth.user.id, sessionId: asking.session.id };
  return changePassword(auth.deps, { ...own, currentPassword: alice.password, newPassword, ...changes }, { client });
};

/** Returns whether alice can log in with this password. */
const isAccepted = (password: string) =>
  login(auth.deps, { ...alice, password }).then(
    () => true,
    () => false,
  );

/** Expects that the old password and both sessions are still valid. */
async function expectUnchanged(): Promise<void> {
  expect([await isAccepted(alice.password), await isAccepted(newPassword)]).toEqual([true, false]);
  for (const { pair } of [asking, other]) expect((await refresh(auth.deps, pair.refresh)).outcome).toBe("rotated");
}

describe("changePassword", () => {
  it("makes the new password valid and the current one invalid", async () => {
    await change();
    expect([await isAccepted(alice.password), await isAccepted(newPassword)]).toEqual([false, true]);
  });

  it("revokes the user's other sessions and gives the asking session a new pair under the new epoch", async () => {
    const { session, pair } = await change();
    expect(session.id).toBe(asking.session.id);
    expect(await authenticate(auth.deps, pair.access)).toMatchObject({ sessionId: session.id, userEpoch: 1 });
    for (const { pair: old } of [asking, other]) {
      expect(() => authenticate(auth.deps, old.access)).toThrow(/^token_revoked/);
    }
    await expectRefused(refresh(auth.deps, other.pair.refresh), "password_changed", { sessionEnded: true });
    expect((await refresh(auth.deps, pair.refresh)).outcome).toBe("rotated");
  });

  it("emits user_changed once and sessions_revoked once", async () => {
    await change();
    expect(auth.events).toMatchObject([
      { type: "user_changed", userId: auth.user.id, change: "password_changed" },
      { type: "sessions_revoked", userId: auth.user.id, reason: "password_changed" },
    ]);
  });
});

describe("changePassword with an idempotency key", () => {
  const idempotencyKey = "Zk3q9VYb0m5oRkq2nWl7xA";
  const changeWith = (key: string, changes: Partial<PasswordChange> = {}) => {
    const own = { userId: auth.user.id, sessionId: asking.session.id };
    const passwords = { currentPassword: alice.password, newPassword };
    return changePassword(auth.deps, { ...own, ...passwords, ...changes }, { client, idempotencyKey: key });
  };

  it("answers the repeated request with the same refresh token, without looking at the current password", async () => {
    const { pair } = await changeWith(idempotencyKey);
    auth.events.length = 0;
    const repeated = await changeWith(idempotencyKey);
    expect(repeated.pair.refresh).toBe(pair.refresh);
    expect(await authenticate(auth.deps, repeated.pair.access)).toMatchObject({ userEpoch: 1 });
    expect((await rowOf(auth, asking.session.id)).userEpoch).toBe(1);
    expect([auth.events, failures]).toEqual([[], []]);
    expect((await refresh(auth.deps, pair.refresh)).outcome).toBe("rotated");
  });

  it("notes in the row how long the repeated answer's access token lives", async () => {
    await changeWith(idempotencyKey);
    auth.clock.advance(100);
    await changeWith(idempotencyKey);
    expect((await rowOf(auth, asking.session.id)).accessUntil).toBe(auth.clock.now() + 1_800);
  });

  it("verifies the password of a request with another key, of another session, or without a key", async () => {
    await changeWith(idempotencyKey);
    await expectRefused(changeWith("b0m5oRkq2nWl7xAZk3q9VY"), "wrong_password");
    await expectRefused(change(), "wrong_password");
    await expectRefused(changeWith(idempotencyKey, { sessionId: other.session.id }), "wrong_password");
    expect(failures).toHaveLength(3);
  });

  it("doesn't repeat the answer after the session was refreshed, which proves that it arrived", async () => {
    const { pair } = await changeWith(idempotencyKey);
    await refresh(auth.deps, pair.refresh);
    await expectRefused(changeWith(idempotencyKey), "wrong_password");
  });

  it("doesn't repeat the answer for another user, or after the session was revoked", async () => {
    await changeWith(idempotencyKey);
    await expectRefused(changeWith(idempotencyKey, { userId: "999" }), "user_not_found");
    await logout(auth.deps, { sessionId: asking.session.id, userId: auth.user.id });
    await expectRefused(changeWith(idempotencyKey), "wrong_password");
  });

  it("changes the password again with a new key", async () => {
    const { pair } = await changeWith(idempotencyKey);
    const again = { currentPassword: newPassword, newPassword: "a third horse" };
    const second = await changeWith("b0m5oRkq2nWl7xAZk3q9VY", again);
    expect(second.pair.refresh).not.toBe(pair.refresh);
    expect(await isAccepted("a third horse")).toBe(true);
  });
});

describe("changePassword, when it refuses,", () => {
  it("changes nothing if the current password is wrong, and reports a failed login although onLoginFailed throws", async () => {
    await expectRefused(change({ currentPassword: "wrong" }), "wrong_password");
    const reason = "wrong current password";
    expect(auth.events).toMatchObject([{ type: "login_failed", code: "wrong_password", reason, client }]);
    expect(failures).toEqual([["wrong_password", client]]);
    await expectUnchanged();
  });

  it("changes nothing if the new password is too short or contains the username, and explains it in a sentence", async () => {
    const tooShort = "This password is too short. It must contain at least 8 characters.";
    await expectRefused(change({ newPassword: "7 chars" }), "password_refused", { reason: tooShort });
    const containsName = "This password contains the username. Choose one without it.";
    await expectRefused(change({ newPassword: "my-ALICE-1" }), "password_refused", { reason: containsName });
    expect(failures).toEqual([]);
    await expectUnchanged();
  });

  it("changes nothing if the asking session was logged out or is not the user's", async () => {
    const reason = "the session or the password changed meanwhile";
    await expectRefused(change({ sessionId: "nothing" }), "token_revoked", { reason });
    await expectUnchanged();
    await logout(auth.deps, { sessionId: asking.session.id, userId: auth.user.id });
    await expectRefused(change(), "token_revoked", { reason });
    expect(await isAccepted(newPassword)).toBe(false);
  });

  it("answers user_not_found if there is no such user", async () => {
    await expectRefused(change({ userId: "999" }), "user_not_found");
  });

  it("changes no password if the user was disabled", async () => {
    await disableUser(auth.deps, auth.user.id);
    await expectRefused(change(), "token_revoked");
    expect(eventsOf(auth, "user_changed").map((event) => event.change)).toEqual(["disabled"]);
  });
});

describe("changePassword in a race with a reset by an operator", () => {
  it("does not win against an operator's reset that runs at the same time, in 20 rounds", async () => {
    let lost = 0;
    for (let round = 0; round < 20; round++) {
      const [mine, resets] = [`my own horse ${round}`, `the admin's horse ${round}`];
      const before = round === 0 ? alice.password : `the admin's horse ${round - 1}`;
      const { session } = await login(auth.deps, { ...alice, password: before });
      const own = { sessionId: session.id, currentPassword: before, newPassword: mine };
      const [changed] = await Promise.allSettled([change(own), setPassword(auth.deps, auth.user.id, resets)]);
      if (changed.status === "rejected") {
        lost++;
        expect(changed.reason).toMatchObject({ name: "AuthError" });
        expect(["token_revoked", "wrong_password"]).toContain(changed.reason.code);
      }
      // In either order, the operator's password is the one that is valid in the end.
      const accepted = [await isAccepted(mine), await isAccepted(before), await isAccepted(resets)];
      expect(accepted).toEqual([false, false, true]);
      expect(await rowOf(auth, session.id)).toMatchObject({ revokeReason: "password_changed" });
    }
    expect(lost).toBeGreaterThan(0);
  });
});
