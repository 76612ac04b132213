import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { type Browser, createBrowser } from "../../support/browser.ts";

let auth: TestAuth;
let browser: Browser;

beforeEach(async () => {
  auth = await createTestAuth({ settings: { trustedOrigins: ["https://app.example"] } });
  browser = createBrowser(auth);
  await browser.logIn();
});
afterEach(() => auth.close());

/** Goes to the address as a navigation does: GET, without the cookie that is Strict. */
const navigate = (headers: Record<string, string | null>) => {
  const lax = ["__Host-Http-access", "__Host-csrftoken"].map((name) => `${name}=${browser.cookie(name)}`).join("; ");
  const navigation = { Origin: null, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", Cookie: lax };
  return browser.get("/api/auth/csrf/", { headers: { ...navigation, ...headers } });
};

describe("going to the CSRF token's address", () => {
  it("from another site's link is refused, and takes no token from the browser", async () => {
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

  it("by typing it gives the token that the browser has", async () => {
    const response = await navigate({ "Sec-Fetch-Site": "none" });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ csrf_token: browser.cookie("__Host-csrftoken") });
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it("is a trusted origin's page's, too, and an older browser's that tells nothing", async () => {
    const trusted = { "Sec-Fetch-Site": "cross-site", Origin: "https://app.example" };
    for (const headers of [trusted, { "Sec-Fetch-Site": null }]) {
      expect((await navigate(headers)).status).toBe(200);
    }
  });
});
