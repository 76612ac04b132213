import { afterEach, describe, expect, it, vi } from "vitest";
import type { Auth } from "../../src/index.ts";
import { type AuthNode, addUser, bearer, type NodeOptions, refused, startNode } from "./node.ts";

let node: AuthNode | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await node?.close();
  node = undefined;
});

async function start(options: NodeOptions = {}): Promise<{ readonly auth: Auth; readonly userId: string }> {
  node = await startNode(options);
  return { auth: node.auth, userId: await addUser(node.auth) };
}

/** Returns the values of cookies by name, as a browser has them after these `Set-Cookie` headers. */
function toJar(cookies: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    cookies
      .filter((cookie) => !cookie.includes("Max-Age=0"))
      .map((cookie) => cookie.split(";", 1)[0]?.split("=") ?? []),
  );
}

const toHeader = (jar: Record<string, string>) =>
  Object.entries(jar)
    .map(([name, value]) => `${name}=${value}`)
    .join("; ");

/** A request of a browser with these cookies. */
const request = (jar: Record<string, string> = {}, url = "https://app.example.com/callback") =>
  new Request(url, { headers: { Cookie: toHeader(jar), "User-Agent": "Firefox" } });

const names = ["__Host-Http-access", "__Secure-refresh", "__Host-csrftoken", "__Secure-device"];

