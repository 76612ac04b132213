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

describe("five tabs that ask at once, past expiry", () => {
  it.each([
    ["with everything", [], 1],
    ["without locks", ["locks"], 5],
    ["without a channel", ["openChannel"], 1],
    ["without locks and channel", ["locks", "openChannel"], 5],
    ["without storage", ["storage"], 5],
    ["with nothing to go by", nothing, 5],
  ] as const)("%s get five answers and one session", async (_, without, mostRefreshes) => {
    const { browser, tabs } = await openTabs(5, { without: [...without] });
    browser.server.latency = 40;
    browser.clock.sleep(3_600_000);
    const responses = tabs.map(({ client }) => client.fetch("/api/orders/"));
    await browser.clock.advance(5_000);
    expect((await Promise.all(responses)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(tabs.flatMap(({ states }) => states)).toEqual([]);
    expect([...browser.server.sessions.values()].filter(({ ended }) => !ended)).toHaveLength(1);
    expect(browser.server.count(refresh)).toBeLessThanOrEqual(mostRefreshes);
  });

  it("agree on one attempt id where there are no locks", async () => {
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

describe("tabs", () => {
  it("refresh once for all of them when it is due, the earliest jitter first", async () => {
    const { browser, tabs } = await openTabs(5);
    await browser.clock.advance(1_740_000);
    expect(browser.server.count(refresh)).toBe(1);
    const times = tabs.map(({ client }) => client.countdown()?.accessExpiresIn);
    expect(new Set(times).size).toBe(1);
  });

  it("keep to the time that the channel told them where there is no storage", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["storage"] });
    await browser.clock.advance(600_000);
    void tabs[0]?.client.refresh();
    await browser.clock.advance(10);
    await tabs[1]?.wake("focus");
    expect(tabs[1]?.client.countdown()?.accessExpiresIn).toBeGreaterThan(1799);
  });

  it("have no problem any more when another tab could refresh", async () => {
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

  it("stop trying to learn who is logged in when another tab has told them", async () => {
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

  it("wait for another tab's lock for two seconds and then go on with its attempt id", async () => {
    const { browser, tabs } = await openTabs(2);
    browser.server.faults.push({ on: "/refresh/", kind: "hang" });
    const [frozen, other] = tabs as [FakeTab, FakeTab];
    void frozen.client.refresh();
    await browser.clock.advance(0);
    const pending = [...browser.storage].find(([key]) => key.endsWith("#attempt"))?.[1];
    void other.client.refresh();
    await browser.clock.advance(1_990);
    expect(browser.server.count(refresh)).toBe(0);
    await browser.clock.advance(100);
    expect(pending).toContain(browser.server.requests[0]?.headers.get("Idempotency-Key"));
    expect(other.states).toEqual([]);
  });

  it("are all logged out by a logout in one, within a second and without a request", async () => {
    const { browser, tabs } = await openTabs(3);
    void tabs[0]?.client.logout();
    await browser.clock.advance(1_000);
    expect(tabs.map(({ states }) => states)).toEqual([
      ["anonymous logged_out"],
      ["anonymous logged_out"],
      ["anonymous logged_out"],
    ]);
    expect(browser.server.requests).toHaveLength(1);
  });

  it("are all told once when one of them learns that the session was revoked", async () => {
    const { browser, tabs } = await openTabs(3);
    browser.server.end("s1");
    void tabs[1]?.client.fetch("/api/orders/");
    await browser.clock.advance(1_000);
    expect(tabs.map(({ states }) => states)).toEqual([
      ["anonymous revoked"],
      ["anonymous revoked"],
      ["anonymous revoked"],
    ]);
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("are all logged in by a login in one", async () => {
    const { browser, tabs } = await openTabs(2);
    await tabs[0]?.client.logout();
    await browser.clock.advance(100);
    void tabs[1]?.client.login({ username: "alice", password: "secret" });
    await browser.clock.advance(100);
    expect(tabs[0]?.states).toEqual(["anonymous logged_out", "authenticated"]);
    expect(tabs[0]?.client.session().sessionId).toBe("s2");
  });

  it("take over another tab's logout from the record where there is no channel", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["openChannel"] });
    await tabs[0]?.client.logout();
    await tabs[1]?.wake("visibilitychange");
    expect(tabs[1]?.client.session()).toEqual({ status: "anonymous", reason: "logged_out" });
    expect(browser.server.requests).toHaveLength(1);
  });

  it("take over another tab's login from the record where there is no channel", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["openChannel"] });
    await tabs[0]?.client.logout();
    await tabs[1]?.wake("focus");
    await tabs[0]?.client.login({ username: "alice", password: "secret" });
    await tabs[1]?.wake("focus");
    await browser.clock.advance(0);
    expect(tabs[1]?.client.session()).toMatchObject({ status: "authenticated", sessionId: "s2" });
  });

  it("learn of a logout at their next request where there is nothing to go by", async () => {
    const { browser, tabs } = await openTabs(2, { without: [...nothing] });
    await tabs[0]?.client.logout();
    const response = tabs[1]?.client.fetch("/api/orders/");
    await browser.clock.advance(100);
    expect((await response)?.status).toBe(401);
    expect(tabs[1]?.client.session().status).toBe("anonymous");
  });

  it("do not believe a refusal that another tab's new token has overtaken: they try once more", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["locks"] });
    const [slow, fast] = tabs as [FakeTab, FakeTab];
    void slow.client.refresh();
    await browser.clock.advance(29);
    browser.server.latency = 50;
    const kind = new Response('{"detail":"Token is blacklisted","code":"token_not_valid"}', { status: 401 });
    browser.server.faults.push({ on: "/refresh/", kind });
    await browser.clock.advance(2); // the refusal is on its way
    browser.server.latency = 1;
    void fast.client.login({ username: "alice", password: "secret" });
    await browser.clock.advance(1_000);
    expect(browser.server.count(refresh)).toBe(2);
    expect(slow.states).toEqual(["authenticated"]);
    expect(slow.client.session().sessionId).toBe("s2");
  });

  it("are not logged out by late news of the session before", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["locks", "storage"] });
    browser.server.end("s1");
    void tabs[0]?.client.fetch("/api/orders/");
    await browser.clock.advance(30); // the news of its end is on the way
    await tabs[1]?.client.login({ username: "alice", password: "secret" });
    await browser.clock.advance(1_000);
    expect(tabs.map(({ client }) => client.session().sessionId)).toEqual(["s2", "s2"]);
  });

  it("are not brought back to life by late news of a session that has ended", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["locks", "storage"] });
    void tabs[0]?.client.refresh();
    await browser.clock.advance(30); // its news is on the way
    await tabs[1]?.client.logout();
    await browser.clock.advance(1_000);
    expect(tabs.map(({ states }) => states)).toEqual([["anonymous logged_out"], ["anonymous logged_out"]]);
  });

  it("are not brought back to life by a refresh that was answered before the logout", async () => {
    const { browser, tabs } = await openTabs(2, { without: ["locks"] });
    browser.server.latency = 50;
    void tabs[0]?.client.refresh();
    await browser.clock.advance(90); // the server has answered the refresh
    browser.server.latency = 1;
    void tabs[1]?.client.logout();
    const user = '{"id":"1","username":"alice","session":{"id":"s1"}}';
    browser.server.faults.push({ on: "/me/", kind: new Response(user) }); // a node that has not heard of it yet
    await browser.clock.advance(2_000);
    expect(tabs.map(({ client }) => client.session())).toEqual([
      { status: "anonymous", reason: "logged_out" },
      { status: "anonymous", reason: "logged_out" },
    ]);
  });

  it("close their channel when they go into the back/forward cache and look again when they come back", async () => {
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

  it("hold no token in anything that they share", async () => {
    const { browser } = await openTabs(2);
    const stored = JSON.stringify([...browser.storage]);
    expect(stored).toContain("s1");
    for (const name of ["access", "refresh", "csrftoken"]) expect(stored).not.toContain(browser.jar.get(name));
  });
});
