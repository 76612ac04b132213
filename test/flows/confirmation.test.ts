import { afterEach, describe, expect, it } from "vitest";
import type { Confirmation } from "../../src/core/revocation.ts";
import type { Confirmed } from "../../src/flows/commit.ts";
import { changePassword } from "../../src/flows/passwords/change.ts";
import { type Issued, issue } from "../../src/flows/sessions/issue.ts";
import { logout, logoutByRefreshToken } from "../../src/flows/sessions/logout.ts";
import {
  revokeAllSessions,
  revokeSession,
  revokeSessionsForUser,
  revokeToken,
} from "../../src/flows/sessions/sessions.ts";
import { deleteUser, disableUser, setPassword } from "../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";
import { eventsOf, logIn } from "./flow.ts";

let auth: TestAuth;
afterEach(() => auth.close());

type Ask = { readonly confirmed?: boolean };

const owner = ({ session }: Issued) => ({ sessionId: session.id, userId: session.userId });
const passwords = { currentPassword: alice.password, newPassword: "another horse" };

/** Every flow that revokes, and whether the setting confirms it. */
const flows: readonly (readonly [string, boolean, (issued: Issued, ask: Ask) => Promise<Confirmed | null>])[] = [
  ["a logout", false, (issued, ask) => logout(auth.deps, owner(issued), ask)],
  ["a logout by refresh token", false, ({ pair }, ask) => logoutByRefreshToken(auth.deps, pair.refresh, ask)],
  ["a logout of the others", true, (issued, ask) => logout(auth.deps, owner(issued), { scope: "others", ...ask })],
  ["a logout everywhere", true, (issued, ask) => logout(auth.deps, owner(issued), { scope: "all", ...ask })],
  [
    "a logout everywhere by refresh token",
    true,
    ({ pair }, ask) => logoutByRefreshToken(auth.deps, pair.refresh, { scope: "all", ...ask }),
  ],
  [
    "a user's revocation of an own session",
    false,
    ({ session }, ask) => revokeSession(auth.deps, session.id, { userId: session.userId, ...ask }),
  ],
  ["an operator's revocation of a session", true, ({ session }, ask) => revokeSession(auth.deps, session.id, ask)],
  ["a revocation of a user's sessions", true, ({ user }, ask) => revokeSessionsForUser(auth.deps, user.id, ask)],
  ["a revocation of all sessions", true, (_, ask) => revokeAllSessions(auth.deps, ask)],
  ["a revocation of a token", true, (_, ask) => revokeToken(auth.deps, "t1", ask)],
  ["a disabled user", true, ({ user }, ask) => disableUser(auth.deps, user.id, ask)],
  ["a deleted user", true, ({ user }, ask) => deleteUser(auth.deps, user.id, ask)],
  ["a set password", true, ({ user }, ask) => setPassword(auth.deps, user.id, "another horse", ask)],
  ["a changed password", true, (issued, ask) => changePassword(auth.deps, { ...owner(issued), ...passwords }, ask)],
];

async function start(confirmRevocations: boolean): Promise<Issued> {
  auth = await createTestAuth({ settings: { confirmRevocations } });
  const issued = await logIn(auth);
  await logIn(auth);
  auth.events.length = 0;
  return issued;
}

const confirmations = () => eventsOf(auth, "revocation_confirmed").map(({ by }) => by);

describe("the setting confirmRevocations", () => {
  it.each(flows)("decides whether %s is confirmed: %s", async (_, isConfirmed, act) => {
    const result = await act(await start(true), {});
    const expected: readonly Confirmation[] = isConfirmed ? ["acks"] : [];
    expect(confirmations()).toEqual(expected);
    expect(result?.confirmed).toBe(expected[0]);
  });

  it.each(flows)("confirms nothing if it is off: %s", async (_, __, act) => {
    const result = await act(await start(false), {});
    expect(confirmations()).toEqual([]);
    expect(result ?? {}).not.toHaveProperty("confirmed");
  });
});

describe("the option confirmed", () => {
  it.each(flows)("wins over the setting in both directions: %s", async (_, __, act) => {
    const confirmed = await act(await start(false), { confirmed: true });
    expect([confirmed?.confirmed, confirmations()]).toEqual(["acks", ["acks"]]);
    await auth.close();
    await act(await start(true), { confirmed: false });
    expect(confirmations()).toEqual([]);
  });

  it("results in pending if another change has revoked the same before, as nobody waited for that", async () => {
    const issued = await start(false);
    await logout(auth.deps, owner(issued));
    expect(await logout(auth.deps, owner(issued), { confirmed: true })).toMatchObject({
      sessions: 0,
      confirmed: "pending",
    });
  });

  it("results in pending for a repeated change of password, whose first answer was lost", async () => {
    const issued = await start(true);
    const options = { idempotencyKey: "Zk3q9VYb0m5oRkq2nWl7xA" };
    const change = () => changePassword(auth.deps, { ...owner(issued), ...passwords }, options);
    expect([(await change()).confirmed, (await change()).confirmed]).toEqual(["acks", "pending"]);
  });

  it("doesn't wait for a login that replaces a session", async () => {
    const issued = await start(true);
    await issue(auth.deps, issued.user.id, { replaces: owner(issued) });
    expect(confirmations()).toEqual([]);
  });
});
