import { describe, expect, it } from "vitest";
import { createFakeBrowser, type FakeBrowser, type TabOptions, toStorage } from "./fake-browser.ts";

const alice = { status: "authenticated", user: { id: "1", username: "alice" }, sessionId: "s1" };
const bob = { status: "authenticated", user: { id: "2", username: "bob" }, sessionId: "s2" };

async function finish<T>(browser: FakeBrowser, promise: Promise<T>) {
  await browser.clock.advance(100);
  return promise;
}

const origins: readonly (readonly [string, TabOptions])[] = [
  ["the server's origin", {}],
  ["another origin", { baseUrl: "https://api.example" }],
];

describe.each(origins)("reload() on %s", (_, options) => {
  it("adopts a session that began without the client, and keeps it alive", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab(options);
    await browser.clock.advance(100);
    expect(tab.client.session()).toEqual({ status: "anonymous" });
    await browser.logInElsewhere("alice");
    expect(await finish(browser, tab.client.reload())).toEqual(alice);
    expect(tab.client.countdown()?.accessExpiresIn).toBeGreaterThan(1790);
    expect((await tab.client.fetch("/api/orders/", { method: "POST", body: "x" })).status).toBe(200);
    await browser.clock.advance(1_800_000);
    expect(tab.client.session()).toEqual(alice);
    expect(browser.server.count("POST /api/auth/refresh/")).toBe(2);
  });

  it("shows another user who has logged in without the client", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn(options);
    await browser.logInElsewhere("bob");
    expect(await finish(browser, tab.client.reload())).toEqual(bob);
    expect((await tab.client.fetch("/api/orders/", { method: "POST", body: "x" })).status).toBe(200);
    expect(tab.states).toEqual(["authenticated"]);
  });

  it("adopts a new session after a logout in the same page", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn(options);
    await finish(browser, tab.client.logout());
    await browser.logInElsewhere("bob");
    expect(await finish(browser, tab.client.reload())).toEqual(bob);
  });
});

describe("reload()", () => {
  it("changes nothing if the session is still the same, and sends one request", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    const before = tab.client.session();
    expect(await finish(browser, tab.client.reload())).toBe(before);
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/me/"]);
    expect(tab.states).toEqual([]);
  });

  it("shows that the session was ended without the client", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.server.revoke("s1");
    browser.jar.clear();
    expect(await finish(browser, tab.client.reload())).toEqual({ status: "anonymous", reason: "expired" });
  });

  it("stays anonymous without a request if there is no session", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab();
    await browser.clock.advance(0);
    expect(await finish(browser, tab.client.reload())).toEqual({ status: "anonymous" });
    expect(browser.server.requests).toEqual([]);
  });

  it("resolves with the problem if the server can't be reached, and adopts the session when it can be", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab({ random: 0.5 });
    await browser.clock.advance(0);
    await browser.logInElsewhere("alice");
    browser.server.faults.push({ on: "/", kind: "offline" });
    expect(await finish(browser, tab.client.reload())).toEqual({ status: "anonymous", problem: "offline" });
    expect(await finish(browser, tab.client.reload())).toEqual(alice);
  });

  it("shows the adopted session in the other tabs", async () => {
    const browser = createFakeBrowser();
    const tabs = [browser.openTab(), browser.openTab()];
    await browser.clock.advance(100);
    await browser.logInElsewhere("alice");
    await finish(browser, (tabs[0] as (typeof tabs)[0]).client.reload());
    expect(tabs.map(({ client }) => client.session())).toEqual([alice, alice]);
    expect(browser.server.count("POST /api/auth/refresh/")).toBe(1);
  });

  it("waits for a refresh that is running, and shows who is logged in after it", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.server.latency = 20;
    void tab.client.refresh();
    await browser.clock.advance(5);
    const reloaded = tab.client.reload();
    await browser.clock.advance(25); // the refresh was answered, and its response is under way
    browser.server.latency = 0;
    await browser.clock.advance(10);
    expect(await finish(browser, reloaded)).toEqual(alice);
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["POST /api/auth/refresh/", "GET /api/auth/me/"]);
  });

  it("shows the session that another process has written to the storage of a bearer client", async () => {
    const browser = createFakeBrowser();
    const options: TabOptions = {
      storage: toStorage(new Map()),
      baseUrl: "https://api.example",
      without: ["openChannel"],
    };
    const tab = browser.openTab(options);
    await browser.clock.advance(100);
    await browser.openLoggedIn(options);
    expect(await finish(browser, tab.client.reload())).toEqual(alice);
  });
});

describe("the claims of a user", () => {
  const clients: readonly (readonly [string, () => TabOptions])[] = [
    ["a cookie client", () => ({})],
    ["a bearer client", () => ({ storage: toStorage(new Map()), baseUrl: "https://api.example" })],
  ];

  it.each(clients)(
    "are in the state of %s after a login and a reload of the page, and follow the server",
    async (_, toOptions) => {
      const browser = createFakeBrowser();
      const options = toOptions();
      Object.assign(browser.server.users.get("alice") ?? {}, { claims: { roles: ["editor"] } });
      const tab = await browser.openLoggedIn(options);
      expect(tab.client.session().user).toEqual({ id: "1", username: "alice", claims: { roles: ["editor"] } });
      const reopened = browser.openTab(options);
      await browser.clock.advance(100);
      expect(reopened.client.session().user?.claims).toEqual({ roles: ["editor"] });
      Object.assign(browser.server.users.get("alice") ?? {}, { claims: { roles: ["admin"] } });
      await finish(browser, tab.client.refresh());
      expect(tab.client.session().user?.claims).toEqual({ roles: ["admin"] });
      expect(JSON.stringify([...browser.storage])).not.toContain("admin");
    },
  );

  it("are undefined if the server sends none", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    expect(tab.client.session().user?.claims).toBeUndefined();
  });
});
