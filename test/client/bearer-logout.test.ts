import { describe, expect, it } from "vitest";
import { createFakeBrowser, type FakeBrowser, type TabOptions, toStorage } from "./fake-browser.ts";

function setUp() {
  const browser = createFakeBrowser();
  const vault = new Map<string, string>();
  const options: TabOptions = {
    baseUrl: "https://api.example",
    random: 0.5,
    without: ["page", "storage", "openChannel", "locks"],
    storage: toStorage(vault),
  };
  return { browser, vault, options };
}

const revocations = ({ server }: FakeBrowser) =>
  server.requests.filter(({ line }) => line === "POST /api/token/blacklist/").map(({ body }) => body);

const goOffline = ({ server }: FakeBrowser) => server.faults.push({ on: "/", kind: "offline", times: 1_000 });
const goOnline = ({ server }: FakeBrowser) => server.faults.splice(0);

describe("a logout with bearer tokens and without a network", () => {
  it("deletes the tokens at once and revokes the session when the network is back", async () => {
    const { browser, vault, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    const { access } = JSON.parse([...vault.values()].join(""));
    goOffline(browser);
    expect(await tab.client.logout()).toEqual({ revoked: false });
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
    expect(JSON.stringify([...vault])).not.toContain(access);
    expect(browser.server.sessions.get("s1")?.revoked).toBeNull();
    goOnline(browser);
    await browser.clock.advance(60_000);
    expect(revocations(browser)).toEqual(['{"refresh":"s1:0"}']);
    expect(browser.server.sessions.get("s1")?.revoked).not.toBeNull();
    expect(JSON.stringify([...vault])).not.toContain("s1:0");
    expect(browser.clock.pendingTimers()).toBe(0);
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
  });

  it("revokes the session after restarts of the app, and never shows its user again", async () => {
    const { browser, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    goOffline(browser);
    await tab.client.logout();
    tab.client.dispose();
    expect(browser.clock.pendingTimers()).toBe(0);
    for (let start = 0; start < 2; start += 1) {
      const offline = browser.openTab(options);
      await browser.clock.advance(100_000);
      expect(offline.client.session().status).toBe("anonymous");
      offline.client.dispose();
    }
    goOnline(browser);
    const online = browser.openTab(options);
    await browser.clock.advance(100);
    expect(revocations(browser)).toEqual(['{"refresh":"s1:0"}']);
    expect(online.states).toEqual(["anonymous"]);
  });

  it("keeps what is to be revoked across another login, which isn't affected", async () => {
    const { browser, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    browser.server.faults.push({ on: "/blacklist/", kind: "offline", times: 2 });
    expect(await tab.client.logout()).toEqual({ revoked: false });
    await tab.client.login({ username: "alice", password: "secret" });
    await browser.clock.advance(90_000);
    expect(revocations(browser)).toEqual(['{"refresh":"s1:0"}']);
    expect(tab.client.session()).toMatchObject({ status: "authenticated", sessionId: "s2" });
    expect((await tab.client.fetch("/api/orders/")).status).toBe(200);
  });

  it("doesn't wait for a refresh that gets no answer, whose late tokens don't count", async () => {
    const { browser, vault, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    browser.server.faults.push({ on: "/refresh/", kind: 50_000 });
    void tab.client.refresh();
    await browser.clock.advance(200);
    const logout = tab.client.logout();
    await browser.clock.advance(0);
    expect(await logout).toEqual({ revoked: true });
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
    await browser.clock.advance(100_000);
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
    expect(JSON.stringify([...vault])).not.toMatch(/s1:\d/);
  });

  it("waits as long as the server says before it tries again", async () => {
    const { browser, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    const busy = new Response('{"detail":"Later.","code":"throttled"}', {
      status: 429,
      headers: { "Retry-After": "300" },
    });
    browser.server.faults.push({ on: "/blacklist/", kind: busy });
    expect(await tab.client.logout()).toEqual({ revoked: false });
    await browser.clock.advance(299_000);
    expect(browser.server.sessions.get("s1")?.revoked).toBeNull();
    await browser.clock.advance(2_000);
    expect(browser.server.sessions.get("s1")?.revoked).not.toBeNull();
  });

  it("doesn't try again if the server has no endpoint for it", async () => {
    const { browser, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    browser.server.faults.push({ on: "/blacklist/", kind: new Response("Not found", { status: 404 }) });
    expect(await tab.client.logout()).toEqual({ revoked: false });
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
    await browser.clock.advance(100_000);
    expect(revocations(browser)).toHaveLength(1);
  });

  it("rejects a logout of all or the others, which need the server, and changes nothing", async () => {
    const { browser, options } = setUp();
    const tab = await browser.openLoggedIn(options);
    goOffline(browser);
    for (const scope of ["all", "others"] as const) {
      await expect(tab.client.logout(scope)).rejects.toMatchObject({ code: "offline" });
    }
    goOnline(browser);
    // simplejwt has no such endpoint.
    browser.server.faults.push({ on: "/logout/", kind: new Response("Not found", { status: 404 }) });
    await expect(tab.client.logout("all")).rejects.toMatchObject({ status: 404 });
    expect(tab.client.session().status).toBe("authenticated");
  });

  it("deletes the tokens even if the user isn't known yet", async () => {
    const { browser, vault, options } = setUp();
    const before = await browser.openLoggedIn(options);
    before.client.dispose();
    goOffline(browser);
    const tab = browser.openTab(options);
    await browser.clock.advance(100);
    expect(tab.client.session()).toMatchObject({ status: "loading", problem: "offline" });
    expect(await tab.client.logout()).toEqual({ revoked: false });
    expect(tab.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
    expect(JSON.stringify([...vault])).not.toContain("access");
  });
});

it("rejects a logout with cookies and without a network, because only the server can delete them", async () => {
  const browser = createFakeBrowser();
  const tab = await browser.openLoggedIn();
  goOffline(browser);
  await expect(tab.client.logout()).rejects.toMatchObject({ code: "offline" });
  expect(tab.client.session().status).toBe("authenticated");
  goOnline(browser);
  expect(await tab.client.logout()).toEqual({ revoked: true });
});
