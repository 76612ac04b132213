import { describe, expect, it } from "vitest";
import { createFakeBrowser } from "./fake-browser.ts";

describe("the start of a client", () => {
  it("has the state loading until the server has said whether a user is logged in", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab();
    expect(tab.client.session()).toEqual({ status: "loading" });
    await browser.clock.advance(0);
    expect(tab.client.session()).toEqual({ status: "anonymous" });
  });

  it("sends no request for a visitor without a CSRF cookie, and stores nothing", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab();
    await browser.clock.advance(0);
    await tab.wake("focus");
    await tab.client.refresh();
    expect(tab.states).toEqual(["anonymous"]);
    expect(browser.server.requests).toEqual([]);
    expect([...browser.storage]).toEqual([]);
  });

  it("sends no request for a visitor whose CSRF cookie belongs to no session", async () => {
    const browser = createFakeBrowser();
    browser.jar.set("csrftoken", `n${"r".repeat(22)}.hmac`);
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["anonymous"]);
    expect(browser.server.requests).toEqual([]);
  });

  it("asks the server about a CSRF token of version 0.1 that begins with n by chance", async () => {
    const browser = createFakeBrowser();
    browser.server.isOld = true;
    (await browser.openLoggedIn()).client.dispose();
    browser.storage.clear();
    browser.jar.set("csrftoken", browser.jar.get("csrftoken")?.replace("r", "n") ?? "");
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.client.session()).toMatchObject({ status: "authenticated", sessionId: "s1" });
  });

  it("asks a server on another origin with one request, and never by a refresh that it would refuse", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab({ baseUrl: "https://api.example" });
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["anonymous"]);
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/csrf/"]);
  });

  it("sends no request that is refused if the cookies have disappeared while the access token was valid", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.jar.clear();
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["anonymous expired"]);
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/csrf/"]);
  });

  it("sends one request after a reload while the access token is valid, and keeps the time of the next refresh", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    tab.client.dispose();
    await browser.clock.advance(600_000);
    const reloaded = browser.openTab();
    await browser.clock.advance(0);
    expect(reloaded.client.session()).toEqual(tab.client.session());
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/me/"]);
    expect(reloaded.client.countdown()?.refreshIn).toBeCloseTo(1740 - 600.1);
  });

  it("never overestimates the lifetime of the access token although the wall clock was set back before a reload", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    const tab = browser.openTab({ wallClockError: -3_600_000 });
    await browser.clock.advance(0);
    expect(tab.client.countdown()?.accessExpiresIn).toBe(1800);
  });

  it("logs the user in without a password if the page is opened after the access token has expired", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.clock.sleep(10 * 86_400_000);
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["authenticated"]);
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["POST /api/auth/refresh/"]);
  });

  it("keeps the user logged in if the storage was deleted while the cookies are valid", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.storage.clear();
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["authenticated"]);
  });

  it("ignores an old logout in the storage while the cookies are valid", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await tab.client.logout();
    tab.client.dispose();
    browser.openTab({ without: ["storage", "openChannel"] }).client.login({ username: "alice", password: "secret" });
    await browser.clock.advance(0);
    const reloaded = browser.openTab();
    await browser.clock.advance(0);
    expect(reloaded.client.session().status).toBe("authenticated");
  });

  it("gives the reason expired if the refresh cookie has disappeared", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.jar.clear();
    browser.clock.sleep(3_600_000);
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "expired" });
  });

  it("refreshes if the stored record names an access token that the server no longer accepts", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.jar.delete("access");
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["authenticated"]);
    expect(browser.server.count("POST /api/auth/refresh/")).toBe(1);
  });

  it("keeps the state loading and retries if it can't reach the server", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.server.faults.push({ on: "/me/", kind: "offline" });
    const tab = browser.openTab({ random: 0.5 });
    await browser.clock.advance(0);
    expect(tab.client.session()).toEqual({ status: "loading", problem: "offline" });
    await browser.clock.advance(500);
    expect(tab.states).toEqual(["loading offline", "authenticated"]);
  });

  it("sends a write that the application makes before the state is known", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    const tab = browser.openTab();
    const response = tab.client.fetch("/api/orders/", { method: "POST", body: "x" });
    await browser.clock.advance(0);
    expect((await response).status).toBe(200);
  });

  it("delays a request of the application until it knows the state, so that the request is sent once", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.clock.sleep(3_600_000);
    const tab = browser.openTab();
    const response = tab.client.fetch("/api/orders/");
    await browser.clock.advance(0);
    expect((await response).status).toBe(200);
    expect(browser.server.count("GET /api/orders/")).toBe(1);
    expect(browser.server.count("POST /api/auth/refresh/")).toBe(1);
  });
});

describe("two CSRF cookies at http://localhost, one of an earlier server", () => {
  const stale = `n${"x".repeat(22)}.hmac`;

  it.each([
    ["before", (own: string) => ["__Host-csrftoken", stale, "csrftoken", own]],
    ["after", (own: string) => ["csrftoken", own, "__Host-csrftoken", stale]],
  ])("don't log the user out if the stale one comes %s the server's own", async (_, toPairs) => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.clock.sleep(3_600_000);
    const tab = browser.openTab({
      toCookies: (own) => toPairs(own).reduce((text, part, at) => text + (at % 2 ? `=${part}; ` : part), ""),
    });
    await browser.clock.advance(100);
    expect(tab.client.session()).toMatchObject({ status: "authenticated", sessionId: "s1" });
    const write = tab.client.fetch("/api/orders/", { method: "POST" });
    await browser.clock.advance(100);
    expect((await write).status).toBe(200);
    expect(browser.server.requests.filter(({ headers }) => headers.get("X-CSRFToken") === stale)).toEqual([]);
  });
});
