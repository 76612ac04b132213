import { describe, expect, it } from "vitest";
import { createFakeBrowser } from "./fake-browser.ts";

const noAccount = "No active account found for the given token.";
const changed = "The user's password has been changed.";

describe("a logout", () => {
  it.each([
    ["Token is blacklisted", "token_not_valid", "revoked"],
    ["Token is invalid", "token_not_valid", "revoked"],
    ["Token is expired", "token_not_valid", "expired"],
    [noAccount, "no_active_account", "revoked"],
    [changed, "password_changed", "password_changed"],
  ])(
    "notifies listeners once when a refresh is refused with %s (%s), and gives the reason %s",
    async (detail, code, reason) => {
      const browser = createFakeBrowser();
      const tab = await browser.openLoggedIn();
      browser.server.revoke("s1", detail, code);
      const response = tab.client.fetch("/api/orders/");
      await browser.clock.advance(0);
      expect((await response).status).toBe(401);
      expect(tab.client.session()).toEqual({ status: "anonymous", reason });
      await tab.client.fetch("/api/orders/");
      await browser.clock.advance(4_000_000);
      expect(tab.states).toEqual([`anonymous ${reason}`]);
      expect(browser.server.count("POST /api/auth/refresh/")).toBe(1);
    },
  );

  it("gives the reason expired if the cookies have disappeared", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.jar.clear();
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["anonymous expired"]);
  });

  it("becomes anonymous only when the server has answered the logout", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await tab.client.fetch("/api/orders/", { method: "POST" });
    browser.server.requests.length = 0;
    browser.server.latency = 20;
    const logout = tab.client.logout();
    await browser.clock.advance(20);
    expect(tab.states).toEqual([]);
    await browser.clock.advance(20);
    await logout;
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
    expect(JSON.parse(browser.server.requests[0]?.body ?? "")).toEqual({ scope: "local" });
    expect(tab.client.countdown()).toBeUndefined();
    expect(browser.clock.pendingTimers()).toBe(0);
  });

  it("stays logged in after a logout of the other sessions, and not after a logout of all", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await tab.client.logout("others");
    expect(tab.states).toEqual([]);
    await tab.client.logout("all");
    expect(tab.states).toEqual(["anonymous logged_out"]);
  });

  it("stays logged out although a refresh was running during the logout", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.server.latency = 50;
    void tab.client.refresh();
    await browser.clock.advance(10);
    void tab.client.logout();
    await browser.clock.advance(1_000);
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
    expect(browser.jar.size).toBe(0);
  });

  it("logs a user in again after a logout", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await tab.client.logout();
    const state = await tab.client.login({ username: "alice", password: "secret", remember: false });
    expect(state).toEqual({ status: "authenticated", user: { id: "1", username: "alice" }, sessionId: "s2" });
    expect(JSON.parse(browser.server.requests.at(-1)?.body ?? "")).toMatchObject({ remember: false });
    await browser.clock.advance(1_740_000);
    expect(browser.jar.get("refresh")).toBe("s2:1");
  });
});

describe("the state", () => {
  it("returns the same immutable state until the state changes", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    const state = tab.client.session();
    expect(tab.client.session()).toBe(state);
    expect([state, state.user].map(Object.isFrozen)).toEqual([true, true]);
  });

  it("notifies every listener except those that were removed", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    const calls: string[] = [];
    tab.client.onChange(({ status }) => calls.push(`first ${status}`));
    const stop = tab.client.onChange(() => calls.push("second"));
    stop();
    await tab.client.logout();
    expect(calls).toEqual(["first anonymous"]);
  });

  it("changes no state after dispose(), and leaves no timer, listener or channel", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    expect(tab.openChannels()).toBe(1);
    browser.server.latency = 5;
    void tab.client.refresh();
    await browser.clock.advance(1);
    tab.client.dispose();
    await browser.clock.advance(20);
    browser.server.requests.length = 0;
    expect(browser.clock.pendingTimers()).toBe(0);
    expect(tab.openChannels()).toBe(0);
    browser.clock.sleep(3_600_000);
    await tab.wake("focus");
    expect(browser.server.requests).toEqual([]);
    expect(tab.states).toEqual([]);
  });
});
