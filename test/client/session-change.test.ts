import { describe, expect, it } from "vitest";
import { userSessions } from "../../src/client/user-sessions.ts";
import { createFakeBrowser, type FakeTab, type TabOptions, toStorage } from "./fake-browser.ts";

const order = { method: "POST", body: "x" };
const bob = { status: "authenticated", user: { id: "2", username: "bob" }, sessionId: "s2" };

/** Opens a tab in which alice is logged in, and logs bob in to the same browser without the tab's client. */
async function openChanged(options: TabOptions = {}) {
  const browser = createFakeBrowser();
  const tab = await browser.openLoggedIn(options);
  await tab.client.fetch("/api/orders/", order);
  await browser.logInElsewhere("bob");
  const settle = async <T>(promise: Promise<T>) => {
    const outcome = promise.then(
      () => "fulfilled",
      ({ code }) => code,
    );
    await browser.clock.advance(0);
    return outcome;
  };
  return { browser, tab, settle };
}

describe("another user who logs in to the same browser", () => {
  it.each<[string, (tab: FakeTab) => Promise<unknown>]>([
    ["fetch()", ({ client }) => client.fetch("/api/orders/", order)],
    ["logout()", ({ client }) => client.logout()],
    ["logout() of all sessions", ({ client }) => client.logout("all")],
    ["changePassword()", ({ client }) => client.changePassword({ currentPassword: "secret", newPassword: "better" })],
    ["sessions.revoke()", ({ client }) => userSessions(client).revoke("s2")],
    ["sessions.label()", ({ client }) => userSessions(client).label("s2", "mine")],
  ])("rejects %s of the page with session_changed, sends nothing and shows the other user", async (_, act) => {
    const { browser, tab, settle } = await openChanged();
    expect(await settle(act(tab))).toBe("session_changed");
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/csrf/", "GET /api/auth/me/"]);
    expect(tab.client.session()).toEqual(bob);
    expect(await settle(tab.client.fetch("/api/orders/", order))).toBe("fulfilled");
  });

  it("is noticed by a page on another origin when the server refuses the first user's CSRF token", async () => {
    const { browser, tab, settle } = await openChanged({ baseUrl: "https://api.example" });
    expect(await settle(tab.client.changePassword({ currentPassword: "secret", newPassword: "x" }))).toBe(
      "session_changed",
    );
    expect(browser.server.count("POST /api/auth/password/")).toBe(1); // with alice's CSRF token, so it is refused
    expect(browser.server.sessions.get("s2")?.generation).toBe(0);
    expect(tab.client.session()).toEqual(bob);
  });

  it("is noticed by a service worker's page although the worker answers GET requests from its cache", async () => {
    const { browser, tab, settle } = await openChanged({ cacheFirst: true });
    await browser.clock.advance(1);
    expect(await settle(tab.client.fetch("/api/orders/", order))).toBe("session_changed");
    expect(browser.server.count("POST /api/orders/")).toBe(0);
    expect(tab.client.session()).toEqual(bob);
  });

  it("is noticed by a tab that was frozen during the login", async () => {
    const browser = createFakeBrowser();
    const frozen = await browser.openLoggedIn({ without: ["storage"] });
    const other = browser.openTab({ without: ["storage"] });
    await browser.clock.advance(100);
    frozen.freeze();
    void other.client.login({ username: "bob", password: "secret" });
    await browser.clock.advance(100);
    expect(frozen.client.session().user?.username).toBe("alice");
    browser.server.requests.length = 0;
    const write = expect(frozen.client.fetch("/api/orders/", order)).rejects.toMatchObject({ code: "session_changed" });
    frozen.thaw();
    await browser.clock.advance(100);
    await write;
    expect(browser.server.count("POST /api/orders/")).toBe(0);
    expect(frozen.client.session()).toEqual(bob);
  });

  it("is noticed by a tab that was frozen before the response to its refresh arrived", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await tab.client.refresh();
    // The cookie is bob's by the time that the tab reads it.
    await browser.logInElsewhere("bob");
    await expect(tab.client.fetch("/api/orders/", order)).rejects.toMatchObject({ code: "session_changed" });
    expect(browser.server.count("POST /api/orders/")).toBe(0);
    expect(tab.client.session()).toEqual(bob);
  });

  it("is noticed although the cookie changes between two looks at it", async () => {
    const browser = createFakeBrowser();
    let readsUntilBob = Number.POSITIVE_INFINITY;
    let bobs: readonly (readonly [string, string])[] = [];
    const tab = await browser.openLoggedIn({
      toCookies(csrf) {
        readsUntilBob -= 1;
        if (readsUntilBob === 0) for (const [name, value] of bobs) browser.jar.set(name, value);
        return `csrftoken=${csrf}`;
      },
    });
    await tab.client.fetch("/api/orders/", order); // the token is known from now on
    const alices = [...browser.jar];
    await browser.logInElsewhere("bob");
    bobs = [...browser.jar];
    for (const [name, value] of alices) browser.jar.set(name, value);
    readsUntilBob = 2; // one for each name that the cookie may have
    await expect(tab.client.fetch("/api/orders/", order)).rejects.toMatchObject({ code: "session_changed" });
    expect(browser.server.count("POST /api/orders/")).toBeLessThanOrEqual(1); // refused: its token isn't the cookie's
    expect(tab.client.session()).toEqual(bob);
  });

  it("is shown after the next refresh, which names the session and the user", async () => {
    const { browser, tab } = await openChanged();
    await tab.client.refresh();
    expect(tab.client.session()).toEqual(bob);
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["POST /api/auth/refresh/"]);
  });

  it("gets a GET that was refused with a 401, because it changes nothing", async () => {
    const { browser, tab, settle } = await openChanged();
    const refusal = new Response("{}", { status: 401, headers: { "WWW-Authenticate": "Bearer" } });
    browser.server.faults.push({ on: "/api/orders/", kind: refusal });
    expect(await settle(tab.client.fetch("/api/orders/"))).toBe("fulfilled");
    expect(browser.server.count("GET /api/orders/")).toBe(2);
    expect(tab.client.session()).toEqual(bob);
  });

  it("gets no write that was refused with a 401 while the first user was shown", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    const refusal = new Response("{}", { status: 401, headers: { "WWW-Authenticate": "Bearer" } });
    browser.server.faults.push({ on: "/api/orders/", kind: refusal });
    browser.server.latency = 10;
    const write = expect(tab.client.fetch("/api/orders/", order)).rejects.toMatchObject({ code: "session_changed" });
    await browser.clock.advance(25); // the CSRF token is known, and the request is under way
    browser.server.latency = 0;
    await browser.logInElsewhere("bob");
    browser.server.requests.length = 0;
    await browser.clock.advance(100);
    await write;
    expect(browser.server.count("POST /api/orders/")).toBe(1); // the first attempt, which arrived before
    expect(tab.client.session()).toEqual(bob);
  });

  it("gets no write of a page that still shows the login form", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab();
    await browser.clock.advance(0);
    await browser.logInElsewhere("bob");
    await expect(tab.client.fetch("/api/orders/", order)).rejects.toMatchObject({ code: "session_changed" });
    expect(browser.server.count("POST /api/orders/")).toBe(0);
    expect(tab.client.session()).toMatchObject({ status: "authenticated", user: { username: "bob" } });
  });

  it("can be replaced by a login on the page", async () => {
    const { tab } = await openChanged();
    const state = await tab.client.login({ username: "alice", password: "secret" });
    expect(state).toMatchObject({ user: { username: "alice" }, sessionId: "s3" });
  });

  it("doesn't get a write of a bearer client whose storage another process has changed", async () => {
    const browser = createFakeBrowser();
    const vault = new Map<string, string>();
    const options: TabOptions = { storage: toStorage(vault), baseUrl: "https://api.example", without: ["openChannel"] };
    const tab = await browser.openLoggedIn(options);
    const other = browser.openTab(options);
    await browser.clock.advance(100);
    void other.client.login({ username: "bob", password: "secret" });
    await browser.clock.advance(100);
    browser.server.requests.length = 0;
    const write = expect(tab.client.fetch("/api/orders/", order)).rejects.toMatchObject({ code: "session_changed" });
    await browser.clock.advance(100);
    await write;
    expect(browser.server.count("POST /api/orders/")).toBe(0);
    expect(tab.client.session()).toEqual(bob);
  });
});

