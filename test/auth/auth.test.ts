import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Auth, AuthError, AuthEvent } from "../../src/index.ts";
import { type AuthNode, addUser, bearer, startNode, startTwoNodes } from "./node.ts";

const refused = (code: string) => expect.objectContaining({ name: "AuthError", code });

describe("an Auth", () => {
  let node: AuthNode;
  let auth: Auth;
  let userId: string;

  beforeEach(async () => {
    node = await startNode();
    ({ auth } = node);
    userId = await addUser(auth);
  });
  afterEach(() => node.close());

  it("issues a session to a user whom the application has authenticated", async () => {
    const { user, session, access, refresh, ...lifetimes } = await auth.issue(userId, { client: { ip: "192.0.2.7" } });
    expect(user).toMatchObject({ id: userId, username: "ada" });
    expect(session).toMatchObject({ userId, ip: "192.0.2.7" });
    expect(lifetimes).toEqual({ accessExpiresIn: 1_800, refreshExpiresIn: 2_592_000 });
    expect(await auth.authenticate(bearer(access))).toMatchObject({ userId, sessionId: session.id });
    expect(await auth.verify(refresh)).toMatchObject({ type: "refresh", sessionId: session.id });
    expect(await auth.sessions.list(userId)).toEqual([session]);
  });

  it("tells listeners once of a request by cookie without a CSRF token, whether it was asked to prove or to admit", async () => {
    const { access, session } = await auth.issue(userId);
    const headers = { cookie: `__Host-Http-access=${access}`, "user-agent": "Firefox" };
    const events: AuthEvent[] = [];
    const stop = auth.on((event) => events.push(event));
    await expect(auth.authenticate(headers, { method: "POST" })).rejects.toEqual(refused("csrf_failed"));
    expect(await auth.admit(headers, { method: "POST" })).toMatchObject({ admitted: false });
    stop();
    await auth.admit(headers, { method: "POST" });
    const event = { type: "csrf_refused", userId, sessionId: session.id, client: { userAgent: "Firefox" } };
    expect(events).toMatchObject([event, event]);
  });

  it("issues none to nobody, nor to a user who is disabled", async () => {
    await expect(auth.issue("999")).rejects.toEqual(refused("no_active_account"));
    await auth.users.disable(userId);
    await expect(auth.issue(userId)).rejects.toEqual(refused("no_active_account"));
    await auth.users.enable(userId);
    expect((await auth.issue(userId)).user.id).toBe(userId);
  });

  it("refreshes, and says whether it was a replay", async () => {
    const { refresh, session } = await auth.issue(userId);
    const next = await auth.refresh(refresh);
    expect(next).toMatchObject({ replayed: false, session: { id: session.id } });
    expect(await auth.refresh(refresh)).toMatchObject({ replayed: true, refresh: next.refresh });
  });

  it("ends a session by its refresh token or by its owner, and with a scope the others or all", async () => {
    const one = await auth.issue(userId);
    await auth.logout(one.refresh);
    await expect(auth.logout(one.refresh)).rejects.toEqual(refused("token_revoked"));
    const [two, three] = [await auth.issue(userId), await auth.issue(userId)];
    await auth.logout({ sessionId: two.session.id, userId }, "others");
    expect((await auth.sessions.list(userId)).map(({ id }) => id)).toEqual([two.session.id]);
    await expect(auth.authenticate(bearer(three.access))).rejects.toEqual(refused("token_revoked"));
    await auth.logout({ sessionId: two.session.id, userId }, "all");
    expect(await auth.sessions.list(userId)).toEqual([]);
  });

  it("revokes one access token by its id, and leaves the session", async () => {
    const { access, refresh } = await auth.issue(userId);
    const { tokenId } = await auth.authenticate(bearer(access));
    await auth.revokeToken(tokenId);
    await expect(auth.authenticate(bearer(access))).rejects.toEqual(refused("token_revoked"));
    const next = await auth.refresh(refresh);
    expect(await auth.authenticate(bearer(next.access))).toMatchObject({ userId });
  });

  it("changes a password by the one before", async () => {
    await auth.users.setPassword(userId, "analytical engine");
    const { session } = await auth.login({ username: "ADA", password: "analytical engine" });
    const change = { userId, sessionId: session.id, newPassword: "difference engine" };
    await expect(auth.changePassword({ ...change, currentPassword: "?" })).rejects.toEqual(refused("wrong_password"));
    const { access } = await auth.changePassword({ ...change, currentPassword: "analytical engine" });
    expect(await auth.authenticate(bearer(access))).toMatchObject({ sessionId: session.id });
    expect((await auth.login({ username: "ada", password: "difference engine" })).user.id).toBe(userId);
  });

  it("admits a request, or says with which response to refuse it", async () => {
    const { access } = await auth.issue(userId);
    // Without a promise, where memory is enough.
    expect(auth.admit(bearer(access), { method: "POST" })).toMatchObject({
      admitted: true,
      authentication: { userId },
    });
    const refusal = await auth.admit(bearer("garbage"));
    if (refusal.admitted) throw new Error("admitted");
    expect(refusal.response.status).toBe(401);
    expect(refusal.response.headers.get("WWW-Authenticate")).toBe('Bearer realm="api", error="invalid_token"');
  });

  it("names a session, ends it, and ends them all", async () => {
    const { session } = await auth.issue(userId);
    const owner = { sessionId: session.id, userId };
    expect((await auth.sessions.label(owner, "kitchen")).label).toBe("kitchen");
    await expect(auth.sessions.end(session.id, "999")).rejects.toEqual(refused("session_not_found"));
    await auth.sessions.end(session.id, userId);
    await auth.issue(userId);
    expect(await auth.sessions.endAllOf(userId)).toMatchObject({ sessions: 1 });
    await auth.issue(userId);
    expect(await auth.sessions.endAll()).toMatchObject({ sessions: 1 });
  });

  it("knows which paths are its own", () => {
    expect(["/api/token", "/api/auth/me/", "/api/orders"].map(auth.handles)).toEqual([true, true, false]);
  });
});

describe("two Auths over one SQLite file", () => {
  it("honour each other's logouts within a second", async () => {
    const { nodes, close } = await startTwoNodes();
    const [here, there] = nodes;
    try {
      const userId = await addUser(here);
      const { access, session } = await here.issue(userId);
      expect(await there.authenticate(bearer(access))).toMatchObject({ userId });
      await here.logout({ sessionId: session.id, userId });
      await expect(here.authenticate(bearer(access))).rejects.toEqual(refused("token_revoked"));
      const askThere = () =>
        there.authenticate(bearer(access)).then(
          () => "accepted",
          (error: AuthError) => error.code,
        );
      await expect.poll(askThere, { timeout: 1_000, interval: 20 }).toBe("token_revoked");
    } finally {
      await close();
    }
  });

  it("serve one session: what one has rotated the other knows at once", async () => {
    const { nodes, close } = await startTwoNodes();
    const [here, there] = nodes;
    try {
      const { refresh } = await here.issue(await addUser(here));
      const next = await here.refresh(refresh);
      expect(await there.refresh(refresh)).toMatchObject({ replayed: true, refresh: next.refresh });
      await there.logout(refresh);
      await expect(here.refresh(next.refresh ?? "")).rejects.toEqual(refused("token_revoked"));
    } finally {
      await close();
    }
  });
});
