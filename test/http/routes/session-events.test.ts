import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issue } from "../../../src/flows/sessions/issue.ts";
import { alice, createTestAuth, type TestAuth, type TestAuthOptions } from "../../support/auth.ts";
import { createBrowser } from "../../support/browser.ts";

const path = "/api/auth/session/events/";

let auth: TestAuth;
const start = async (options?: TestAuthOptions) => {
  auth = await createTestAuth(options);
};
beforeEach(() => start());
afterEach(() => auth.close());

const open = (access: string) => auth.send("GET", path, { headers: { Authorization: `Bearer ${access}` } });

/** Reads a stream to its end. */
const readAll = async (response: Response) => (await response.text()).replaceAll(":\n\n", "");

describe("session/events/", () => {
  it("opens a stream with a heartbeat, which no proxy may hold back", async () => {
    const { access } = await auth.logIn();
    const response = await open(access);
    expect([response.status, response.headers.get("Content-Type"), response.headers.get("X-Accel-Buffering")]).toEqual([
      200,
      "text/event-stream; charset=utf-8",
      "no",
    ]);
    expect(response.headers.get("Cache-Control")).toContain("no-store");
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(":\n\n");
    await reader?.cancel();
    expect(auth.deps.sessionStreams.size).toBe(0);
  });

  it("says that and why the session was revoked", async () => {
    const { access, refresh } = await auth.logIn();
    const stream = await open(access);
    const { sessionId } = auth.deps.tokens.verifyRefresh(refresh);
    await auth.deps.flows.revokeSession(sessionId, {});
    expect(await readAll(stream)).toBe(
      `event: session\ndata: {"id":"${sessionId}"}\n\nevent: closed\ndata: {"code":"token_revoked","reason":"revoked"}\n\n`,
    );
    expect(auth.deps.sessionStreams.size).toBe(0);
  });

  it("says that a spent token was used", async () => {
    await auth.close();
    await start({ settings: { reuseInterval: 0 } });
    const { access, refresh } = await auth.logIn();
    const stream = await open(access);
    await auth.send("POST", "/api/token/refresh/", { body: { refresh } });
    auth.clock.advance(2);
    expect((await auth.send("POST", "/api/token/refresh/", { body: { refresh } })).status).toBe(401);
    expect(await readAll(stream)).toContain('"reason":"reuse"');
  });

  it("says that the user was disabled, to a browser with cookies", async () => {
    const browser = createBrowser(auth);
    await browser.logIn();
    const stream = await browser.send("GET", path);
    expect(stream.status).toBe(200);
    await auth.deps.flows.disableUser(auth.user.id);
    expect(await readAll(stream)).toContain('"reason":"user_disabled"');
  });

  it("outlives a refresh of the session, and leaves other sessions alone", async () => {
    const [one, other] = [await auth.logIn(), await auth.logIn()];
    const streams = [await open(one.access), await open(other.access)] as const;
    await auth.send("POST", "/api/token/refresh/", { body: { refresh: one.refresh } });
    await auth.deps.flows.revokeSession(auth.deps.tokens.verifyRefresh(other.refresh).sessionId, {});
    expect(await readAll(streams[1])).toContain("revoked");
    expect(auth.deps.sessionStreams.size).toBe(1);
    await streams[0].body?.cancel();
  });

  it("keeps nothing of a stream that its client has closed", async () => {
    let { access, refresh } = await auth.logIn();
    for (let n = 0; n < 3; n++) {
      const stream = await open(access);
      expect(auth.signals.size).toBe(3);
      await stream.body?.cancel();
      expect(auth.signals.size).toBe(0);
      const next = await auth.send("POST", "/api/token/refresh/", { body: { refresh } });
      ({ access, refresh } = (await next.json()) as { access: string; refresh: string });
    }
    await auth.send("HEAD", path, { headers: { Authorization: `Bearer ${access}` } });
    expect(auth.signals.size).toBe(0);
  });

  it("refuses requests without a login, and those whose session is over", async () => {
    expect((await auth.send("GET", path)).status).toBe(401);
    const { access, refresh } = await auth.logIn();
    await auth.deps.flows.revokeSession(auth.deps.tokens.verifyRefresh(refresh).sessionId, {});
    expect((await open(access)).status).toBe(401);
  });

  it("limits the streams of a session to 10", async () => {
    const { access } = await auth.logIn();
    const streams: Response[] = [];
    for (let n = 0; n < 10; n++) streams.push(await open(access));
    expect(streams.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const refused = await open(access);
    expect([refused.status, refused.headers.get("Retry-After")]).toEqual([429, "5"]);
    await streams[0]?.body?.cancel();
    const next = await open(access);
    expect(next.status).toBe(200);
    for (const { body } of [...streams.slice(1), next]) await body?.cancel();
  });

  it("limits the streams of a node to maxSessionStreams", async () => {
    await auth.close();
    await start({ settings: { maxSessionStreams: 1 } });
    const [one, other] = [await auth.logIn(), await auth.logIn()];
    const stream = await open(one.access);
    expect((await open(other.access)).status).toBe(429);
    await stream.body?.cancel();
  });

  it("answers 404 if maxSessionStreams is 0", async () => {
    await auth.close();
    await start({ settings: { maxSessionStreams: 0 } });
    const { access } = await auth.logIn();
    expect((await open(access)).status).toBe(404);
  });

  it("ends every stream when the node stops, so that pages connect to another one", async () => {
    const { access } = await auth.logIn();
    const stream = await open(access);
    auth.deps.sessionStreams.stop();
    expect(await readAll(stream)).toContain('{"code":"unavailable","reason":null}');
    expect((await open(access)).status).toBe(503);
  });
});

describe("activity/", () => {
  it("lists what happened to the user's account, without what it knows of the staff", async () => {
    const browser = createBrowser(auth);
    await auth.send("POST", "/api/token/", { body: { ...alice, password: "wrong" } });
    await browser.logIn();
    const staff = { actor: "staff/ada", note: "a planted note", ip: "198.51.100.9", userAgent: "planted/1" };
    await auth.deps.flows.disableUser(auth.user.id, { client: staff });
    await auth.deps.flows.enableUser(auth.user.id, { client: staff });
    await issue(auth.deps, auth.user.id, { actor: "staff/ada", client: staff });
    await auth.deps.flows.login(alice, { client: { ip: "192.0.2.1", userAgent: "own/1" } });
    await browser.logIn();
    await auth.auditQueue.stop();
    const response = await browser.send("GET", "/api/auth/activity/");
    expect(response.status).toBe(200);
    const text = await response.text();
    const { events } = JSON.parse(text) as { events: Record<string, unknown>[] };
    expect(events.map(({ type, detail, by_other: byOther }) => [type, detail, byOther])).toEqual(
      expect.arrayContaining([
        ["login", null, false],
        ["login_failed", null, false],
        ["user_changed", "disabled", true],
        ["user_changed", "enabled", true],
      ]),
    );
    expect(events.map(({ id }) => id)).toEqual(events.map(({ id }) => id).sort((a, b) => Number(b) - Number(a)));
    expect(events.filter(({ current }) => current).map(({ type }) => type)).toContain("login");
    expect(text).not.toMatch(/planted|staff\/ada|198\.51/);
    expect(events).toContainEqual(expect.objectContaining({ ip: "192.0.2.1", user_agent: "own/1", by_other: false }));
  });

  it("hides the device of a request that another actor may have sent: its entry doesn't name the actor", async () => {
    const client = { ip: "198.51.100.9", userAgent: "planted/1" };
    const { user, deps } = auth;
    const { pair, session } = await issue(deps, user.id, { actor: "staff/ada", client });
    const headers = { Cookie: `__Secure-refresh=${pair.refresh}`, "User-Agent": client.userAgent };
    expect((await auth.send("POST", "/api/auth/refresh/", { headers })).status).toBe(403);
    const lost = { type: "refresh", time: 0, userId: user.id, sessionId: session.id, client } as const;
    deps.emit({ ...lost, outcome: "refused" });
    deps.emit({ ...lost, outcome: "state_lost" });
    const ada = await deps.flows.createUser({ username: "ada", password: alice.password });
    await issue(deps, ada.id, { replaces: { userId: user.id, sessionId: session.id }, client });
    await auth.auditQueue.stop();
    const { access } = await auth.logIn();
    const response = await auth.send("GET", "/api/auth/activity/", { headers: { Authorization: `Bearer ${access}` } });
    const text = await response.text();
    const { events } = JSON.parse(text) as { events: { type: string; detail: string | null }[] };
    expect(events.map(({ type, detail }) => `${type} ${detail}`)).toEqual(
      expect.arrayContaining([
        "csrf_refused null",
        "refresh refused",
        "refresh state_lost",
        "sessions_revoked replaced",
      ]),
    );
    expect(text).not.toMatch(/planted|198\.51/);
  });

  it("shows nothing of another user", async () => {
    await auth.deps.flows.createUser({ username: "bob", password: alice.password });
    const bob = { username: "bob", password: alice.password };
    const { access } = (await (await auth.send("POST", "/api/token/", { body: bob })).json()) as { access: string };
    await auth.logIn();
    const headers = { Authorization: `Bearer ${access}` };
    const { events } = (await (await auth.send("GET", "/api/auth/activity/", { headers })).json()) as {
      events: { type: string; detail: string }[];
    };
    expect(events.filter(({ type }) => type === "login")).toHaveLength(1);
    expect((await auth.send("GET", "/api/auth/activity/")).status).toBe(401);
  });
});
