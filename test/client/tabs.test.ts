import { describe, expect, it } from "vitest";
import { createFakeBrowser, type FakeTab, type TabOptions } from "./fake-browser.ts";

const refresh = "POST /api/auth/refresh/";
const nothing = ["storage", "openChannel", "locks"] as const;

async function openTabs(count: number, options: TabOptions = {}) {
  const browser = createFakeBrowser();
  const { client } = await browser.openLoggedIn(options);
  client.dispose();
  const tabs: FakeTab[] = [];
  for (let index = 0; index < count; index += 1) tabs.push(browser.openTab({ ...options, random: index / count }));
  await browser.clock.advance(1_000);
  for (const tab of tabs) tab.states.length = 0;
  browser.server.requests.length = 0;
  return { browser, tabs };
}

describe("five tabs that send a request at once after the access token has expired", () => {
  it.each([
    ["locks, a channel and storage", [], 1],
    ["no locks", ["locks"], 5],
    ["no channel", ["openChannel"], 1],
    ["no locks and no channel", ["locks", "openChannel"], 5],
    ["no storage", ["storage"], 5],
    ["no locks, no channel and no storage", nothing, 5],
  ] as const)("gives five tabs with %s five responses in one session", async (_, without, mostRefreshes) => {
    const { browser, tabs } = await openTabs(5, { without: [...without] });
    browser.server.latency = 40;
    browser.clock.sleep(3_600_000);
    const responses = tabs.map(({ client }) => client.fetch("/api/orders/"));
    await browser.clock.advance(5_000);
    expect((await Promise.all(responses)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(tabs.flatMap(({ states }) => states)).toEqual([]);
    expect([...browser.server.sessions.values()].filter(({ revoked }) => !revoked)).toHaveLength(1);
    expect(browser.server.count(refresh)).toBeLessThanOrEqual(mostRefreshes);
  });

  it("sends the same idempotency key from five tabs if there are no locks", async () => {
    const { browser, tabs } = await openTabs(5, { without: ["locks", "openChannel"] });
    browser.server.latency = 40;
    browser.clock.sleep(3_600_000);
    for (const { client } of tabs) void client.fetch("/api/orders/");
    await browser.clock.advance(5_000);
    const ids = browser.server.requests
      .filter(({ line }) => line === refresh)
      .map(({ headers }) => headers.get("Idempotency-Key"));
    expect(ids).toHaveLength(5);
    expect(new Set(ids).size).toBe(1);
    expect([...browser.server.sessions.values()][0]?.generation).toBe(1);
  });
});

describe("several tabs", () => {
  it("refreshes once for all tabs, in the tab with the largest jitter", async () => {
    const { browser, tabs } = await openTabs(5);
    await browser.clock.advance(1_740_000);
    expect(browser.server.count(refresh)).toBe(1);
    const times = tabs.map(({ client }) => client.countdown()?.accessExpiresIn);
    expect(new Set(times).size).toBe(1);
  });

  it("takes the time of a refresh from another tab's message if there is no storage", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["storage"] });
    await browser.clock.advance(600_000);
    void tabs[0]?.client.refresh();
    await browser.clock.advance(10);
    await tabs[1]?.wake("focus");
    expect(tabs[1]?.client.countdown()?.accessExpiresIn).toBeGreaterThan(1799);
  });

  it("removes the problem when another tab has refreshed", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["openChannel"] });
    const kind = new Response("{}", { status: 429, headers: { "Retry-After": "600" } });
    browser.server.faults.push({ on: "/refresh/", kind });
    void tabs[0]?.client.refresh();
    await browser.clock.advance(0);
    void tabs[1]?.client.refresh();
    await browser.clock.advance(0);
    expect(tabs[0]?.client.session().problem).toBe("throttled");
    await tabs[0]?.wake("focus");
    expect(tabs[0]?.client.session().problem).toBeUndefined();
    expect(browser.server.count(refresh)).toBe(2);
  });

  it("stops retrying to load the user when another tab has sent the user", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    browser.server.faults.push({ on: "/me/", kind: "offline" });
    const early = browser.openTab({ random: 1 });
    await browser.clock.advance(0);
    browser.openTab();
    await browser.clock.advance(60_000);
    expect(early.states).toEqual(["loading offline", "authenticated"]);
    expect(browser.server.count("GET /api/auth/me/")).toBe(1);
  });

  it("waits two seconds for a lock that another tab holds, and then sends the same idempotency key", async () => {
    const { browser, tabs } = await openTabs(2);
    browser.server.faults.push({ on: "/refresh/", kind: "hang" });
    const [frozen, other] = tabs as [FakeTab, FakeTab];
    void frozen.client.refresh();
    await browser.clock.advance(0);
    const storedKey = [...browser.storage].find(([key]) => key.endsWith("#attempt"))?.[1];
    void other.client.refresh();
    await browser.clock.advance(1_990);
    expect(browser.server.count(refresh)).toBe(0);
    await browser.clock.advance(100);
    expect(storedKey).toContain(browser.server.requests[0]?.headers.get("Idempotency-Key"));
    expect(other.states).toEqual([]);
  });

  it("continues without the lock if the browser never answers the request for it", async () => {
    const { browser } = await openTabs(1);
    const tab = browser.openTab({ losesLocks: true });
    await browser.clock.advance(2_000);
    expect(tab.states).toEqual(["authenticated"]);
  });

  it("logs all tabs out within a second after a logout in one", async () => {
    const { browser, tabs } = await openTabs(3);
    void tabs[0]?.client.logout();
    await browser.clock.advance(1_000);
    expect(tabs.map(({ states }) => states)).toEqual([
      ["anonymous logged_out"],
      ["anonymous logged_out"],
      ["anonymous logged_out"],
    ]);
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/csrf/", "POST /api/auth/logout/"]);
  });

  it("logs all tabs out when one of them learns that the session was revoked", async () => {
    const { browser, tabs } = await openTabs(3);
    browser.server.revoke("s1");
    void tabs[1]?.client.fetch("/api/orders/");
    await browser.clock.advance(1_000);
    expect(tabs.map(({ states }) => states)).toEqual([
      ["anonymous revoked"],
      ["anonymous revoked"],
      ["anonymous revoked"],
    ]);
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("logs all tabs in after a login in one", async () => {
    const { browser, tabs } = await openTabs(2);
    await tabs[0]?.client.logout();
    await browser.clock.advance(100);
    void tabs[1]?.client.login({ username: "alice", password: "secret" });
    await browser.clock.advance(100);
    expect(tabs[0]?.states).toEqual(["anonymous logged_out", "authenticated"]);
    expect(tabs[0]?.client.session().sessionId).toBe("s2");
  });

  it("reads another tab's logout from the storage if there is no channel", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["openChannel"] });
    await tabs[0]?.client.logout();
    await tabs[1]?.wake("visibilitychange");
    expect(tabs[1]?.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/csrf/", "POST /api/auth/logout/"]);
  });

  it("reads another tab's login from the storage if there is no channel", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["openChannel"] });
    await tabs[0]?.client.logout();
    await tabs[1]?.wake("focus");
    await tabs[0]?.client.login({ username: "alice", password: "secret" });
    await tabs[1]?.wake("focus");
    await browser.clock.advance(0);
    expect(tabs[1]?.client.session()).toMatchObject({ status: "authenticated", sessionId: "s2" });
  });

  it("learns of another tab's logout at the next request if there is neither storage nor a channel", async () => {
    const { browser, tabs } = await openTabs(2, { without: [...nothing] });
    await tabs[0]?.client.logout();
    const response = tabs[1]?.client.fetch("/api/orders/");
    await browser.clock.advance(100);
    expect((await response)?.status).toBe(401);
    expect(tabs[1]?.client.session().status).toBe("anonymous");
  });

  it("refreshes again after a refusal if another tab has received a new token meanwhile", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["locks"] });
    const [slow, fast] = tabs as [FakeTab, FakeTab];
    void slow.client.refresh();
    await browser.clock.advance(29);
    browser.server.latency = 50;
    const kind = new Response('{"detail":"Token is blacklisted","code":"token_not_valid"}', { status: 401 });
    browser.server.faults.push({ on: "/refresh/", kind });
    await browser.clock.advance(2); // the server has refused the refresh
    browser.server.latency = 1;
    void fast.client.login({ username: "alice", password: "secret" });
    await browser.clock.advance(1_000);
    expect(browser.server.count(refresh)).toBe(2);
    expect(slow.states).toEqual(["authenticated"]);
    expect(slow.client.session().sessionId).toBe("s2");
  });

  it("ignores a late message about the logout of the previous session", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["locks", "storage"] });
    browser.server.revoke("s1");
    void tabs[0]?.client.fetch("/api/orders/");
    await browser.clock.advance(30); // the message about the logout has been posted
    await tabs[1]?.client.login({ username: "alice", password: "secret" });
    await browser.clock.advance(1_000);
    expect(tabs.map(({ client }) => client.session().sessionId)).toEqual(["s2", "s2"]);
  });

  it("ignores a late message about a refresh of a session that is logged out", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["locks", "storage"] });
    void tabs[0]?.client.refresh();
    await browser.clock.advance(30); // the message about the refresh has been posted
    await tabs[1]?.client.logout();
    await browser.clock.advance(1_000);
    expect(tabs.map(({ states }) => states)).toEqual([["anonymous logged_out"], ["anonymous logged_out"]]);
  });

  it("stays logged out although another tab receives the response to an earlier refresh", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["locks"] });
    browser.server.latency = 50;
    void tabs[0]?.client.refresh();
    await browser.clock.advance(90); // the server has answered the refresh
    browser.server.latency = 1;
    void tabs[1]?.client.logout();
    const user = '{"id":"1","username":"alice","session":{"id":"s1"}}';
    browser.server.faults.push({ on: "/me/", kind: new Response(user) }); // of a node that lags behind
    await browser.clock.advance(2_000);
    expect(tabs.map(({ client }) => client.session())).toEqual([
      { status: "anonymous", reason: "logged_out" },
      { status: "anonymous", reason: "logged_out" },
    ]);
  });

  it("reads another tab's logout from the storage if the browser refuses to open a channel", async () => {
    const { tabs } = await openTabs(2, { blocksChannels: true });
    await tabs[0]?.client.logout();
    await tabs[1]?.wake("focus");
    expect(tabs[1]?.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
  });

  it("closes the channel when the page enters the back/forward cache, and reads the storage when it leaves it", async () => {
    const { browser, tabs } = await openTabs(2);
    const [cached, other] = tabs as [FakeTab, FakeTab];
    await cached.wake("pagehide");
    expect(cached.openChannels()).toBe(0);
    await other.client.logout();
    await browser.clock.advance(100);
    expect(cached.client.session().status).toBe("authenticated");
    await cached.wake("pageshow");
    expect(cached.openChannels()).toBe(1);
    expect(cached.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
  });

  it("asks the server who is logged in when the page leaves the back/forward cache, and not when it is opened", async () => {
    const { browser, tabs } = await openTabs(1);
    const cached = tabs[0] as FakeTab;
    await cached.wake("pageshow");
    expect(browser.server.requests).toEqual([]);
    for (const username of ["alice", "bob"]) {
      await cached.wake("pagehide");
      await browser.logInElsewhere(username);
      await cached.wake("visibilitychange");
      expect(browser.server.requests).toEqual([]);
      await cached.wake("pageshow");
      expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/me/"]);
      expect(cached.client.session().user?.username).toBe(username);
    }
  });

  it("sends no write of a page that leaves the back/forward cache before it knows who is logged in", async () => {
    const { browser, tabs } = await openTabs(1);
    const cached = tabs[0] as FakeTab;
    await cached.wake("pagehide");
    await browser.logInElsewhere("bob");
    browser.server.latency = 10;
    void cached.wake("pageshow");
    const write = expect(cached.client.fetch("/api/orders/", { method: "POST" })).rejects.toMatchObject({
      code: "session_changed",
    });
    await browser.clock.advance(100);
    await write;
    expect(browser.server.count("POST /api/orders/")).toBe(0);
    expect(cached.client.session().user?.username).toBe("bob");
  });

  it("is anonymous when the page leaves the back/forward cache after another front end's logout", async () => {
    const { browser, tabs } = await openTabs(1);
    await tabs[0]?.wake("pagehide");
    browser.server.revoke("s1");
    browser.jar.clear();
    await tabs[0]?.wake("pageshow");
    expect(tabs[0]?.states).toEqual(["anonymous expired"]);
  });

  it("shares the record, the idempotency key and messages in a format that tabs with version 0.1 read", async () => {
    const { browser, tabs } = await openTabs(1);
    const fingerprint = browser.jar.get("csrftoken")?.slice(-16);
    await tabs[0]?.client.refresh();
    const key = browser.server.requests[0]?.headers.get("Idempotency-Key");
    const at = browser.clock.time();
    const name = "tokenpair cookie https://app.example/api/auth";
    expect(Object.fromEntries(browser.storage)).toEqual({
      [name]: JSON.stringify({ at, lifetime: 1800, refreshLifetime: 2_592_000, sessionId: "s1" }),
      [`${name}#attempt`]: `${key} ${fingerprint}`,
    });
    const user = { id: "1", username: "alice" };
    expect(browser.messages.at(-1)).toEqual({
      record: { at, lifetime: 1800, refreshLifetime: 2_592_000, sessionId: "s1" },
      user,
    });
    await tabs[0]?.client.logout();
    const record = { at, lifetime: 0, sessionId: "s1", ended: "logged_out" };
    expect(Object.fromEntries(browser.storage)).toEqual({ [name]: JSON.stringify(record) });
    expect(browser.messages.at(-1)).toEqual({ record });
  });

  it("stores neither a token nor the CSRF token", async () => {
    const { browser } = await openTabs(2);
    const stored = JSON.stringify([...browser.storage]);
    expect(stored).toContain("s1");
    for (const name of ["access", "refresh", "csrftoken"]) expect(stored).not.toContain(browser.jar.get(name));
  });
});
