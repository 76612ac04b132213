import { describe, expect, it } from "vitest";
import type { CookieClient } from "../../src/client/cookie/client.ts";
import { userSessions } from "../../src/client/user-sessions.ts";
import { createFakeBrowser, type FakeBrowser, type TabOptions, toStorage } from "./fake-browser.ts";

const payout = { method: "POST", body: "x" };
const clients: readonly (readonly [string, () => TabOptions, string])[] = [
  ["a cookie client", () => ({}), "POST /api/auth/refresh/"],
  [
    "a bearer client",
    () => ({ storage: toStorage(new Map()), baseUrl: "https://api.example" }),
    "POST /api/token/refresh/",
  ],
];

/** Returns the value of a promise, or the error that it rejects with, after `delay` milliseconds. */
async function settle<T>({ clock }: FakeBrowser, promise: Promise<T>, delay = 100): Promise<T | { code: string }> {
  const outcome = promise.catch((error) => error);
  await clock.advance(delay);
  return outcome;
}

/** Opens a tab whose user logged in a quarter of an hour ago. */
async function openLater(options: TabOptions) {
  const browser = createFakeBrowser();
  const tab = await browser.openLoggedIn({ random: 1, ...options });
  await browser.clock.advance(900_000);
  const pay = (client = tab.client) => settle(browser, client.fetch("/api/payouts/", payout));
  return { browser, tab, pay };
}

describe.each(clients)("a request of %s that needs a confirmation", (_, toOptions, refresh) => {
  it("is returned without a refresh, and the user stays logged in", async () => {
    const { browser, tab, pay } = await openLater(toOptions());
    const response = (await pay()) as Response;
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: "confirmation_required", max_age: 600 });
    expect([browser.server.count("POST /api/payouts/"), browser.server.count(refresh)]).toEqual([1, 0]);
    expect(tab.states).toEqual([]);
  });

  it("is answered after confirm(), and again after the next refresh", async () => {
    const { browser, tab, pay } = await openLater(toOptions());
    await settle(browser, tab.client.confirm("secret"));
    expect(await pay()).toMatchObject({ status: 200 });
    expect(tab.client.countdown()?.accessExpiresIn).toBeGreaterThan(890);
    await settle(browser, tab.client.refresh());
    expect(await pay()).toMatchObject({ status: 200 });
    expect(tab.states).toEqual([]);
  });

  it("isn't answered after confirm() with a wrong password, which rejects with the message by field", async () => {
    const { browser, tab, pay } = await openLater(toOptions());
    expect(await settle(browser, tab.client.confirm("wrong"))).toMatchObject({
      code: "invalid",
      message: "Invalid password.",
      fields: { password: ["Invalid password."] },
    });
    expect(await pay()).toMatchObject({ status: 401 });
    expect(browser.server.count(refresh)).toBe(0);
  });

  it("makes a call of the client reject with confirmation_required, what is required, and no refresh", async () => {
    const { browser, tab } = await openLater(toOptions());
    const body = '{"detail":"Confirm that it is you.","code":"confirmation_required","max_age":60,"amr":["otp"]}';
    const headers = { "WWW-Authenticate": 'Bearer error="insufficient_user_authentication", max_age="60"' };
    browser.server.faults.push({ on: "/sessions/", kind: new Response(body, { status: 401, headers }) });
    expect(await settle(browser, userSessions(tab.client).revoke("s9"))).toMatchObject({
      code: "confirmation_required",
      status: 401,
      body: { max_age: 60, amr: ["otp"] },
    });
    expect([browser.server.count("DELETE /api/auth/sessions/s9/"), browser.server.count(refresh)]).toEqual([1, 0]);
    expect(tab.client.session().status).toBe("authenticated");
  });
});

