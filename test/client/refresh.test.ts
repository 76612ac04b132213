import { describe, expect, it } from "vitest";
import { toRefreshDelay } from "../../src/client/session/schedule.ts";
import { createFakeBrowser } from "./fake-browser.ts";

const refresh = "POST /api/auth/refresh/";

describe("the background refresh", () => {
  it("refreshes one minute before the access token expires, or after two thirds of a short lifetime", () => {
    expect(toRefreshDelay(1800, 0)).toBe(1740);
    expect(toRefreshDelay(121, 0)).toBe(61);
    expect(toRefreshDelay(120, 0)).toBe(80);
    expect(toRefreshDelay(6, 0)).toBe(4);
  });

  it("moves the refresh earlier by jitter, and never later", () => {
    expect(toRefreshDelay(1800, 1)).toBe(1710);
    expect(toRefreshDelay(6, 1)).toBeCloseTo(3.6);
  });

  it("refreshes again and again without a change of the state", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    const before = tab.client.session();
    await browser.clock.advance(4 * 1_740_000);
    expect(browser.server.count(refresh)).toBe(4);
    expect(tab.states).toEqual([]);
    expect(tab.client.session()).toBe(before);
  });

  it.each([-86_400_000, 86_400_000])(
    "refreshes on time although the wall clock is wrong by %d ms",
    async (wallClockError) => {
      const browser = createFakeBrowser();
      await browser.openLoggedIn({ wallClockError });
      await browser.clock.advance(1_739_800);
      expect(browser.server.count(refresh)).toBe(0);
      await browser.clock.advance(200);
      expect(browser.server.count(refresh)).toBe(1);
    },
  );

  it("refreshes on time although the wall clock is set back meanwhile", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await browser.clock.advance(60_000);
    tab.setWallClockError(-86_400_000);
    await browser.clock.advance(1_680_000);
    expect(browser.server.count(refresh)).toBe(1);
    await tab.client.fetch("/api/orders/");
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("counts the lifetime of the access token from the moment that the request was sent", async () => {
    const browser = createFakeBrowser();
    browser.server.latency = 2_000;
    const tab = browser.openTab();
    await browser.clock.advance(10_000);
    const login = tab.client.login({ username: "alice", password: "secret" });
    await browser.clock.advance(20_000);
    await login;
    expect(tab.client.countdown()?.accessExpiresIn).toBeCloseTo(1800 - 20);
  });

  it("refreshes after a sleep at every event that can wake the page", async () => {
    for (const event of ["visibilitychange", "pageshow", "online", "resume", "focus"] as const) {
      const browser = createFakeBrowser();
      const tab = await browser.openLoggedIn();
      browser.clock.sleep(8 * 3_600_000);
      await tab.wake(event);
      expect([event, browser.server.count(refresh)]).toEqual([event, 1]);
    }
  });

  it("doesn't refresh when the page wakes up before the refresh is due", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await browser.clock.advance(60_000);
    await tab.wake("focus");
    await tab.wake("pageshow");
    expect(browser.server.requests).toEqual([]);
  });

  it("refreshes before the first request after a sleep that stopped the monotonic clock", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.clock.sleep(8 * 3_600_000);
    const response = tab.client.fetch("/api/orders/");
    await browser.clock.advance(0);
    expect((await response).status).toBe(200);
    expect(browser.server.requests.map(({ line }) => line)).toEqual([refresh, "GET /api/orders/"]);
  });

  it("refreshes once for any number of concurrent requests in one tab", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.server.latency = 20;
    browser.jar.delete("access");
    const responses = Array.from({ length: 5 }, () => tab.client.fetch("/api/orders/"));
    void tab.client.refresh();
    await browser.clock.advance(500);
    expect((await Promise.all(responses)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("refreshes when the application calls refresh() although no refresh is due", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await browser.clock.advance(1_000);
    const refreshed = tab.client.refresh();
    await browser.clock.advance(0);
    expect(await refreshed).toBe(tab.client.session());
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("refreshes on time although the lifetime is longer than the longest timer", async () => {
    const browser = createFakeBrowser();
    browser.server.accessLifetime = 40 * 86_400;
    await browser.openLoggedIn();
    await browser.clock.advance(39 * 86_400_000);
    expect(browser.server.count(refresh)).toBe(0);
    await browser.clock.advance(86_400_000);
    expect(browser.server.count(refresh)).toBe(1);
  });
});

describe("the idempotency key", () => {
  const sentKeys = (browser: ReturnType<typeof createFakeBrowser>) =>
    browser.server.requests.filter(({ line }) => line === refresh).map(({ headers }) => headers.get("Idempotency-Key"));
  const storedKey = (browser: ReturnType<typeof createFakeBrowser>) =>
    [...browser.storage].find(([key]) => key.endsWith("#attempt"))?.[1];

  it("sends an idempotency key of 128 bits in base64url, and a new one for every refresh token", async () => {
    const browser = createFakeBrowser();
    await browser.openLoggedIn();
    await browser.clock.advance(2 * 1_740_000);
    const [first, second] = sentKeys(browser);
    expect(first).toMatch(/^[\w-]{22}$/);
    expect(second).toMatch(/^[\w-]{22}$/);
    expect(second).not.toBe(first);
  });

  it("stores the idempotency key before the request and repeats it after a lost response, hours later too", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5 });
    browser.server.faults.push({ on: "/refresh/", kind: "lost response" });
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(storedKey(browser)).toContain(sentKeys(browser)[0]);
    browser.clock.sleep(2 * 3_600_000);
    await tab.wake("focus");
    const [first, second] = sentKeys(browser);
    expect(second).toBe(first);
    expect(tab.states).toEqual(["authenticated offline", "authenticated"]);
  });

  it("sends the same idempotency key from a new tab after the first tab crashed", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5 });
    browser.server.faults.push({ on: "/refresh/", kind: "lost response" });
    void tab.client.refresh();
    await browser.clock.advance(0);
    tab.client.dispose();
    browser.clock.sleep(3_600_000);
    const reopened = browser.openTab();
    await browser.clock.advance(0);
    expect(new Set(sentKeys(browser)).size).toBe(1);
    expect(reopened.states).toEqual(["authenticated"]);
  });

  it("keeps the idempotency key in memory if there is no storage", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5, without: ["storage"] });
    browser.server.faults.push({ on: "/refresh/", kind: "lost response" });
    void tab.client.refresh();
    await browser.clock.advance(0);
    browser.clock.sleep(3_600_000);
    await tab.wake("focus");
    expect(new Set(sentKeys(browser)).size).toBe(1);
    expect(tab.states).toEqual(["authenticated offline", "authenticated"]);
  });

  it("sends a new idempotency key for a new refresh token although another tab has just stored the previous key", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    void tab.client.refresh();
    await browser.clock.advance(0);
    const stale = storedKey(browser) ?? "";
    void tab.client.refresh();
    await browser.clock.advance(0);
    for (const key of browser.storage.keys()) if (key.endsWith("#attempt")) browser.storage.set(key, stale);
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(new Set(sentKeys(browser)).size).toBe(3);
  });

  it("sends a new idempotency key if the refresh token was replaced after the key was read", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    // As if another tab's refresh had replaced the cookies after this tab read the CSRF cookie.
    const jar = browser.jar.get("csrftoken")?.replace("0", "9") ?? "";
    browser.jar.set("csrftoken", jar.replace("of s1", "of s9"));
    void tab.client.refresh();
    await browser.clock.advance(0);
    const [refused, accepted] = sentKeys(browser);
    expect(refused).not.toBe(accepted);
    expect(browser.jar.get("csrftoken")).not.toBe(jar);
  });

  it("replaces a stored idempotency key that is malformed", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    for (const key of [...browser.storage.keys()]) browser.storage.set(`${key}#attempt`, "short");
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(sentKeys(browser)[0]).toMatch(/^[\w-]{22}$/);
  });
});
