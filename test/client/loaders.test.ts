import { describe, expect, it } from "vitest";
import type { BearerClient } from "../../src/client/bearer/bearer-client.ts";
import type { CookieClient } from "../../src/client/cookie/client.ts";
import { createFakeBrowser, type FakeBrowser, type TabOptions, toStorage } from "./fake-browser.ts";

const clients: readonly (readonly [string, () => TabOptions, string])[] = [
  ["a cookie client", () => ({}), "POST /api/auth/refresh/"],
  [
    "a bearer client",
    () => ({ storage: toStorage(new Map()), baseUrl: "https://api.example" }),
    "POST /api/token/refresh/",
  ],
];

/** Returns the outcome of a promise after `delay` milliseconds: its value, its error or "pending". */
async function settle<T>({ clock }: FakeBrowser, promise: Promise<T>, delay = 100) {
  let outcome: unknown = "pending";
  promise.then(
    (value) => {
      outcome = value;
    },
    (error) => {
      outcome = error;
    },
  );
  await clock.advance(delay);
  return outcome;
}

describe.each(clients)("ready() of %s", (_, toOptions) => {
  async function reload(browser: FakeBrowser, options: TabOptions) {
    (await browser.openLoggedIn(options)).client.dispose();
    browser.server.requests.length = 0;
    return browser.openTab(options);
  }

  it("resolves to the state of a user who is logged in, and sends nothing of its own", async () => {
    const browser = createFakeBrowser();
    const { client } = await reload(browser, toOptions());
    expect(client.session().status).toBe("loading");
    expect(await settle(browser, client.ready())).toMatchObject({ status: "authenticated", sessionId: "s1" });
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/me/"]);
  });

  it("resolves to the state anonymous for a visitor, and at once when the state is known", async () => {
    const browser = createFakeBrowser();
    const { client } = browser.openTab(toOptions());
    expect(await settle(browser, client.ready())).toEqual({ status: "anonymous" });
    browser.server.requests.length = 0;
    expect(await settle(browser, client.ready(), 0)).toBe(client.session());
    expect(browser.server.requests).toEqual([]);
  });

  it("rejects with the problem if the server can't be reached, and resolves after the client has reached it", async () => {
    const browser = createFakeBrowser();
    const options = toOptions();
    const tab = await reload(browser, { ...options, random: 0.5 });
    browser.server.faults.push({ on: "/", kind: "offline" });
    expect(await settle(browser, tab.client.ready())).toMatchObject({ code: "offline", status: 0 });
    expect(await settle(browser, tab.client.ready())).toMatchObject({ code: "offline" });
    await browser.clock.advance(2_000);
    expect(await settle(browser, tab.client.ready())).toMatchObject({ status: "authenticated" });
  });

  it("resolves at once to the last known state although the access token has expired and the server hangs", async () => {
    const browser = createFakeBrowser();
    const { client } = await browser.openLoggedIn(toOptions());
    browser.server.faults.push({ on: "/", kind: "hang", times: 9 });
    browser.clock.sleep(3_600_000);
    expect(await settle(browser, client.ready(), 0)).toBe(client.session());
  });

  it("resolves to the last known state if the network is lost afterwards", async () => {
    const browser = createFakeBrowser();
    const { client } = await browser.openLoggedIn({ ...toOptions(), random: 1 });
    browser.server.faults.push({ on: "/", kind: "offline", times: 99 });
    void client.refresh();
    await browser.clock.advance(100);
    expect(await settle(browser, client.ready())).toMatchObject({ status: "authenticated", problem: "offline" });
  });
});

describe.each(clients)("ensure() of %s", (_, toOptions, refresh) => {
  it("sends nothing while the access token is good, however often it is called", async () => {
    const browser = createFakeBrowser();
    const { client } = await browser.openLoggedIn(toOptions());
    await browser.clock.advance(1_700_000);
    const states = await Promise.all(Array.from({ length: 20 }, () => client.ensure()));
    expect(new Set(states)).toEqual(new Set([client.session()]));
    expect(browser.server.requests).toEqual([]);
  });

  it("refreshes once for any number of callers if the access token has expired", async () => {
    const browser = createFakeBrowser();
    const { client } = await browser.openLoggedIn(toOptions());
    browser.server.latency = 20;
    browser.clock.sleep(3_600_000);
    const states = Promise.all(Array.from({ length: 20 }, () => client.ensure()));
    await browser.clock.advance(500);
    expect(new Set(await states)).toEqual(new Set([client.session()]));
    expect(browser.server.count(refresh)).toBe(1);
    expect(client.countdown()?.accessExpiresIn).toBeGreaterThan(1790);
  });

  it("refreshes an access token that lasts less than a minute more, because a timer was late", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn(toOptions());
    tab.freeze();
    await browser.clock.advance(1_790_000);
    expect(await settle(browser, tab.client.ensure())).toMatchObject({ status: "authenticated" });
    expect(browser.server.count(refresh)).toBe(1);
    expect(tab.client.countdown()?.accessExpiresIn).toBeGreaterThan(1790);
  });

  it("resolves without a refresh while the token lasts, although the network is lost", async () => {
    const browser = createFakeBrowser();
    const { client } = await browser.openLoggedIn({ ...toOptions(), random: 1 });
    browser.server.faults.push({ on: "/", kind: "offline", times: 99 });
    browser.clock.sleep(1_790_000);
    expect(await settle(browser, client.ensure())).toMatchObject({ status: "authenticated", problem: "offline" });
    browser.clock.sleep(20_000);
    expect(await settle(browser, client.ensure())).toMatchObject({ code: "offline", name: "ClientError" });
  });

  it("resolves to the state anonymous without a request if no user is logged in", async () => {
    const browser = createFakeBrowser();
    const { client } = browser.openTab(toOptions());
    await browser.clock.advance(100);
    expect(await settle(browser, client.ensure())).toEqual({ status: "anonymous" });
    expect(browser.server.requests).toEqual([]);
  });

  it("resolves to the state anonymous if the session was revoked meanwhile", async () => {
    const browser = createFakeBrowser();
    const { client } = await browser.openLoggedIn(toOptions());
    browser.server.revoke("s1");
    browser.clock.sleep(3_600_000);
    expect(await settle(browser, client.ensure())).toMatchObject({ status: "anonymous" });
  });
});

