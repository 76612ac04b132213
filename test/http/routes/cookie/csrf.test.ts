import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { type Browser, createBrowser } from "../../../support/browser.ts";

let auth: TestAuth;
let browser: Browser;

beforeEach(async () => {
  auth = await createTestAuth({ settings: { trustedOrigins: ["https://app.example"] } });
  browser = createBrowser(auth);
});
afterEach(() => auth.close());

describe("the CSRF endpoint", () => {
  it("answers with a CSRF token, and sets the same in a cookie that scripts can read", async () => {
    const response = await browser.get("/api/auth/csrf/");
    expect(response.status).toBe(200);
    const { csrf_token, session } = (await response.json()) as { csrf_token: string; session: unknown };
    expect(session).toBeNull();
    expect(response.headers.getSetCookie()).toEqual([`__Host-csrftoken=${csrf_token}; Path=/; Secure; SameSite=Lax`]);
  });

  it("answers with the same CSRF token as long as it is valid, so that tabs don't replace each other's", async () => {
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

  it("names the session that its CSRF token belongs to, and none if the browser has none", async () => {
    const { sessionId } = await browser.logIn();
    const named = async () => ((await (await browser.get("/api/auth/csrf/")).json()) as { session: unknown }).session;
    expect(await named()).toEqual({ id: sessionId });
    browser.deleteCookie("__Host-csrftoken");
    expect(await named()).toEqual({ id: sessionId });
    browser.deleteCookie("__Host-Http-access");
    expect(await named()).toEqual({ id: sessionId });
    browser.deleteCookie("__Host-csrftoken");
    expect(await named()).toBeNull();
  });

  it("sets a persistent CSRF token of the session in a browser that has lost it", async () => {
    await browser.logIn();
    browser.deleteCookie("__Host-csrftoken");
    const response = await browser.get("/api/auth/csrf/");
    expect(response.headers.getSetCookie()).toEqual([expect.stringContaining("Max-Age=2592000")]);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
  });

  it("deletes a refresh cookie without an access cookie, which a sibling domain may have set", async () => {
    await browser.logIn();
    browser.deleteCookie("__Host-csrftoken");
    browser.deleteCookie("__Host-Http-access");
    const planted = browser.cookie("__Secure-refresh") ?? "";
    await browser.get("/api/auth/csrf/");
    // With the cookie, every refresh would be refused. Without it, the user can log in.
    expect(browser.cookie("__Secure-refresh")).toBeUndefined();
    browser.setCookie("__Secure-refresh", planted);
    const refused = await browser.post("/api/auth/refresh/");
    expect([refused.status, refused.headers.getSetCookie()]).toEqual([403, []]);
  });

  it("answers 403 to two access cookies or two CSRF cookies", async () => {
    await browser.logIn();
    for (const name of ["__Host-Http-access", "__Host-csrftoken"]) {
      const Cookie = `${name}=${browser.cookie(name)}; ${name}=x`;
      const response = await browser.get("/api/auth/csrf/", { headers: { Cookie } });
      expect(response.status).toBe(403);
      expect(response.headers.getSetCookie()).toEqual([]);
    }
  });

  it("replaces a CSRF token that another site has set", async () => {
    browser.setCookie("__Host-csrftoken", "planted");
    await browser.get("/api/auth/csrf/");
    expect(browser.cookie("__Host-csrftoken")).not.toBe("planted");
  });
});

/** Navigates to the endpoint: GET, without the cookie that is SameSite=Strict. */
const navigate = (headers: Record<string, string | null>) => {
  const lax = ["__Host-Http-access", "__Host-csrftoken"].map((name) => `${name}=${browser.cookie(name)}`).join("; ");
  const navigation = { Origin: null, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", Cookie: lax };
  return browser.get("/api/auth/csrf/", { headers: { ...navigation, ...headers } });
};

describe("a navigation to the CSRF endpoint", () => {
  beforeEach(() => browser.logIn());

  it("refuses a navigation from another site, and replaces no CSRF token", async () => {
    const before = browser.cookie("__Host-csrftoken");
    for (const site of ["cross-site", "same-site"]) {
      for (const Cookie of [{}, { Cookie: null }]) {
        const response = await navigate({ "Sec-Fetch-Site": site, ...Cookie });
        expect([response.status, response.headers.getSetCookie()]).toEqual([403, []]);
      }
    }
    expect(browser.cookie("__Host-csrftoken")).toBe(before);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
  });

  it("answers a typed address with the CSRF token that the browser has", async () => {
    const response = await navigate({ "Sec-Fetch-Site": "none" });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      csrf_token: browser.cookie("__Host-csrftoken"),
      session: { id: expect.any(String) },
    });
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it("answers a trusted origin, and an older browser that sends neither Sec-Fetch-Site nor Origin", async () => {
    const trusted = { "Sec-Fetch-Site": "cross-site", Origin: "https://app.example" };
    for (const headers of [trusted, { "Sec-Fetch-Site": null }]) {
      expect((await navigate(headers)).status).toBe(200);
    }
  });
});
