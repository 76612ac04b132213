import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alice, createTestAuth, type TestAuth, testStart } from "../../../support/auth.ts";
import { type Browser, createBrowser, ownOrigin } from "../../../support/browser.ts";

let auth: TestAuth;
let browser: Browser;

beforeEach(async () => {
  auth = await createTestAuth();
  browser = createBrowser(auth);
});
afterEach(() => auth.close());

const login = (body: unknown = alice, headers?: Record<string, string | null>) =>
  browser.post("/api/auth/login/", body, headers);

describe("a login", () => {
  it("answers a login by cookie with the user, the session and the lifetimes, and no token", async () => {
    await browser.get("/api/auth/csrf/");
    const response = await login();
    expect(response.status).toBe(200);
    const body = (await response.json()) as { session: { id: string } };
    expect(body).toEqual({
      user: { id: auth.user.id, username: "alice" },
      session: { id: body.session.id },
      access_expires_in: 1_800,
      refresh_expires_in: 2_592_000,
    });
    expect(await browser.isLoggedIn()).toBe(true);
  });

  it("sets the three cookies of the session and the device cookie, byte for byte", async () => {
    await browser.get("/api/auth/csrf/");
    const cookies = (await login()).headers.getSetCookie();
    const names = ["__Host-Http-access", "__Secure-refresh", "__Host-csrftoken", "__Secure-device"];
    const [access, refresh, csrf, device] = names.map(browser.cookie);
    expect(cookies).toEqual([
      `__Host-Http-access=${access}; Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax`,
      `__Secure-refresh=${refresh}; Max-Age=2592000; Path=/api/auth; Secure; HttpOnly; SameSite=Strict`,
      `__Host-csrftoken=${csrf}; Max-Age=2592000; Path=/; Secure; SameSite=Lax`,
      `__Secure-device=${device}; Max-Age=34560000; Path=/api/auth; Secure; HttpOnly; SameSite=Strict`,
    ]);
  });

  it("sets cookies that end with the browser if remember is false, also after a refresh", async () => {
    await browser.logIn({ remember: false });
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    expect(await browser.isLoggedIn()).toBe(true);
    browser.restart();
    expect([browser.cookieNames(), browser.cookie("__Secure-device")]).toEqual([[], undefined]);
  });

  it("remembers a login by default, so that the browser refreshes after a restart", async () => {
    await browser.logIn();
    browser.restart();
    auth.clock.advance(10 * 86_400);
    expect(await browser.isLoggedIn()).toBe(false);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    // The moved clock has made the feed stale, and a request waits only half a second for a read of it.
    await expect.poll(() => auth.deps.feed.whenFresh()).toBe(true);
    expect(await browser.isLoggedIn()).toBe(true);
  });

  it("answers 400 to an invalid field of a login", async () => {
    await browser.get("/api/auth/csrf/");
    const response = await login({ username: "alice", password: "x", remember: "yes" });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ remember: ["Must be a valid boolean."] });
  });

  it("answers 401 to a wrong password, sets no cookie and keeps the browser's session", async () => {
    await browser.logIn();
    const before = browser.cookie("__Secure-refresh");
    const response = await login({ ...alice, password: "wrong" });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({
      detail: "No active account found with the given credentials",
      code: "no_active_account",
    });
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(browser.cookie("__Secure-refresh")).toBe(before);
    expect(await browser.isLoggedIn()).toBe(true);
  });

  it("revokes the session that this browser had, and no other", async () => {
    const other = createBrowser(auth);
    await other.logIn();
    const first = await browser.logIn();
    const oldAccess = browser.cookie("__Host-Http-access");
    const second = await browser.logIn();
    expect(second.sessionId).not.toBe(first.sessionId);
    const found = await auth.store.sessions.find(first.sessionId);
    expect(found?.session.revokeReason).toBe("replaced");
    const asBefore = { Cookie: `__Host-Http-access=${oldAccess}` };
    expect((await auth.send("GET", "/api/auth/me/", { headers: asBefore })).status).toBe(401);
    expect(await browser.isLoggedIn()).toBe(true);
    expect(await other.isLoggedIn()).toBe(true);
  });

  it("revokes the earlier session even if only its refresh cookie is left", async () => {
    const { sessionId } = await browser.logIn();
    browser.deleteCookie("__Host-Http-access");
    await browser.logIn();
    expect((await auth.store.sessions.find(sessionId))?.session.revokeReason).toBe("replaced");
  });

  it("accepts a CSRF token from before a login although a revoked session's cookies are still there", async () => {
    await browser.get("/api/auth/csrf/");
    const anonymous = browser.cookie("__Host-csrftoken") ?? "";
    const { sessionId } = await browser.logIn();
    await auth.store.sessions.revoke(sessionId, "revoked");
    browser.setCookie("__Host-csrftoken", anonymous);
    expect((await login()).status).toBe(200);
  });
});