describe("csrfToken()", () => {
  const write = (browser: FakeBrowser, token: string) =>
    browser.server.fetch(browser.jar, "https://app.example/api/orders/", {
      method: "POST",
      headers: { "X-CSRFToken": token },
      body: "x",
    });

  it("returns the token of the session that the client shows, which the server accepts", async () => {
    const browser = createFakeBrowser();
    const client = (await browser.openLoggedIn()).client as CookieClient;
    expect((await write(browser, await client.csrfToken())).status).toBe(200);
  });

  it("refreshes an expired access token first, and returns the token that follows", async () => {
    const browser = createFakeBrowser();
    const client = (await browser.openLoggedIn()).client as CookieClient;
    browser.clock.sleep(3_600_000);
    const token = (await settle(browser, client.csrfToken())) as string;
    expect(browser.server.sessions.get("s1")?.generation).toBe(1);
    expect((await write(browser, token)).status).toBe(200);
  });

  it("waits until the state is known if it is called when the page is opened", async () => {
    const browser = createFakeBrowser();
    (await browser.openLoggedIn()).client.dispose();
    const client = browser.openTab().client as CookieClient;
    expect(await settle(browser, client.csrfToken())).toBe(browser.jar.get("csrftoken"));
  });

  it("returns the token for a login form if no user is logged in", async () => {
    const browser = createFakeBrowser();
    const client = browser.openTab().client as CookieClient;
    await browser.clock.advance(0);
    expect(await client.csrfToken()).toMatch(/^n/);
  });

  it("rejects with session_changed and shows the other user if another user has logged in to this browser", async () => {
    const browser = createFakeBrowser();
    const client = (await browser.openLoggedIn()).client as CookieClient;
    await client.csrfToken();
    await browser.logInElsewhere("bob");
    expect(await settle(browser, client.csrfToken())).toMatchObject({ code: "session_changed" });
    expect(client.session()).toMatchObject({ user: { username: "bob" } });
  });
});

describe("accessToken()", () => {
  const open = async (browser: FakeBrowser, options: TabOptions = {}) =>
    (await browser.openLoggedIn({ storage: toStorage(new Map()), baseUrl: "https://api.example", ...options }))
      .client as BearerClient;
  const toHeaders = (token: unknown) => ({ headers: { Authorization: `Bearer ${token}` } });

  it("returns a token that the server accepts, after a refresh if the last one has expired", async () => {
    const browser = createFakeBrowser();
    const client = await open(browser);
    const first = await client.accessToken();
    expect(await client.accessToken()).toBe(first);
    browser.clock.sleep(3_600_000);
    const second = await settle(browser, client.accessToken());
    expect(second).not.toBe(first);
    const response = await browser.server.fetch(new Map(), "https://api.example/api/orders/", toHeaders(second));
    expect(response.status).toBe(200);
  });

  it("returns undefined if no user is logged in", async () => {
    const browser = createFakeBrowser();
    const client = await open(browser);
    void client.logout();
    await browser.clock.advance(100);
    expect(await settle(browser, client.accessToken())).toBeUndefined();
  });

  it("rejects if the token has expired and the server can't be reached", async () => {
    const browser = createFakeBrowser();
    const client = await open(browser);
    browser.clock.sleep(3_600_000);
    browser.server.faults.push({ on: "/", kind: "offline", times: 9 });
    expect(await settle(browser, client.accessToken())).toMatchObject({ code: "offline" });
  });

  it("gets a new token if only another tab has the current one, because it is too large for the storage", async () => {
    const browser = createFakeBrowser();
    browser.server.claims = { roles: Array.from({ length: 300 }, (_, at) => `role-${at}`) };
    const storage = toStorage(new Map());
    const client = await open(browser, { storage });
    const other = browser.openTab({ storage, baseUrl: "https://api.example" }).client as BearerClient;
    await browser.clock.advance(100);
    void client.refresh();
    await browser.clock.advance(100);
    expect(other.session().status).toBe("authenticated");
    expect(await settle(browser, other.accessToken())).toEqual(expect.stringMatching(/^h\./));
  });
});
