import { afterEach, describe, expect, it, vi } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { createFakeBrowser } from "./fake-browser.ts";

afterEach(() => vi.unstubAllGlobals());

const blocked = () => {
  throw new DOMException("The operation is insecure.", "SecurityError");
};

/** Replaces the globals by those of a frame of another site in a browser that blocks cookies. */
function stubBlockedFrame(): void {
  const events = { addEventListener: () => undefined, removeEventListener: () => undefined };
  vi.stubGlobal(
    "document",
    Object.defineProperty({ ...events, baseURI: "https://app.example/" }, "cookie", { get: blocked }),
  );
  const window = { ...events, location: { href: "https://app.example/" } };
  vi.stubGlobal("window", Object.defineProperty(window, "localStorage", { get: blocked }));
  vi.stubGlobal("navigator", Object.defineProperty({}, "locks", { get: blocked }));
  vi.stubGlobal("BroadcastChannel", blocked);
  vi.stubGlobal("crypto", undefined);
}

describe("a page whose browser blocks everything that is optional", () => {
  it("creates a client, whose login says that cookies are blocked", async () => {
    stubBlockedFrame();
    const fetch = async () => Response.json({ csrf_token: `n${"r".repeat(22)}.hmac`, session: null });
    const client = createClient({ fetch });
    await vi.waitFor(() => expect(client.session().status).toBe("anonymous"), 30_000);
    const login = client.login({ username: "alice", password: "secret" });
    await expect(login).rejects.toMatchObject({ code: "cookies_blocked", message: expect.stringContaining("Allow") });
    client.dispose();
  });
});

describe("a browser that keeps no cookies", () => {
  it("rejects login() with cookies_blocked before the password is sent", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab({ blocksCookies: true });
    await browser.clock.advance(0);
    const login = tab.client.login({ username: "alice", password: "secret" });
    await expect(login).rejects.toMatchObject({ code: "cookies_blocked" });
    expect(browser.server.count("POST /api/auth/login/")).toBe(0);
    expect(tab.client.session()).toEqual({ status: "anonymous" });
  });

  it("has the problem cookies_blocked if it kept the cookies of the session before", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.clock.sleep(3_600_000);
    const tab = browser.openTab({ blocksCookies: true, random: 1 });
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["loading cookies_blocked"]);
  });

  it.each([
    ["login()", "/login/"],
    ["a refresh", "/refresh/"],
  ])("is noticed after %s whose cookies it doesn't keep", async (_, on) => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 1 });
    if (on === "/login/") await tab.client.logout();
    const body = '{"access_expires_in":1800,"user":{"id":"1","username":"alice"},"session":{"id":"s9"}}';
    browser.server.faults.push({ on, kind: new Response(body) });
    if (on === "/login/") {
      const login = tab.client.login({ username: "alice", password: "secret" });
      await expect(login).rejects.toMatchObject({ code: "cookies_blocked" });
      return;
    }
    browser.server.latency = 10;
    const refreshed = tab.client.refresh();
    await browser.clock.advance(5);
    browser.jar.clear();
    await browser.clock.advance(100);
    expect((await refreshed).problem).toBe("cookies_blocked");
  });

  it("isn't blamed if the CSRF cookie has a name that the client wasn't told", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab({ csrfCookie: "other" });
    await browser.clock.advance(0);
    const state = await tab.client.login({ username: "alice", password: "secret" });
    expect(state.status).toBe("authenticated");
  });

  it("isn't blamed if scripts see the cookies some time after the response, as in WebKit", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ cookieDelay: 3 });
    expect(tab.client.session().status).toBe("authenticated");
    // Another front end logs the user out.
    browser.jar.clear();
    await browser.clock.advance(3_600_000);
    expect(tab.states).toEqual(["anonymous expired"]);
  });

  it("isn't blamed by a page on another origin, which can't see the cookies", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ baseUrl: "https://api.example" });
    expect(tab.client.session().status).toBe("authenticated");
  });
});
