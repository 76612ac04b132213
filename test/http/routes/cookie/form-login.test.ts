import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventsOf } from "../../../flows/flow.ts";
import { alice, createTestAuth, type TestAuth, type TestAuthOptions } from "../../../support/auth.ts";
import { type Browser, createBrowser } from "../../../support/browser.ts";

let auth: TestAuth;
let browser: Browser;

async function start(options: TestAuthOptions = {}): Promise<void> {
  auth = await createTestAuth(options);
  browser = createBrowser(auth);
  await browser.get("/api/auth/csrf/");
}
beforeEach(() => start());
afterEach(() => auth.close());

const form = { "Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": null };

/** Sends a login form as a browser does: the CSRF token is in a field. */
function submit(fields: Readonly<Record<string, string>> = {}, headers: Record<string, string | null> = {}) {
  const token = browser.cookie("__Host-csrftoken") ?? "";
  const body = new URLSearchParams({ ...alice, csrfmiddlewaretoken: token, ...fields }).toString();
  return browser.post("/api/auth/login/", body, { ...form, ...headers });
}

const toTarget = (response: Response) => [response.status, response.headers.get("Location")];
const liveSessions = async () => (await auth.store.sessions.list({ limit: 10 })).sessions.length;

describe("a login by a form", () => {
  it("answers with a redirect to the page that the form names, and sets the four cookies", async () => {
    const response = await submit({ next: "/account?tab=2" });
    expect(toTarget(response)).toEqual([303, "/account?tab=2"]);
    expect(await response.text()).toBe("");
    expect(response.headers.getSetCookie()).toHaveLength(4);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(await browser.isLoggedIn()).toBe(true);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
  });

  it.each(["//evil.example", "/\\evil.example", "javascript:alert(1)", "https://evil.example/", ""])(
    "redirects to the start page if next is %j",
    async (next) => {
      expect(toTarget(await submit({ next }))).toEqual([303, "/"]);
    },
  );

  it("redirects to the start page below publicPath without next", async () => {
    await auth.close();
    await start({ settings: { publicPath: "/shop" } });
    // The proxy has removed the prefix from the path, but the browser sends the cookies of its own path.
    expect(toTarget(await submit())).toEqual([303, "/shop/"]);
  });

  it.each([
    [undefined, false],
    ["on", true],
    ["true", true],
    ["false", false],
  ])("remembers the login if the checkbox has the value %j: %j", async (remember, isRemembered) => {
    const response = await submit(remember === undefined ? {} : { remember });
    const [access] = response.headers.getSetCookie();
    expect(access?.includes("Max-Age")).toBe(isRemembered);
  });

  it("revokes the session that the browser had", async () => {
    await submit();
    expect((await submit()).status).toBe(303);
    expect(await liveSessions()).toBe(1);
  });

  it("doesn't follow a form of another site", async () => {
    const response = await submit({}, { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" });
    expect(response.status).toBe(403);
    expect(await liveSessions()).toBe(0);
  });

  it("needs the CSRF token in the field, and not in the header", async () => {
    const token = browser.cookie("__Host-csrftoken") ?? "";
    const response = await submit({ csrfmiddlewaretoken: "" }, { "X-CSRFToken": token });
    expect([response.status, await response.json()]).toEqual([
      403,
      { detail: "CSRF Failed: CSRF token does not match the cookie.", code: "csrf_failed" },
    ]);
  });

  it("takes no CSRF token from a field of JSON", async () => {
    const csrfmiddlewaretoken = browser.cookie("__Host-csrftoken");
    const body = { ...alice, csrfmiddlewaretoken };
    const response = await browser.post("/api/auth/login/", body, { "X-CSRFToken": null });
    expect(response.status).toBe(403);
  });
});

describe("a login by a form in a browser whose session is over", () => {
  it("succeeds if the refresh token has expired, although the CSRF token is that of the session", async () => {
    await submit();
    auth.clock.advance(auth.deps.settings.refreshTokenLifetime + 1);
    expect(browser.cookie("__Host-csrftoken")).toMatch(/^s/);
    expect(toTarget(await submit({ next: "/account", failed: "/login" }))).toEqual([303, "/account"]);
  });

  it.each([
    ["with the page that the form names", { failed: "/login" }, [303, "/login?error=csrf_failed"]],
    ["with JSON", {}, [403, null]],
  ])("gets a new CSRF token if the session can't be known any more, %s", async (_, fields, target) => {
    await submit({ remember: "on" });
    for (const name of browser.cookieNames()) if (name !== "__Host-csrftoken") browser.deleteCookie(name);
    expect(toTarget(await submit(fields))).toEqual(target);
    expect(browser.cookie("__Host-csrftoken")).toMatch(/^n/);
    expect(eventsOf(auth, "csrf_refused")).toHaveLength(1);
    expect(toTarget(await submit())).toEqual([303, "/"]);
  });

  it.each([
    [{ "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" }],
    [{ "Sec-Fetch-Site": null, Origin: null }],
  ])("gets no new CSRF token by a form that may be another site's: %j", async (headers) => {
    await submit();
    for (const name of browser.cookieNames()) if (name !== "__Host-csrftoken") browser.deleteCookie(name);
    const response = await submit({ failed: "/login" }, headers);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(browser.cookie("__Host-csrftoken")).toMatch(/^s/);
  });

  it("keeps the CSRF token of a live session, although the form has an old one", async () => {
    await submit();
    const response = await submit({ csrfmiddlewaretoken: "n.x", failed: "/login" });
    expect([...toTarget(response), response.headers.getSetCookie()]).toEqual([303, "/login?error=csrf_failed", []]);
    expect(await browser.isLoggedIn()).toBe(true);
  });
});

describe("a login by a form that is refused", () => {
  it("answers with a redirect to the page that the form names for this, with the error's code", async () => {
    const response = await submit({ password: "wrong", failed: "/login?lang=de#form" });
    expect(toTarget(response)).toEqual([303, "/login?lang=de&error=no_active_account#form"]);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it("says when to try again if it is throttled", async () => {
    for (let n = 0; n < 20; n++) await submit({ password: "wrong" });
    const response = await submit({ failed: "/login" });
    expect(toTarget(response)).toEqual([303, "/login?error=throttled&retry_after=5"]);
  });

  it("says that a field is missing", async () => {
    expect(toTarget(await submit({ username: " ", failed: "/login" }))).toEqual([303, "/login?error=invalid"]);
  });

  it("says that the CSRF token is too old, and emits the event", async () => {
    expect(toTarget(await submit({ csrfmiddlewaretoken: "n.x", failed: "/login" }))).toEqual([
      303,
      "/login?error=csrf_failed",
    ]);
    expect(eventsOf(auth, "csrf_refused")).toHaveLength(1);
  });

  it.each(["//evil.example", "https://evil.example", ""])("answers as to JSON if failed is %j", async (failed) => {
    const response = await submit({ password: "wrong", failed });
    expect([response.status, await response.json()]).toMatchObject([401, { code: "no_active_account" }]);
  });

  it("answers 503 if a hook fails, so that the operator sees it", async () => {
    await auth.close();
    await start({ settings: { onLoginSuccess: () => Promise.reject(new Error("down")) } });
    expect((await submit({ failed: "/login" })).status).toBe(503);
    expect(auth.errors).toHaveLength(1);
    expect(await liveSessions()).toBe(0);
  });

  it("answers 415 to a form with files", async () => {
    const headers = { "Content-Type": "multipart/form-data; boundary=x" };
    expect((await submit({ failed: "/login" }, headers)).status).toBe(415);
  });
});