describe.each(clients)("confirm() of %s", (_, toOptions, refresh) => {
  it("waits for a refresh that is running, whose older access token it replaces", async () => {
    const { browser, tab, pay } = await openLater(toOptions());
    browser.server.latency = 40;
    void tab.client.refresh();
    await browser.clock.advance(10);
    await settle(browser, tab.client.confirm("secret"), 1_000);
    expect(browser.server.requests.map(({ line }) => line).filter((line) => line.startsWith("POST"))).toEqual([
      refresh,
      "POST /api/auth/confirm/",
    ]);
    browser.server.latency = 0;
    expect(await pay()).toMatchObject({ status: 200 });
  });

  it("isn't undone by the late response to a refresh that was sent before", async () => {
    const { browser, tab, pay } = await openLater(toOptions());
    browser.server.faults.push({ on: "/refresh/", kind: 20_000 });
    void tab.client.refresh();
    await browser.clock.advance(10_100);
    expect(tab.client.session().problem).toBe("timeout");
    // The retry would be sent after the confirmation.
    browser.server.faults.push({ on: "/refresh/", kind: "offline", times: 99 });
    await settle(browser, tab.client.confirm("secret"));
    await browser.clock.advance(15_000);
    browser.server.faults.length = 0;
    expect(await pay()).toMatchObject({ status: 200 });
    await browser.clock.advance(60_000);
    expect(await pay()).toMatchObject({ status: 200 });
    expect(browser.server.sessions.get("s1")).toMatchObject({ generation: 1, revoked: null });
    expect(tab.client.session()).toMatchObject({ status: "authenticated", sessionId: "s1" });
    expect(tab.client.session().problem).toBeUndefined();
  });

  it("takes its turn after a refresh in another tab", async () => {
    const options = { ...toOptions(), without: ["openChannel"] as const };
    const { browser, tab, pay } = await openLater(options);
    const other = browser.openTab(options);
    await browser.clock.advance(100);
    browser.server.requests.length = 0;
    browser.server.latency = 40;
    void other.client.refresh();
    await browser.clock.advance(10);
    await settle(browser, tab.client.confirm("secret"), 1_000);
    expect(browser.server.requests.filter(({ line }) => line.startsWith("POST")).at(-1)?.line).toBe(
      "POST /api/auth/confirm/",
    );
    browser.server.latency = 0;
    expect(await pay(other.client)).toMatchObject({ status: 200 });
  });

  it("isn't undone by a refresh of another tab, without Web Locks, whose response comes late", async () => {
    const options = { ...toOptions(), without: ["openChannel", "locks"] as const };
    const { browser, tab, pay } = await openLater(options);
    const other = browser.openTab(options);
    await browser.clock.advance(100);
    browser.server.faults.push({ on: "/refresh/", kind: 5_000 });
    void other.client.refresh();
    await browser.clock.advance(100);
    await settle(browser, tab.client.confirm("secret"));
    await browser.clock.advance(5_000);
    browser.server.requests.length = 0;
    expect(await pay()).toMatchObject({ status: 200 });
    expect([browser.server.count("POST /api/payouts/"), browser.server.count(refresh)]).toEqual([2, 1]);
    expect(await pay(other.client)).toMatchObject({ status: 200 });
  });

  it("leads to one refresh at most if the server wants another confirmation", async () => {
    const { browser, tab, pay } = await openLater(toOptions());
    await settle(browser, tab.client.confirm("secret"));
    await browser.clock.advance(700_000);
    expect([await pay(), await pay()]).toMatchObject([{ status: 401 }, { status: 401 }]);
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("refreshes first if the access token has expired, and confirms once", async () => {
    const { browser, tab, pay } = await openLater(toOptions());
    browser.clock.sleep(3_600_000);
    await settle(browser, tab.client.confirm("secret"));
    expect([browser.server.count(refresh), browser.server.count("POST /api/auth/confirm/")]).toEqual([1, 1]);
    expect(await pay()).toMatchObject({ status: 200 });
  });

  it("rejects without a network, keeps the user logged in, and can be repeated", async () => {
    const { browser, tab, pay } = await openLater(toOptions());
    browser.server.faults.push({ on: "/confirm/", kind: "lost response" });
    expect(await settle(browser, tab.client.confirm("secret"))).toMatchObject({ code: "offline" });
    expect(tab.client.session()).toMatchObject({ status: "authenticated", sessionId: "s1" });
    await settle(browser, tab.client.confirm("secret"));
    expect(await pay()).toMatchObject({ status: 200 });
  });
});

describe("confirm()", () => {
  it("isn't sent for another user who has logged in to this browser", async () => {
    const { browser, tab } = await openLater({});
    await tab.client.fetch("/api/orders/", payout);
    await browser.logInElsewhere("bob");
    expect(await settle(browser, tab.client.confirm("secret"))).toMatchObject({ code: "session_changed" });
    expect(browser.server.count("POST /api/auth/confirm/")).toBe(0);
    expect(tab.client.session().user?.username).toBe("bob");
  });
});

describe("a login that needs a second factor", () => {
  async function setUp() {
    const browser = createFakeBrowser();
    browser.server.asksForCode = true;
    const tab = browser.openTab();
    await browser.clock.advance(0);
    const client = tab.client as CookieClient;
    const error = await client.login({ username: "alice", password: "secret" }).catch((reason) => reason);
    return { browser, tab, client, error };
  }

  it("rejects with second_factor_required, the ticket and the methods, and logs nobody in", async () => {
    const { browser, tab, error } = await setUp();
    expect(error).toMatchObject({ code: "second_factor_required", status: 401, message: "Enter the code." });
    expect(error.body).toEqual({ ticket: expect.stringMatching(/^tpl_/), methods: ["otp"] });
    expect(tab.states).toEqual(["anonymous"]);
    expect(browser.server.sessions.size).toBe(0);
    expect(browser.server.count("POST /api/auth/refresh/")).toBe(0);
  });

  it("continues with the ticket, and sends nothing but what the application passed", async () => {
    const { browser, tab, client, error } = await setUp();
    const { ticket } = error.body;
    const state = await client.login({ ticket, code: "123456" });
    expect(state).toMatchObject({ status: "authenticated", user: { username: "alice" } });
    expect(tab.states).toEqual(["anonymous", "authenticated"]);
    expect(JSON.parse(browser.server.requests.at(-1)?.body ?? "")).toEqual({ ticket, code: "123456" });
    expect(browser.server.requests.at(-1)?.line).toBe("POST /api/auth/login/continue/");
    expect((await client.fetch("/api/orders/", payout)).status).toBe(200);
  });

  it("rejects with second_factor_invalid for a wrong code, and continues with the right one", async () => {
    const { client, error } = await setUp();
    const { ticket } = error.body;
    const wrong = await client.login({ ticket, code: "0" }).catch((reason) => reason);
    expect(wrong).toMatchObject({ code: "second_factor_invalid", status: 400, message: "The code is wrong." });
    expect((await client.login({ ticket, code: "123456" })).status).toBe("authenticated");
    const late = await client.login({ ticket, code: "123456" }).catch((reason) => reason);
    expect(late).toMatchObject({ code: "ticket_invalid", status: 401 });
    expect(client.session().status).toBe("authenticated");
  });
});

describe("the second step of a login whose response was lost", () => {
  async function setUp(kind: "lost response" | "offline", times: number) {
    const browser = createFakeBrowser();
    browser.server.asksForCode = true;
    const client = browser.openTab().client as CookieClient;
    await browser.clock.advance(0);
    const { body } = await client.login({ username: "alice", password: "secret" }).catch((reason) => reason);
    browser.server.faults.push({ on: "/continue/", kind, times });
    const keys = () =>
      browser.server.requests
        .filter(({ line }) => line === "POST /api/auth/login/continue/")
        .map(({ headers }) => headers.get("Idempotency-Key"));
    return { browser, client, step: { ticket: body.ticket, code: "123456" }, keys };
  }

  it("is sent again with the same idempotency key, and begins one session", async () => {
    const { browser, client, step, keys } = await setUp("lost response", 1);
    expect(await settle(browser, client.login(step))).toMatchObject({ status: "authenticated", sessionId: "s1" });
    expect(keys()).toEqual([expect.stringMatching(/^[\w-]{22}$/), keys()[0]]);
    expect(browser.server.sessions.size).toBe(1);
  });

  it("begins one session although the user repeats it later", async () => {
    const { browser, client, step, keys } = await setUp("lost response", 2);
    expect(await settle(browser, client.login(step))).toMatchObject({ code: "offline" });
    expect(await settle(browser, client.login(step))).toMatchObject({ status: "authenticated", sessionId: "s1" });
    expect([keys().length, new Set(keys()).size, browser.server.sessions.size]).toEqual([3, 1, 1]);
  });

  it("has another idempotency key for another code", async () => {
    const { browser, client, step, keys } = await setUp("lost response", 0);
    browser.server.faults.length = 0;
    await settle(browser, client.login({ ...step, code: "0" }));
    await settle(browser, client.login(step));
    expect(new Set(keys()).size).toBe(2);
  });

  it("isn't sent twice in place of a password", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab();
    await browser.clock.advance(0);
    browser.server.faults.push({ on: "/login/", kind: "lost response" });
    const login = tab.client.login({ username: "alice", password: "secret" });
    expect(await settle(browser, login)).toMatchObject({ code: "offline" });
    expect(browser.server.count("POST /api/auth/login/")).toBe(1);
  });
});

describe("a bearer client whose login the application has answered", () => {
  it("adopts the tokens of a route of the application, without a password", async () => {
    const browser = createFakeBrowser();
    const issued = await browser.server.fetch(new Map(), "https://api.example/api/token/", {
      method: "POST",
      body: JSON.stringify({ username: "bob", password: "secret" }),
    });
    browser.server.requests.length = 0;
    const vault = new Map<string, string>();
    const tab = browser.openTab({ storage: toStorage(vault), baseUrl: "https://api.example" });
    await browser.clock.advance(100);
    const login = (tab.client as { login: (tokens: object) => Promise<unknown> }).login(await issued.json());
    expect(await settle(browser, login)).toMatchObject({ status: "authenticated", user: { username: "bob" } });
    expect(browser.server.requests.map(({ line }) => line)).toEqual(["GET /api/auth/me/"]);
    expect(JSON.stringify([...vault])).toContain("s1:0");
    await browser.clock.advance(1_800_000);
    expect(browser.server.sessions.get("s1")?.generation).toBe(1);
  });
});