describe("login CSRF: another site logs its victim in as the attacker", () => {
  const expectRefused = async (response: Response, reason: string) => {
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({ detail: `CSRF Failed: ${reason}`, code: "csrf_failed" });
    expect(response.headers.getSetCookie()).toEqual([]);
  };

  it("refuses a login without a CSRF token", async () => {
    await expectRefused(await login(), "CSRF token missing.");
  });

  it("refuses a login without CSRF token, Sec-Fetch-Site and Origin, and accepts it with the token alone", async () => {
    await browser.get("/api/auth/csrf/");
    const headers = { "Sec-Fetch-Site": null, Origin: null, "X-CSRFToken": null };
    await expectRefused(await login(alice, headers), "CSRF token missing.");
    const { "X-CSRFToken": _, ...withToken } = headers;
    expect((await login(alice, withToken)).status).toBe(200);
  });

  it("refuses a login with a CSRF token that is not in the cookie", async () => {
    await browser.get("/api/auth/csrf/");
    const foreign = createBrowser(auth);
    await foreign.get("/api/auth/csrf/");
    const headers = { "X-CSRFToken": foreign.cookie("__Host-csrftoken") ?? "" };
    await expectRefused(await login(alice, headers), "CSRF token does not match the cookie.");
  });

  it("refuses a login with a CSRF token but no CSRF cookie, and says that the browser may block cookies", async () => {
    await expectRefused(
      await login(alice, { "X-CSRFToken": "a.b" }),
      "CSRF cookie not set. Get it from csrf/ first. If you did, the browser blocks this site's cookies.",
    );
  });

  it("refuses a login with an invented CSRF token in header and cookie", async () => {
    browser.setCookie("__Host-csrftoken", "a.b");
    await expectRefused(await login(), "CSRF token does not belong to this session.");
  });

  it("refuses a login with the CSRF token of another browser's session", async () => {
    const attacker = createBrowser(auth);
    await attacker.logIn();
    browser.setCookie("__Host-csrftoken", attacker.cookie("__Host-csrftoken") ?? "");
    await expectRefused(await login(), "CSRF token does not belong to this session.");
  });

  it("refuses a login from another site, a subdomain or a sandboxed page, even with the CSRF token", async () => {
    await browser.get("/api/auth/csrf/");
    for (const headers of [
      { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" },
      { "Sec-Fetch-Site": "same-site", Origin: "https://blog.auth.example" },
      { "Sec-Fetch-Site": "cross-site", Origin: "null" },
      { "Sec-Fetch-Site": null, Origin: "null" },
      { "Sec-Fetch-Site": null, Origin: "https://evil.example" },
    ]) {
      await expectRefused(await login(alice, headers), "Origin checking failed.");
    }
  });

  it("refuses a form without the CSRF token in a field, which another site can't know", async () => {
    await browser.get("/api/auth/csrf/");
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    await expectRefused(
      await login(new URLSearchParams(alice).toString(), type),
      "CSRF token does not match the cookie.",
    );
  });

  it("answers 415 to a login as a form with files, and as JSON that a form sends as text/plain", async () => {
    await browser.get("/api/auth/csrf/");
    for (const type of ["multipart/form-data", "text/plain", "text/json"]) {
      const response = await login(JSON.stringify(alice), { "Content-Type": type });
      expect(response.status).toBe(415);
      expect(await response.json()).toEqual({ detail: `Unsupported media type "${type}" in request.` });
    }
  });

  it("checks a login in the order of the contract: cookies, origin, body, token", async () => {
    const all = {
      Cookie: "__Host-csrftoken=a; __Host-csrftoken=b",
      Origin: "https://evil.example",
      "Sec-Fetch-Site": "cross-site",
      "Content-Type": "text/plain",
    };
    await expectRefused(await login("{}", all), "Two cookies have the same name.");
    await expectRefused(await login("{}", { ...all, Cookie: null }), "Origin checking failed.");
    const own = { Origin: ownOrigin, "Sec-Fetch-Site": "same-origin" };
    expect((await login("{}", { ...all, ...own, Cookie: null })).status).toBe(415);
    await expectRefused(await login(alice, { Cookie: null }), "CSRF token missing.");
  });
});

it("logs in with cookies that have no prefix and no Secure if insecureCookies is on", async () => {
  const insecure = await createTestAuth({ settings: { insecureCookies: true } });
  const csrf = await insecure.send("GET", "/api/auth/csrf/");
  const [csrfCookie = ""] = csrf.headers.getSetCookie();
  const { csrf_token: token } = (await csrf.json()) as { csrf_token: string };
  expect(csrfCookie).toBe(`csrftoken=${token}; Path=/; SameSite=Lax`);
  const headers = { Cookie: `csrftoken=${token}`, "X-CSRFToken": token, Origin: "https://auth.example" };
  const login = await insecure.send("POST", "/api/auth/login/", { headers, body: alice });
  const [access = "", refresh] = login.headers.getSetCookie();
  expect(access).toMatch(/^access=eyJ[^;]+; Max-Age=1800; Path=\/; HttpOnly; SameSite=Lax$/);
  expect(refresh).toMatch(/^refresh=eyJ[^;]+; Max-Age=2592000; Path=\/api\/auth; HttpOnly; SameSite=Strict$/);
  const me = await insecure.send("GET", "/api/auth/me/", { headers: { Cookie: access.split(";", 1)[0] ?? "" } });
  expect(await me.json()).toMatchObject({ username: "alice", session: { created_at: testStart } });
  await insecure.close();
});
