import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issue } from "../../src/flows/issue.ts";
import type { FoundUser } from "../../src/flows/user-source.ts";
import { disableUser, enableUser, setPassword } from "../../src/flows/users.ts";
import { createTestAuth, type TestAuth, testStart } from "../support/auth.ts";
import { expectRefused } from "./flow.ts";

let auth: TestAuth;
let found: FoundUser;

beforeEach(async () => {
  auth = await createTestAuth({
    settings: { accessTokenLifetime: 60, refreshTokenLifetime: 600, sessionLifetime: 900 },
  });
  found = (await auth.deps.users.find(auth.user.id)) as FoundUser;
  auth.events.length = 0;
});
afterEach(() => auth.close());

const liveSessions = async () => (await auth.store.sessions.list({ limit: 10 })).sessions.length;

describe("a session for a user who has been authenticated", () => {
  it("has the configured lifetimes and an id that sorts by time (UUIDv7)", async () => {
    const { session, pair } = await issue(auth.deps, found);
    expect(session).toMatchObject({
      createdAt: testStart,
      idleExpiresAt: testStart + 600,
      absoluteExpiresAt: testStart + 900,
      userAgent: null,
      ip: null,
    });
    expect(session.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(session.id.replace("-", "").slice(0, 12), 16)).toBe(testStart * 1_000);
    expect(pair).toMatchObject({ accessExpiresIn: 60, refreshExpiresIn: 600 });
  });

  it("is reported as a login without an client, where nobody told one", async () => {
    const { session } = await issue(auth.deps, found);
    expect(auth.events).toMatchObject([{ type: "login", userId: auth.user.id, sessionId: session.id, client: {} }]);
  });

  it.each([
    ["disabled", disableUser, "user_inactive"],
    ["given a new password", setPassword, "user_epoch_changed"],
  ] as const)("is refused where the user was %s since", async (_, change, reason) => {
    await change(auth.deps, auth.user.id, "another horse");
    await expectRefused(issue(auth.deps, found), "no_active_account", { reason });
    expect(await liveSessions()).toBe(0);
  });

  it("is refused where the user was disabled and enabled since: what was proved before counts no more", async () => {
    await disableUser(auth.deps, auth.user.id);
    await enableUser(auth.deps, auth.user.id);
    await expectRefused(issue(auth.deps, found), "no_active_account", { reason: "user_epoch_changed" });
  });

  it("is refused where the user is gone, and leaves the session that it would replace", async () => {
    const { session } = await issue(auth.deps, found);
    const nobody = { user: { ...found.user, id: "999" }, epoch: 0 };
    const attempt = issue(auth.deps, nobody, { replaces: session.id });
    await expectRefused(attempt, "no_active_account", { reason: "user_gone" });
    expect(await liveSessions()).toBe(1);
  });
});
