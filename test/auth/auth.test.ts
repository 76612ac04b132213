import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Auth, AuthError, LogoutOptions } from "../../src/index.ts";
import { type AuthNode, addUser, bearer, refused, startNode, startTwoNodes } from "./node.ts";

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
    const { user, session, access, refresh, device, ...lifetimes } = await auth.issue(userId, {
      client: { ip: "192.0.2.7" },
    });
    expect(user).toMatchObject({ id: userId, username: "ada" });
    expect(session).toMatchObject({ userId, ip: "192.0.2.7" });
    expect(lifetimes).toEqual({ accessExpiresIn: 1_800, refreshExpiresIn: 2_592_000 });
    expect(device).toEqual(expect.any(String));
    expect(await auth.authenticate(bearer(access))).toMatchObject({ userId, sessionId: session.id });
    expect(await auth.verify(refresh)).toMatchObject({ type: "refresh", sessionId: session.id });
    expect(await auth.sessions.list(userId)).toEqual([session]);
  });

  it("issues no session to an unknown or disabled user", async () => {
    await expect(auth.issue("999")).rejects.toEqual(refused("no_active_account"));
    await auth.users.disable(userId);
    await expect(auth.issue(userId)).rejects.toEqual(refused("no_active_account"));
    await auth.users.enable(userId);
    expect((await auth.issue(userId)).user.id).toBe(userId);
  });

  it("returns the same successor for a spent refresh token within the reuse interval, and calls that a replay", async () => {
    const { refresh, session } = await auth.issue(userId);
    const next = await auth.refresh(refresh);
    expect(next).toMatchObject({ replayed: false, session: { id: session.id } });
    expect(await auth.refresh(refresh)).toMatchObject({ replayed: true, refresh: next.refresh });
  });

  it("logs out by refresh token or by owner, and with a scope the user's other sessions or all of them", async () => {
    const one = await auth.issue(userId);
    await auth.logout(one.refresh);
    await expect(auth.logout(one.refresh)).rejects.toEqual(refused("token_revoked"));
    const [two, three] = [await auth.issue(userId), await auth.issue(userId)];
    await auth.logout({ sessionId: two.session.id, userId }, { scope: "others" });
    expect((await auth.sessions.list(userId)).map(({ id }) => id)).toEqual([two.session.id]);
    await expect(auth.authenticate(bearer(three.access))).rejects.toEqual(refused("token_revoked"));
    await auth.logout({ sessionId: two.session.id, userId }, { scope: "all" });
    expect(await auth.sessions.list(userId)).toEqual([]);
  });

  it.each<[options: unknown, message: string]>([
    ["others", 'logout: the options must be an object such as { scope, client, confirmed }, got "others"'],
    [null, "logout: the options must be an object such as { scope, client, confirmed }, got null"],
    [{ scop: "others" }, "logout: scop is not an option. Did you mean scope?"],
    [{ scope: "other" }, 'logout: scope must be one of "local", "others", "all", got "other"'],
  ])("revokes nothing if logout gets the options %j", async (options, message) => {
    const { session, refresh } = await auth.issue(userId);
    for (const subject of [{ sessionId: session.id, userId }, refresh]) {
      await expect(auth.logout(subject, options as LogoutOptions)).rejects.toThrow(new TypeError(message));
    }
    expect(await auth.sessions.list(userId)).toEqual([session]);
  });

  it("revokes one access token by its id while the session continues", async () => {
    const { access, refresh } = await auth.issue(userId);
    const { tokenId } = await auth.authenticate(bearer(access));
    await auth.revokeToken(tokenId);
    await expect(auth.authenticate(bearer(access))).rejects.toEqual(refused("token_revoked"));
    const next = await auth.refresh(refresh);
    expect(await auth.authenticate(bearer(next.access))).toMatchObject({ userId });
  });

  it("changes a password only with the current one, and returns a new pair for the same session", async () => {
    await auth.users.setPassword(userId, "analytical engine");
    const { session } = await auth.login({ username: "ADA", password: "analytical engine" });
    const change = { userId, sessionId: session.id, newPassword: "difference engine" };
    await expect(auth.changePassword({ ...change, currentPassword: "?" })).rejects.toEqual(refused("wrong_password"));
    const { access } = await auth.changePassword({ ...change, currentPassword: "analytical engine" });
    expect(await auth.authenticate(bearer(access))).toMatchObject({ sessionId: session.id });
    expect((await auth.login({ username: "ada", password: "difference engine" })).user.id).toBe(userId);
  });
});

describe("two nodes over one SQLite file", () => {
  it("refuse an access token that the other node has logged out, once they have read the revocation", async () => {
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
      await expect.poll(askThere).toBe("token_revoked");
    } finally {
      await close();
    }
  });

  it("serve one session: each node knows at once what the other has rotated or revoked", async () => {
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