describe("a session that is over in this browser", () => {
  it("resolves logout() without a request that could reach another session", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.jar.clear();
    await tab.client.logout();
    expect(tab.client.session().status).toBe("anonymous");
    expect(browser.server.count("POST /api/auth/logout/")).toBe(0);
  });
});

describe("a changed username", () => {
  it.each<[string, TabOptions]>([
    ["a cookie client", {}],
    ["a bearer client", { storage: toStorage(new Map()), baseUrl: "https://api.example" }],
  ])("is shown by %s after refresh()", async (_, options) => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn(options);
    const alice = browser.server.users.get("alice");
    if (alice) alice.username = "alicia";
    const refreshed = tab.client.refresh();
    await browser.clock.advance(100);
    expect((await refreshed).user).toEqual({ id: "1", username: "alicia" });
  });
});

describe("a server with version 0.1", () => {
  it("refreshes, writes and logs out, although the server names no session", async () => {
    const browser = createFakeBrowser();
    browser.server.isOld = true;
    const tab = await browser.openLoggedIn();
    await browser.clock.advance(2 * 1_740_000);
    for (let time = 0; time < 2; time += 1) expect((await tab.client.fetch("/api/orders/", order)).status).toBe(200);
    expect(browser.server.count("GET /api/auth/csrf/")).toBe(1);
    expect(tab.states).toEqual([]);
    await tab.client.logout();
    expect(tab.states).toEqual(["anonymous logged_out"]);
  });

  it("ends the session by a refused refresh, although the server sends no Session-Ended", async () => {
    const browser = createFakeBrowser();
    browser.server.isOld = true;
    const tab = await browser.openLoggedIn();
    browser.server.revoke("s1");
    await tab.client.refresh();
    expect(tab.states).toEqual(["anonymous revoked"]);
  });

  it("keeps the user logged in through an upgrade of the server", async () => {
    const browser = createFakeBrowser();
    browser.server.isOld = true;
    const tab = await browser.openLoggedIn();
    browser.server.isOld = false;
    expect((await tab.client.fetch("/api/orders/", order)).status).toBe(200);
    await browser.clock.advance(2 * 1_740_000);
    expect((await tab.client.fetch("/api/orders/", order)).status).toBe(200);
    expect(tab.states).toEqual([]);
  });
});
