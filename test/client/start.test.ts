import { describe, expect, it } from "vitest";
import { createFakeBrowser } from "./fake-browser.ts";

describe("the start of a client", () => {
  it("is loading until the server has said who is logged in", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab();
    expect(tab.client.session()).toEqual({ status: "loading" });
    await browser.clock.advance(0);
    expect(tab.client.session()).toEqual({ status: "anonymous" });
  });

  it("asks twice for a visitor who never logged in, and stores nothing", async () => {
    const browser = createFakeBrowser();
    browser.openTab();
    await browser.clock.advance(0);
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/csrf/", "POST /api/auth/refresh/"]);
    expect([...browser.storage]).toEqual([]);
  });

  it("asks once after a reload while the access token is alive, and keeps the time of the refresh", async () => {
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

  it("never takes a token for longer-lived than it is, though the wall clock was set back before the reload", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    const tab = browser.openTab({ wallClockError: -3_600_000 });
    await browser.clock.advance(0);
    expect(tab.client.countdown()?.accessExpiresIn).toBe(1800);
  });

  it("is logged in without a password when it is opened after the access token has expired", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.clock.sleep(10 * 86_400_000);
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["authenticated"]);
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["POST /api/auth/refresh/", "GET /api/auth/me/"]);
  });

  it("never takes a lost storage for a logout while the cookies are alive", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.storage.clear();
    browser.jar.delete("csrftoken");
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["authenticated"]);
  });

  it("never believes an old logout in the storage when the cookies are alive", async () => {
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

  it("says expired when the refresh cookie is gone though there was a session", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.jar.clear();
    browser.clock.sleep(3_600_000);
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "expired" });
  });

  it("refreshes where the record promises a token that the server no longer takes", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.jar.delete("access");
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["authenticated"]);
    expect(browser.server.count("POST /api/auth/refresh/")).toBe(1);
  });

  it("stays loading and tries again where the server cannot be reached", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.server.faults.push({ on: "/me/", kind: "offline" });
    const tab = browser.openTab({ random: 0.5 });
    await browser.clock.advance(0);
    expect(tab.client.session()).toEqual({ status: "loading", problem: "offline" });
    await browser.clock.advance(500);
    expect(tab.states).toEqual(["loading offline", "authenticated"]);
  });

  it("holds an application's request back until it knows, so that it is sent once", async () => {
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