const post = (auth: Auth, path: string, jar: Record<string, string>, body: object = {}) =>
  auth.fetch(
    new Request(`https://app.example.com${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: {
        "Content-Type": "application/json",
        "Sec-Fetch-Site": "same-origin",
        Cookie: toHeader(jar),
        "X-CSRFToken": jar["__Host-csrftoken"] ?? "",
      },
    }),
  );

describe("auth.startSession", () => {
  it("gives a browser a session with four cookies, which it can refresh and log out", async () => {
    const { auth, userId } = await start();
    const started = await auth.startSession(request(), userId, { amr: ["hwk", "user"] });
    const jar = toJar(started.cookies);
    expect(Object.keys(jar)).toEqual(names);
    expect(started.cookies[0]).toMatch(/; Max-Age=1800; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
    expect(started).toMatchObject({
      user: { id: userId },
      access: jar["__Host-Http-access"],
      device: jar["__Secure-device"],
    });
    expect(await auth.authenticate(request(jar))).toMatchObject({ userId, amr: ["hwk", "user"] });
    const refreshed = await post(auth, "/api/auth/refresh/", jar);
    expect(refreshed.status).toBe(200);
    const next = { ...jar, ...toJar(refreshed.headers.getSetCookie()) };
    expect((await post(auth, "/api/auth/logout/", next)).status).toBe(200);
    expect(await auth.sessions.list(userId)).toEqual([]);
  });

  it("revokes the session that the browser had, even another user's", async () => {
    const { auth, userId } = await start();
    const other = await addUser(auth, "bob");
    const jar = toJar((await auth.startSession(request(), other)).cookies);
    await auth.startSession(request(jar), userId);
    expect(await auth.sessions.list(other)).toEqual([]);
    expect(await auth.sessions.list(userId)).toHaveLength(1);
  });

  it("revokes no session if another host may have set one of the cookies", async () => {
    const { auth, userId } = await start();
    const { access } = await auth.issue(userId);
    const headers = { Cookie: `__Host-Http-access=${access}; __Host-Http-access=x` };
    await auth.startSession(new Request("https://app.example.com/", { headers }), userId);
    expect(await auth.sessions.list(userId)).toHaveLength(2);
  });

  it("revokes no session for cookies that aren't genuine", async () => {
    const { auth, userId } = await start();
    await auth.issue(userId);
    await auth.startSession(request({ "__Host-Http-access": "a.b.c", "__Secure-refresh": "a.b.c" }), userId);
    expect(await auth.sessions.list(userId)).toHaveLength(2);
  });

  it("records the client of the request, and what the caller knows better", async () => {
    const { auth, userId } = await start({ trustedProxies: ["10.0.0.0/8"] });
    const headers = { "user-agent": "Firefox", "x-forwarded-for": "203.0.113.7" };
    await auth.startSession({ headers, method: "GET", socket: { remoteAddress: "10.0.0.1" } }, userId);
    await auth.startSession({ headers }, userId, { connection: { ip: "10.0.0.2" }, client: { userAgent: "app" } });
    const sessions = await auth.sessions.list(userId);
    expect(sessions.map(({ ip, userAgent }) => `${ip} ${userAgent}`).sort()).toEqual([
      "203.0.113.7 Firefox",
      "203.0.113.7 app",
    ]);
  });

  it("sets cookies without Max-Age if the session isn't to be remembered", async () => {
    const { auth, userId } = await start();
    const { cookies } = await auth.startSession(request(), userId, { remember: false });
    expect(cookies.filter((cookie) => cookie.includes("Max-Age"))).toEqual([]);
  });

  it("makes the device of an actor none of the user's", async () => {
    const { auth, userId } = await start();
    const started = await auth.startSession(request(), userId, { actor: "support/bob" });
    expect(Object.keys(toJar(started.cookies))).toEqual(names.slice(0, 3));
    expect(started).not.toHaveProperty("device");
  });

  it("makes the device known, so that failed logins elsewhere don't lock the user out there", async () => {
    const { auth } = await start({ maxLoginFailures: 10, accountFailuresBeforeDelay: 0, loginFailuresBeforeDelay: 0 });
    const { id } = await auth.users.create({ username: "carol", password: "correct horse battery" });
    const { device } = await auth.startSession(request(), id);
    const login = (password: string, more = {}) => auth.login({ username: "carol", password }, more);
    for (let n = 0; n < 9; n++) await expect(login("wrong")).rejects.toThrow();
    await expect(login("correct horse battery")).rejects.toMatchObject({ code: "throttled" });
    expect(await login("correct horse battery", { device })).toMatchObject({ user: { id } });
  });

  it("starts no session if its tokens would be too long for cookies", async () => {
    const { auth, userId } = await start({ claims: () => ({ text: "x".repeat(3_200) }), onError: () => {} });
    await expect(auth.startSession(request(), userId)).rejects.toEqual(refused("unavailable"));
    expect(await auth.sessions.list(userId)).toEqual([]);
    expect((await auth.issue(userId)).user.id).toBe(userId);
  });

  it("gives a browser at localhost development cookies in development", async () => {
    vi.stubEnv("NODE_ENV", "development");
    const { auth, userId } = await start();
    const local = { headers: { host: "localhost:3000" }, socket: { remoteAddress: "::1" } };
    const { cookies } = await auth.startSession(local, userId);
    expect(Object.keys(toJar(cookies))).toEqual(["access", "refresh", "csrftoken", "device"]);
    expect(cookies.join()).not.toContain("Secure");
    const again = { ...local, headers: { ...local.headers, cookie: toHeader(toJar(cookies)) } };
    await auth.startSession(again, userId);
    expect(await auth.sessions.list(userId)).toHaveLength(1);
    const { cookies: elsewhere } = await auth.startSession(
      { ...local, socket: { remoteAddress: "192.0.2.1" } },
      userId,
    );
    expect(Object.keys(toJar(elsewhere))).toEqual(names);
  });

  it("refuses an unknown user, and options that it doesn't know", async () => {
    const { auth, userId } = await start();
    await expect(auth.startSession(request(), "999")).rejects.toEqual(refused("no_active_account"));
    const replaces = { sessionId: "x", userId };
    await expect(auth.startSession(request(), userId, { replaces } as never)).rejects.toThrow(
      /^startSession: replaces is not an option/,
    );
  });
});

describe("auth.toSetCookies", () => {
  it("returns the same cookies as the endpoints, for a login and each refresh", async () => {
    const { auth, userId } = await start();
    const issued = await auth.issue(userId);
    const jar = toJar(auth.toSetCookies(issued));
    expect(Object.keys(jar)).toEqual(names);
    const refreshed = await auth.refresh(issued.refresh);
    const replay = await post(auth, "/api/auth/refresh/", jar);
    expect(replay.status).toBe(200);
    const own = toJar(auth.toSetCookies(refreshed));
    expect(Object.keys(own)).toEqual(names.slice(0, 3));
    expect(toJar(replay.headers.getSetCookie())["__Secure-refresh"]).toBe(own["__Secure-refresh"]);
    expect(toJar(replay.headers.getSetCookie())["__Host-csrftoken"]).toBe(own["__Host-csrftoken"]);
  });

  it("returns the access cookie alone if the refresh token stays the same", async () => {
    const { auth, userId } = await start({ rotateRefreshTokens: false });
    const { refresh } = await auth.issue(userId, { remember: false });
    const cookies = auth.toSetCookies(await auth.refresh(refresh));
    expect(cookies).toEqual([
      expect.stringMatching(/^__Host-Http-access=\S+; Path=\/; Secure; HttpOnly; SameSite=Lax$/),
    ]);
  });

  it("returns the access cookie of a confirmation", async () => {
    const { auth, userId } = await start();
    const issued = await auth.issue(userId, { amr: ["pwd"] });
    const confirmed = await auth.confirm({ userId, sessionId: issued.session.id }, { amr: ["otp"] });
    const jar = toJar(auth.toSetCookies(confirmed));
    expect(jar).toEqual({ "__Host-Http-access": confirmed.access });
    expect(await auth.authenticate(request(jar))).toMatchObject({ amr: ["pwd", "otp"] });
  });

  it("returns the device cookie of a login by password", async () => {
    const { auth } = await start();
    await auth.users.create({ username: "carol", password: "correct horse battery" });
    const result = await auth.login({ username: "carol", password: "correct horse battery" });
    expect(toJar(auth.toSetCookies(result))["__Secure-device"]).toBe(result.device);
  });

  it("returns development cookies for the request of a browser at localhost, in development", async () => {
    vi.stubEnv("NODE_ENV", "development");
    const { auth, userId } = await start();
    const local = { headers: { host: "localhost:3000" }, socket: { remoteAddress: "::1" } };
    const issued = await auth.issue(userId);
    expect(Object.keys(toJar(auth.toSetCookies(issued, local)))).toEqual(["access", "refresh", "csrftoken", "device"]);
    expect(Object.keys(toJar(auth.toSetCookies(issued)))).toEqual(names);
    expect(auth.clearedCookies(local)[0]).toBe("access=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax");
  });

  it("refuses tokens that browsers would not keep, and tokens of others", async () => {
    const { auth, userId } = await start({ claims: () => ({ text: "x".repeat(3_200) }) });
    const issued = await auth.issue(userId);
    expect(() => auth.toSetCookies(issued)).toThrow(/^toSetCookies: the access token has \d+ characters/);
    expect(() => auth.toSetCookies({ ...issued, access: "a", refresh: "x".repeat(4_100) })).toThrow(
      /the refresh token/,
    );
    expect(() => auth.toSetCookies({ ...issued, access: "a", refresh: "a.b.c" })).toThrow(/^token_invalid/);
  });
});

describe("auth.clearedCookies", () => {
  it("deletes the three cookies of a session, and keeps the device known", async () => {
    const { auth } = await start();
    expect(auth.clearedCookies()).toEqual([
      "__Host-Http-access=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax",
      "__Secure-refresh=; Max-Age=0; Path=/api/auth; Secure; HttpOnly; SameSite=Strict",
      "__Host-csrftoken=; Max-Age=0; Path=/; Secure; SameSite=Lax",
    ]);
  });
});

describe("auth.csrfToken", () => {
  const logIn = (auth: Auth, jar: Record<string, string>, token: string) =>
    auth.fetch(
      new Request("https://app.example.com/api/auth/login/", {
        method: "POST",
        body: new URLSearchParams({ username: "carol", password: "correct horse battery", csrfmiddlewaretoken: token }),
        headers: { "Sec-Fetch-Site": "same-origin", Cookie: toHeader(jar) },
      }),
    );

  /** What the browser sends to a page of the application: not the refresh cookie, whose path is that of the endpoints. */
  const toPage = ({ "__Secure-refresh": _, "__Secure-device": _device, ...jar }: Record<string, string>) =>
    request(jar);

  it("returns a token for a login form, and the same one to the next page", async () => {
    const { auth } = await start();
    await auth.users.create({ username: "carol", password: "correct horse battery" });
    const { token, cookies } = await auth.csrfToken(request());
    const jar = toJar(cookies);
    expect(jar).toEqual({ "__Host-csrftoken": token });
    expect(await auth.csrfToken(toPage(jar))).toEqual({ token, cookies: [] });
    expect((await logIn(auth, jar, token)).status).toBe(303);
  });

  it("returns the token of a session, also when its access cookie has expired, and a login by it replaces the session", async () => {
    const { auth, userId } = await start();
    await auth.users.create({ username: "carol", password: "correct horse battery" });
    const jar = toJar((await auth.startSession(request(), userId)).cookies);
    const csrf = jar["__Host-csrftoken"];
    expect(await auth.csrfToken(toPage(jar))).toEqual({ token: csrf, cookies: [] });
    const { "__Host-Http-access": _, ...later } = jar;
    const { token, cookies } = await auth.csrfToken(toPage(later));
    expect([token, cookies]).toEqual([csrf, []]);
    // The session can still be refreshed with it.
    expect((await post(auth, "/api/auth/refresh/", later)).status).toBe(200);
    expect((await logIn(auth, later, token)).status).toBe(303);
    expect(await auth.sessions.list(userId)).toEqual([]);
  });

  it("replaces a token that isn't genuine", async () => {
    const { auth } = await start();
    const { token, cookies } = await auth.csrfToken(request({ "__Host-csrftoken": "n.x" }));
    expect(cookies).toHaveLength(1);
    expect(token).not.toBe("n.x");
  });
});

describe("auth.requireCsrfToken", () => {
  const page = "https://app.example.com/sign-up";
  const own = { "Sec-Fetch-Site": "same-origin" };

  /** A request to a page: without the cookies of the endpoints. */
  const toPost = (jar: Record<string, string>, headers: Record<string, string> = own) => {
    const { "__Secure-refresh": _, "__Secure-device": _device, ...sent } = jar;
    return new Request(page, { method: "POST", headers: { ...headers, Cookie: toHeader(sent) } });
  };
  const isRefused = async (auth: Auth, ...args: Parameters<Auth["requireCsrfToken"]>) =>
    expect(auth.requireCsrfToken(...args)).rejects.toEqual(refused("csrf_failed"));
  const isAccepted = async (auth: Auth, ...args: Parameters<Auth["requireCsrfToken"]>) =>
    expect(auth.requireCsrfToken(...args)).resolves.toBeUndefined();

  it("accepts the token of a page in a form's field or in the header, and no other", async () => {
    const { auth } = await start();
    const { token, cookies } = await auth.csrfToken(request());
    const jar = toJar(cookies);
    await isAccepted(auth, toPost(jar), { token });
    await isAccepted(auth, toPost(jar, { ...own, "X-CSRFToken": token }));
    const other = await auth.csrfToken(request());
    await isRefused(auth, toPost(jar), { token: other.token });
    await isRefused(auth, toPost(jar));
    await isRefused(auth, toPost({}), { token });
    await isRefused(auth, toPost({ "__Host-csrftoken": "n.x" }), { token: "n.x" });
  });

  it.each([undefined, null, 7, [], {}])(
    "refuses a field that is %j, also if the header has the token",
    async (field) => {
      const { auth } = await start();
      const { token, cookies } = await auth.csrfToken(request());
      await isRefused(auth, toPost(toJar(cookies), { ...own, "X-CSRFToken": token }), { token: field });
    },
  );

  it("refuses a request of another site, and emits it", async () => {
    const { auth } = await start();
    const types: string[] = [];
    auth.on(({ type }) => types.push(type));
    const { token, cookies } = await auth.csrfToken(request());
    const jar = toJar(cookies);
    await isRefused(auth, toPost(jar, { "Sec-Fetch-Site": "cross-site" }), { token });
    await isRefused(auth, toPost(jar, { Origin: "https://evil.example" }), { token });
    await isRefused(auth, toPost(jar, { Origin: "null" }), { token });
    expect(types).toEqual(["csrf_refused", "csrf_refused", "csrf_refused"]);
  });

  it("accepts the token of the browser's session, and refuses that of another", async () => {
    const { auth, userId } = await start();
    const jar = toJar((await auth.startSession(request(), userId)).cookies);
    const other = toJar((await auth.startSession(request(), userId)).cookies);
    const token = jar["__Host-csrftoken"] ?? "";
    await isAccepted(auth, toPost(jar), { token });
    const mixed = { ...other, "__Host-csrftoken": token };
    await isRefused(auth, toPost(mixed), { token });
  });

  it("accepts the token of a session whose access cookie has expired only if the browser states the origin", async () => {
    const { auth, userId } = await start();
    const { "__Host-Http-access": _, ...later } = toJar((await auth.startSession(request(), userId)).cookies);
    const { token } = await auth.csrfToken(toPost(later));
    await isAccepted(auth, toPost(later), { token });
    await isAccepted(auth, toPost(later, { Origin: "https://app.example.com" }), { token });
    await isRefused(auth, toPost(later, {}), { token });
    await isRefused(auth, toPost(later), { token: "s.x" });
    await isRefused(auth, toPost(later, { "Sec-Fetch-Site": "same-site" }), { token });
  });

  it("refuses two CSRF cookies and unknown options", async () => {
    const { auth } = await start();
    const { token } = await auth.csrfToken(request());
    const twice = new Request(page, {
      method: "POST",
      headers: { ...own, Cookie: `__Host-csrftoken=${token}; __Host-csrftoken=${token}` },
    });
    await isRefused(auth, twice, { token });
    const misspelled = { tokn: token } as object;
    await expect(auth.requireCsrfToken(toPost({}), misspelled)).rejects.toThrow(TypeError);
  });
});

describe("auth.issue", () => {
  it("returns a device token, except for an actor", async () => {
    const { auth, userId } = await start();
    expect((await auth.issue(userId)).device).toEqual(expect.any(String));
    const acting = await auth.issue(userId, { actor: "support/bob" });
    expect(acting).not.toHaveProperty("device");
    expect(await auth.authenticate(bearer(acting.access))).toMatchObject({ actor: "support/bob" });
  });
});
