import { describe, expect, it } from "vitest";
import { createFakeBrowser, type FakeTab } from "./fake-browser.ts";

const refresh = "POST /api/auth/refresh/";
const unavailable = new Response('{"detail":"Service temporarily unavailable.","code":"unavailable"}', { status: 503 });

describe("a failed refresh", () => {
  it.each([
    ["an offline network", "offline" as const, "authenticated offline"],
    ["a lost response", "lost response" as const, "authenticated offline"],
    ["a 503", unavailable, "authenticated unavailable"],
    ["a 500 without JSON", new Response("oops", { status: 500 }), "authenticated unavailable"],
    ["a 429", new Response("{}", { status: 429 }), "authenticated throttled"],
    ["a proxy's 401", new Response("<h1>Log in</h1>", { status: 401 }), "authenticated unavailable"],
    ["a captive portal's page", new Response("<h1>Welcome</h1>", { status: 200 }), "authenticated unavailable"],
  ])("keeps the user logged in after %s, reports the problem and retries", async (_, kind, problemState) => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5 });
    browser.server.faults.push({ on: "/refresh/", kind });
    await browser.clock.advance(1_740_000);
    await browser.clock.advance(500);
    expect(tab.states).toEqual([problemState, "authenticated"]);
    expect(browser.jar.get("refresh")).toBe("s1:1");
  });

  it("keeps the user logged in after a timeout, reports the problem and retries", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5 });
    browser.server.faults.push({ on: "/refresh/", kind: "hang" });
    void tab.client.refresh();
    await browser.clock.advance(9_999);
    expect(tab.states).toEqual([]);
    await browser.clock.advance(1);
    expect(tab.states).toEqual(["authenticated timeout"]);
    await browser.clock.advance(500);
    expect(tab.states).toEqual(["authenticated timeout", "authenticated"]);
  });

  it("retries after exponentially growing times of at most a minute", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5 });
    browser.server.faults.push({ on: "/refresh/", kind: unavailable, times: 100 });
    void tab.client.refresh();
    await browser.clock.advance(0);
    const retries: number[] = [];
    for (let second = 0; second < 160; second += 1) {
      const before = browser.server.count(refresh);
      await browser.clock.advance(1_000);
      if (browser.server.count(refresh) > before) retries.push(second);
    }
    expect(retries).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121, 151]);
    expect(tab.states).toEqual(["authenticated unavailable"]);
  });

  it("doesn't retry before the Retry-After of the server, although refresh() is called", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    const kind = new Response("{}", { status: 429, headers: { "Retry-After": "120" } });
    browser.server.faults.push({ on: "/refresh/", kind });
    void tab.client.refresh();
    await browser.clock.advance(119_000);
    await tab.wake("online");
    await tab.client.refresh();
    expect(browser.server.count(refresh)).toBe(1);
    await browser.clock.advance(1_000);
    expect(browser.server.count(refresh)).toBe(2);
    expect(tab.states).toEqual(["authenticated throttled", "authenticated"]);
  });

  it("retries a refresh that failed although a request meanwhile finds that the access token is valid", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 1 });
    browser.server.faults.push({ on: "/refresh/", kind: "offline" });
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(tab.client.session().problem).toBe("offline");
    tab.freeze();
    await browser.clock.advance(5_000); // the back-off is over, and its timer is late
    const response = tab.client.fetch("https://app.example/api/orders/");
    await browser.clock.advance(0);
    expect((await response).status).toBe(200);
    tab.thaw();
    await browser.clock.advance(0);
    expect(browser.server.count("POST /api/auth/refresh/")).toBe(1);
    expect(tab.client.session().problem).toBeUndefined();
  });

  it("recovers when the network is available again", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 1 });
    browser.server.faults.push({ on: "/refresh/", kind: "offline", times: 6 });
    void tab.client.refresh();
    await browser.clock.advance(40_000);
    expect(tab.client.session().problem).toBe("offline");
    await tab.wake("online");
    expect(tab.client.session()).toEqual({
      status: "authenticated",
      user: { id: "1", username: "alice" },
      sessionId: "s1",
    });
  });

  it.each([
    ["the network is available again", (tab: FakeTab) => tab.wake("online")],
    ["the application calls refresh()", (tab: FakeTab) => tab.client.refresh()],
  ])("retries immediately, without the rest of the back-off, when %s", async (_, skipBackoff) => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 1 });
    browser.server.faults.push({ on: "/refresh/", kind: unavailable, times: 3 });
    void tab.client.refresh();
    await browser.clock.advance(3_100);
    expect(browser.server.count(refresh)).toBe(3);
    await Promise.all([skipBackoff(tab), browser.clock.advance(0)]);
    expect(browser.server.count(refresh)).toBe(4);
  });

  it("rejects a request that needed a refresh, rather than return a 401 that looks like a logout", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5 });
    browser.clock.sleep(3_600_000);
    browser.server.faults.push({ on: "/refresh/", kind: unavailable, times: 2 });
    const response = tab.client.fetch("/api/orders/");
    await expect(Promise.all([response, browser.clock.advance(0)])).rejects.toMatchObject({ code: "unavailable" });
    expect(tab.client.session().status).toBe("authenticated");
    expect(browser.server.count(refresh)).toBe(2);
  });

  it("reports a failed refresh() without a logged-in user, and doesn't retry it", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab();
    await browser.clock.advance(0);
    browser.jar.set("csrftoken", "of a login by another front end");
    browser.server.faults.push({ on: "/refresh/", kind: "offline" });
    await tab.client.refresh();
    await browser.clock.advance(3_600_000);
    expect(tab.states).toEqual(["anonymous", "anonymous offline"]);
    expect(browser.clock.pendingTimers()).toBe(0);
  });

  it("rejects a logout that can't reach the server, and keeps the user logged in", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.server.faults.push({ on: "/logout/", kind: "offline" });
    await expect(tab.client.logout()).rejects.toMatchObject({ name: "ClientError", code: "offline", status: 0 });
    expect(tab.client.session().status).toBe("authenticated");
  });

  it("fetches a new CSRF token and refreshes again after csrf_failed", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.jar.set("csrftoken", "stale");
    browser.server.faults.push({ on: "/refresh/", kind: new Response('{"code":"csrf_failed"}', { status: 403 }) });
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(browser.server.requests.map(({ line }) => line)).toEqual([refresh, "GET /api/auth/csrf/", refresh]);
    expect(tab.states).toEqual([]);
  });

  it("keeps the user logged in although a new CSRF token is refused too", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    const kind = new Response('{"code":"csrf_failed"}', { status: 403 });
    browser.server.faults.push({ on: "/refresh/", kind, times: 2 });
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(tab.states).toEqual(["authenticated unavailable", "authenticated"]);
  });
});

describe("a failed login", () => {
  it("rejects a login with a wrong password with the server's code and message, and stays anonymous", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab();
    await browser.clock.advance(0);
    await expect(tab.client.login({ username: "alice", password: "wrong" })).rejects.toMatchObject({
      code: "no_active_account",
      status: 401,
      message: "No active account found with the given credentials",
    });
    expect(tab.client.session()).toEqual({ status: "anonymous" });
  });

  it("rejects a throttled login with the seconds to wait", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab();
    await browser.clock.advance(0);
    const body = '{"detail":"Too many login attempts. Try again in 30 seconds.","code":"throttled"}';
    browser.server.faults.push({
      on: "/login/",
      kind: new Response(body, { status: 429, headers: { "Retry-After": "30" } }),
    });
    const login = tab.client.login({ username: "alice", password: "secret" });
    await expect(login).rejects.toMatchObject({ code: "throttled", retryAfter: 30 });
  });
});
