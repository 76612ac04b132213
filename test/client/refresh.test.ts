import { describe, expect, it } from "vitest";
import { toRefreshDelay } from "../../src/client/schedule.ts";
import { createFakeBrowser } from "./fake-browser.ts";

const refresh = "POST /api/auth/refresh/";

describe("proactive refresh", () => {
  it("comes one minute before the end, or at two thirds of a short life", () => {
    expect(toRefreshDelay(1800, 0)).toBe(1740);
    expect(toRefreshDelay(121, 0)).toBe(61);
    expect(toRefreshDelay(120, 0)).toBe(80);
    expect(toRefreshDelay(6, 0)).toBe(4);
  });

  it("is moved earlier by jitter, never later, and stays in the 29th minute of 30", () => {
    expect(toRefreshDelay(1800, 1)).toBe(1710);
    expect(toRefreshDelay(6, 1)).toBeCloseTo(3.6);
  });

  it("runs by itself, again and again, without the state changing", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    const before = tab.client.session();
    await browser.clock.advance(4 * 1_740_000);
    expect(browser.server.count(refresh)).toBe(4);
    expect(tab.states).toEqual([]);
    expect(tab.client.session()).toBe(before);
  });

  it.each([-86_400_000, 86_400_000])("is not moved by a wall clock that is wrong by %d ms", async (wallClockError) => {
    const browser = createFakeBrowser();
    await browser.openLoggedIn({ wallClockError });
    await browser.clock.advance(1_739_800);
    expect(browser.server.count(refresh)).toBe(0);
    await browser.clock.advance(200);
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("is not delayed by a wall clock that is set back meanwhile", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await browser.clock.advance(60_000);
    tab.setWallClockError(-86_400_000);
    await browser.clock.advance(1_680_000);
    expect(browser.server.count(refresh)).toBe(1);
    await tab.client.fetch("/api/orders/");
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("counts the token's life from when it was asked for", async () => {
    const browser = createFakeBrowser();
    browser.server.latency = 2_000;
    const tab = browser.openTab();
    await browser.clock.advance(10_000);
    const login = tab.client.login({ username: "alice", password: "secret" });
    await browser.clock.advance(20_000);
    await login;
    expect(tab.client.countdown()?.accessExpiresIn).toBeCloseTo(1800 - 20);
  });

  it("is made up for on waking, by each of the events that tell of it", async () => {
    for (const event of ["visibilitychange", "pageshow", "online", "resume", "focus"] as const) {
      const browser = createFakeBrowser();
      const tab = await browser.openLoggedIn();
      browser.clock.sleep(8 * 3_600_000);
      await tab.wake(event);
      expect([event, browser.server.count(refresh)]).toEqual([event, 1]);
    }
  });

  it("is not made by a waking before it is due", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await browser.clock.advance(60_000);
    await tab.wake("focus");
    await tab.wake("pageshow");
    expect(browser.server.requests).toEqual([]);
  });

  it("comes before the first request after a sleep in which the monotonic clock stood still", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.clock.sleep(8 * 3_600_000);
    const response = tab.client.fetch("/api/orders/");
    await browser.clock.advance(0);
    expect((await response).status).toBe(200);
    expect(browser.server.requests.map(({ line }) => line)).toEqual([refresh, "GET /api/orders/"]);
  });

  it("runs once for any number of callers in one tab", async () => {
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

  it("runs when the page asks for it, though it is not due", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await browser.clock.advance(1_000);
    const refreshed = tab.client.refresh();
    await browser.clock.advance(0);
    expect(await refreshed).toBe(tab.client.session());
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("waits for a refresh of a life longer than a timer can be", async () => {
    const browser = createFakeBrowser();
    browser.server.accessLifetime = 40 * 86_400;
    await browser.openLoggedIn();
    await browser.clock.advance(39 * 86_400_000);
    expect(browser.server.count(refresh)).toBe(0);
    await browser.clock.advance(86_400_000);
    expect(browser.server.count(refresh)).toBe(1);
  });
});

describe("the attempt id", () => {
  const attempts = (browser: ReturnType<typeof createFakeBrowser>) =>
    browser.server.requests.filter(({ line }) => line === refresh).map(({ headers }) => headers.get("Idempotency-Key"));
  const pending = (browser: ReturnType<typeof createFakeBrowser>) =>
    [...browser.storage].find(([key]) => key.endsWith("#attempt"))?.[1];

  it("is 128 bits in base64url, and new for every refresh token", async () => {
    const browser = createFakeBrowser();
    await browser.openLoggedIn();
    await browser.clock.advance(2 * 1_740_000);
    const [first, second] = attempts(browser);
    expect(first).toMatch(/^[\w-]{22}$/);
    expect(second).toMatch(/^[\w-]{22}$/);
    expect(second).not.toBe(first);
  });

  it("is stored before the request and used again after a lost response, also long after the reuse interval", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5 });
    browser.server.faults.push({ on: "/refresh/", kind: "lost response" });
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(pending(browser)).toContain(attempts(browser)[0]);
    browser.clock.sleep(2 * 3_600_000);
    await tab.wake("focus");
    const [first, second] = attempts(browser);
    expect(second).toBe(first);
    expect(tab.states).toEqual(["authenticated offline", "authenticated"]);
  });

  it("survives the crash of its tab", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5 });
    browser.server.faults.push({ on: "/refresh/", kind: "lost response" });
    void tab.client.refresh();
    await browser.clock.advance(0);
    tab.client.dispose();
    browser.clock.sleep(3_600_000);
    const reopened = browser.openTab();
    await browser.clock.advance(0);
    expect(new Set(attempts(browser)).size).toBe(1);
    expect(reopened.states).toEqual(["authenticated"]);
  });

  it("is kept in memory where there is no storage", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5, without: ["storage"] });
    browser.server.faults.push({ on: "/refresh/", kind: "lost response" });
    void tab.client.refresh();
    await browser.clock.advance(0);
    browser.clock.sleep(3_600_000);
    await tab.wake("focus");
    expect(new Set(attempts(browser)).size).toBe(1);
    expect(tab.states).toEqual(["authenticated offline", "authenticated"]);
  });

  it("of the last refresh token is not taken for the next, although another tab has just stored it", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    void tab.client.refresh();
    await browser.clock.advance(0);
    const stale = pending(browser) ?? "";
    void tab.client.refresh();
    await browser.clock.advance(0);
    for (const key of browser.storage.keys()) if (key.endsWith("#attempt")) browser.storage.set(key, stale);
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(new Set(attempts(browser)).size).toBe(3);
  });

  it("does not go out with a refresh token that arrived after it was taken", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    // Another tab's answer has come between this tab's look at the cookies and its request: the server sees the newer.
    browser.server.faults.push({ on: "/refresh/", kind: new Response('{"code":"csrf_failed"}', { status: 403 }) });
    const jar = browser.jar.get("csrftoken");
    void tab.client.refresh();
    await browser.clock.advance(0);
    const [refused, accepted] = attempts(browser);
    expect(refused).not.toBe(accepted);
    expect(browser.jar.get("csrftoken")).not.toBe(jar);
  });

  it("is replaced where the storage holds something else under its name", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    for (const key of [...browser.storage.keys()]) browser.storage.set(`${key}#attempt`, "short");
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(attempts(browser)[0]).toMatch(/^[\w-]{22}$/);
  });
});
