import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";
import { type Browser, createBrowser, ownOrigin } from "../../support/browser.ts";

let auth: TestAuth;
let browser: Browser;

beforeEach(async () => {
  auth = await createTestAuth();
  browser = createBrowser(auth);
});
afterEach(() => auth.close());

const login = (body: unknown = alice, headers?: Record<string, string | null>) =>
  browser.post("/api/auth/login/", body, headers);

describe("GET csrf", () => {
  it("gives a token and the same in a cookie that scripts may read", async () => {
    const response = await browser.get("/api/auth/csrf/");
    expect(response.status).toBe(200);
    const { csrf_token } = (await response.json()) as { csrf_token: string };
    expect(response.headers.getSetCookie()).toEqual([`__Host-csrftoken=${csrf_token}; Path=/; Secure; SameSite=Lax`]);
  });

  it("gives a good token again, so that one tab does not take it from another", async () => {
    await browser.get("/api/auth/csrf/");
    const before = browser.cookie("__Host-csrftoken");
    await browser.get("/api/auth/csrf/");
    expect(browser.cookie("__Host-csrftoken")).toBe(before);
    await browser.logIn();
    const after = browser.cookie("__Host-csrftoken");
    await browser.get("/api/auth/csrf");
    expect(browser.cookie("__Host-csrftoken")).toBe(after);
    expect(after).not.toBe(before);
  });

  it("gives the session's token to a browser that has lost it, and lets it outlast the browser", async () => {
    await browser.logIn();
    browser.deleteCookie("__Host-csrftoken");
    const response = await browser.get("/api/auth/csrf/");
    expect(response.headers.getSetCookie()).toEqual([expect.stringContaining("Max-Age=2592000")]);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
  });

  it("does not bind a browser to a refresh cookie that a sibling domain may have planted", async () => {
    await browser.logIn();
    browser.deleteCookie("__Host-csrftoken");
    browser.deleteCookie("__Host-Http-access");
    const planted = browser.cookie("__Secure-refresh") ?? "";
    await browser.get("/api/auth/csrf/");
    // It cannot be used, so that the browser is asked to log in instead of being refused for ever.
    expect(browser.cookie("__Secure-refresh")).toBeUndefined();
    browser.setCookie("__Secure-refresh", planted);
    const refused = await browser.post("/api/auth/refresh/");
    expect([refused.status, refused.headers.getSetCookie()]).toEqual([403, []]);
  });

  it("refuses a browser with two cookies of one name, rather than choose a session for it", async () => {
    await browser.logIn();
    const cookie = `__Secure-refresh=${browser.cookie("__Secure-refresh")}`;
    const response = await browser.get("/api/auth/csrf/", { headers: { Cookie: `${cookie}; __Secure-refresh=x` } });
    expect(response.status).toBe(403);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it("replaces a token that was planted", async () => {
    browser.setCookie("__Host-csrftoken", "planted");
    await browser.get("/api/auth/csrf/");
    expect(browser.cookie("__Host-csrftoken")).not.toBe("planted");
  });
});

describe("a login", () => {
  it("answers who it is, and no token", async () => {
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

  it("sets the three cookies of the session and the one of the device, byte for byte", async () => {
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

  it("with remember: false is forgotten when the browser closes, also after a refresh", async () => {
    await browser.logIn({ remember: false });
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    expect(await browser.isLoggedIn()).toBe(true);
    browser.restart();
    expect([browser.cookieNames(), browser.cookie("__Secure-device")]).toEqual([[], undefined]);
  });

  it("is remembered by default, and the browser comes back without a password", async () => {
    await browser.logIn();
    browser.restart();
    auth.clock.advance(10 * 86_400);
    expect(await browser.isLoggedIn()).toBe(false);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    expect(await browser.isLoggedIn()).toBe(true);
  });

  it("checks its fields", async () => {
    await browser.get("/api/auth/csrf/");
    const response = await login({ username: "alice", password: "x", remember: "yes" });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ remember: ["Must be a valid boolean."] });
  });

  it("with a wrong password sets nothing and leaves the session that there was", async () => {
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

  it("ends the session that this browser had, and no other", async () => {
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

  it("ends the earlier session also when only its refresh cookie is left", async () => {
    const { sessionId } = await browser.logIn();
    browser.deleteCookie("__Host-Http-access");
    await browser.logIn();
    expect((await auth.store.sessions.find(sessionId))?.session.revokeReason).toBe("replaced");
  });

  it("works with a token from before, while a dead session's cookies are still there", async () => {
    await browser.get("/api/auth/csrf/");
    const anonymous = browser.cookie("__Host-csrftoken") ?? "";
    const { sessionId } = await browser.logIn();
    await auth.store.sessions.revoke(sessionId, "revoked");
    browser.setCookie("__Host-csrftoken", anonymous);
    expect((await login()).status).toBe(200);
  });
});

describe("login CSRF: a foreign page that logs the victim in as the attacker", () => {
  const expectRefused = async (response: Response, reason: string) => {
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({ detail: `CSRF Failed: ${reason}`, code: "csrf_failed" });
    expect(response.headers.getSetCookie()).toEqual([]);
  };

  it("is refused without a token", async () => {
    await expectRefused(await login(), "CSRF token missing.");
  });

  it("is refused when nothing tells where it comes from and the token is missing: fails closed", async () => {
    await browser.get("/api/auth/csrf/");
    const headers = { "Sec-Fetch-Site": null, Origin: null, "X-CSRFToken": null };
    await expectRefused(await login(alice, headers), "CSRF token missing.");
    const { "X-CSRFToken": _, ...withToken } = headers;
    expect((await login(alice, withToken)).status).toBe(200);
  });

  it("is refused with a token that is not in the cookie", async () => {
    await browser.get("/api/auth/csrf/");
    const foreign = createBrowser(auth);
    await foreign.get("/api/auth/csrf/");
    const headers = { "X-CSRFToken": foreign.cookie("__Host-csrftoken") ?? "" };
    await expectRefused(await login(alice, headers), "CSRF token does not match the cookie.");
  });

  it("is refused with a token and no cookie", async () => {
    await expectRefused(await login(alice, { "X-CSRFToken": "a.b" }), "CSRF cookie not set.");
  });

  it("is refused with an invented pair of header and cookie", async () => {
    browser.setCookie("__Host-csrftoken", "a.b");
    await expectRefused(await login(), "CSRF token does not belong to this session.");
  });

  it("is refused with the token of a session that is not this browser's", async () => {
    const attacker = createBrowser(auth);
    await attacker.logIn();
    browser.setCookie("__Host-csrftoken", attacker.cookie("__Host-csrftoken") ?? "");
    await expectRefused(await login(), "CSRF token does not belong to this session.");
  });

  it("is refused from another site, a sibling subdomain and a sandboxed page, even with the token", async () => {
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

  it("is refused as a form post, and as JSON that a form sends as text/plain", async () => {
    await browser.get("/api/auth/csrf/");
    for (const type of ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "text/json"]) {
      const response = await login(JSON.stringify(alice), { "Content-Type": type });
      expect(response.status).toBe(415);
      expect(await response.json()).toEqual({ detail: `Unsupported media type "${type}" in request.` });
    }
  });

  it("is refused in the order of the contract: cookies, origin, body, token", async () => {
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
