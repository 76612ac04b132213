import { afterEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";
import { createBrowser } from "../support/browser.ts";

let auth: TestAuth;

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  auth = await createTestAuth({ settings });
}
afterEach(() => auth.close());

type Send = TestAuth["send"];

/** Sends from this address; `forwarded` is what a client, or a proxy, claims in X-Forwarded-For. */
const sendFrom =
  (ip: string, forwarded?: string): Send =>
  (method, path, { headers, body } = {}) => {
    const all = new Headers(headers);
    if (body !== undefined) all.set("Content-Type", "application/json");
    if (forwarded !== undefined) all.set("X-Forwarded-For", forwarded);
    const init = { method, headers: all, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return auth.handler.fetch(new Request(`https://auth.example${path}`, init), { ip });
  };

const guess = (send = sendFrom("192.0.2.1"), credentials: object = {}) =>
  send("POST", "/api/token/", { body: { ...alice, password: "wrong", ...credentials } });

/** The statuses of so many guesses. */
async function guessTimes(times: number, toSend: (n: number) => Send = () => sendFrom("192.0.2.1")) {
  const statuses = [];
  for (let n = 0; n < times; n++) statuses.push((await guess(toSend(n))).status);
  return statuses;
}

async function expectThrottled(response: Response, seconds: number, what = "login attempts"): Promise<void> {
  expect([response.status, response.headers.get("Retry-After")]).toEqual([429, String(seconds)]);
  const detail = `Too many ${what}. Try again in ${seconds} seconds.`;
  expect(await response.json()).toEqual({ detail, code: "throttled" });
}

describe("a throttled login", () => {
  it("by token is 429, with Retry-After", async () => {
    await start();
    expect(await guessTimes(5)).toEqual(Array(5).fill(401));
    await expectThrottled(await guess(), 5);
    auth.clock.advance(3);
    await expectThrottled(await guess(sendFrom("192.0.2.1"), alice), 2);
    auth.clock.advance(2);
    expect((await guess(sendFrom("192.0.2.1"), alice)).status).toBe(200);
  });

  it("by cookie is 429 as well, sets no cookie, and ends no session", async () => {
    await start();
    const browser = createBrowser({ send: sendFrom("192.0.2.1") });
    await browser.logIn();
    await guessTimes(5);
    browser.deleteCookie("__Secure-device");
    const response = await browser.post("/api/auth/login/", alice);
    expect(response.headers.getSetCookie()).toEqual([]);
    await expectThrottled(response, 5);
    expect(await browser.isLoggedIn()).toBe(true);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
  });

  it("is 503 where nobody can count, and the password is not looked at", async () => {
    await start();
    auth.store.throttle.decide = () => Promise.reject(new StoreUnavailableError("away"));
    const answers = [await guess(), await guess(sendFrom("192.0.2.1"), alice)];
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
  });
});

describe("the device cookie", () => {
  it("lets a browser in that has logged in before, also after its logout, while strangers are locked out", async () => {
    await start({ maxLoginFailures: 10 });
    const browser = createBrowser({ send: sendFrom("203.0.113.9") });
    await browser.logIn();
    await browser.post("/api/auth/logout/");
    expect(await guessTimes(10, (n) => sendFrom(`198.51.100.${n}`))).toEqual([...Array(9).fill(401), 429]);
    await expectThrottled(await guess(sendFrom("203.0.113.9"), alice), 86_400);
    await browser.logIn();
    expect(await browser.isLoggedIn()).toBe(true);
  });

  it("goes to the cookie endpoints alone, hidden from scripts, and is new with every login", async () => {
    await start();
    const browser = createBrowser(auth);
    await browser.logIn();
    const first = browser.cookie("__Secure-device");
    await browser.logIn();
    expect(browser.cookie("__Secure-device")).not.toBe(first);
    const { send } = createBrowser(auth);
    await send("GET", "/api/auth/csrf/");
    const setCookies = (await send("POST", "/api/auth/login/", { body: alice })).headers.getSetCookie();
    expect(setCookies.find((cookie) => cookie.startsWith("__Secure-device="))).toMatch(
      /^__Secure-device=[\w-]{22}\.[\w-]{43}; Max-Age=34560000; Path=\/api\/auth; Secure; HttpOnly; SameSite=Strict$/,
    );
  });

  it.each(["forged", "doubled"])("that is %s counts as none", async (kind) => {
    await start({ maxLoginFailures: 10 });
    const browser = createBrowser({ send: sendFrom("203.0.113.9") });
    await browser.logIn();
    await guessTimes(9, (n) => sendFrom(`198.51.100.${n}`));
    const genuine = browser.cookie("__Secure-device") ?? "";
    const value = kind === "forged" ? `${genuine.slice(0, 23)}${"A".repeat(43)}` : `x; __Secure-device=${genuine}`;
    browser.setCookie("__Secure-device", value);
    await expectThrottled(await browser.post("/api/auth/login/", alice), 86_400);
    browser.setCookie("__Secure-device", genuine);
    expect((await browser.post("/api/auth/login/", alice)).status).toBe(200);
  });
});

describe("a wrong current password at a change of password", () => {
  const change = (browser: ReturnType<typeof createBrowser>, current_password: string) =>
    browser.post("/api/auth/password/", { current_password, new_password: "a much better battery" });

  it("counts as a failed login, of a device that is known by its session", async () => {
    await start();
    const browser = createBrowser({ send: sendFrom("203.0.113.9") });
    await browser.logIn();
    for (let n = 0; n < 5; n++) expect((await change(browser, "wrong")).status).toBe(400);
    await expectThrottled(await change(browser, alice.password), 5);
    expect(await browser.isLoggedIn()).toBe(true);
    auth.clock.advance(5);
    expect((await change(browser, alice.password)).status).toBe(200);
  });

  it("is let through while strangers have locked the account, ten times at most", async () => {
    await start({ maxLoginFailures: 100, accountFailuresBeforeDelay: 0, loginFailuresBeforeDelay: 0 });
    const browser = createBrowser({ send: sendFrom("203.0.113.9") });
    await browser.logIn();
    expect((await guessTimes(91, (n) => sendFrom(`198.51.100.${n}`))).at(-1)).toBe(429);
    for (let n = 0; n < 10; n++) expect((await change(browser, "wrong")).status).toBe(400);
    expect((await change(browser, alice.password)).status).toBe(429);
  });
});

describe("X-Forwarded-For", () => {
  const everywhere = (n: number) => `198.51.100.${n}`;

  it("from a client does not make its guesses come from elsewhere", async () => {
    await start({ trustedProxies: ["10.0.0.0/8"] });
    const toSend = (n: number) => sendFrom("192.0.2.1", everywhere(n));
    expect(await guessTimes(6, toSend)).toEqual([...Array(5).fill(401), 429]);
  });

  it("from a trusted proxy tells its clients apart, and what a client wrote into it does not", async () => {
    await start({ trustedProxies: ["10.0.0.0/8"] });
    expect(await guessTimes(6, (n) => sendFrom("10.0.0.1", everywhere(n)))).toEqual(Array(6).fill(401));
    const spoofed = (n: number) => sendFrom("10.0.0.1", `${everywhere(n + 50)}, 203.0.113.7`);
    expect(await guessTimes(6, spoofed)).toEqual([...Array(5).fill(401), 429]);
    const [event] = auth.events.filter(({ type }) => type === "throttled");
    expect(event).toMatchObject({ client: { ip: "203.0.113.7" } });
  });
});

describe("a proxy that is not trusted", () => {
  const told = () => auth.events.filter(({ type }) => type === "untrusted_proxy");

  it.each(["127.0.0.1", "::1", "::ffff:172.17.0.1", "192.168.1.4", "100.64.0.1", "fd00::7", "fe80::1%eth0"])(
    "at the neighbouring address %s is told of once",
    async (ip) => {
      await start({ trustedProxies: ["10.0.0.0/8"] });
      await guess(sendFrom(ip));
      expect(told()).toEqual([]);
      for (let n = 0; n < 2; n++) await guess(sendFrom(ip, "203.0.113.7"));
      const plain = ip.replace(/^::ffff:|%.*$/g, "");
      expect(told()).toEqual([
        { type: "untrusted_proxy", time: auth.clock.now(), ip: plain, header: "X-Forwarded-For" },
      ]);
    },
  );

  it("is not to be found in one that is, in a client of the internet, or without an address", async () => {
    await start({ trustedProxies: ["10.0.0.0/8"] });
    for (const ip of ["10.0.0.1", "203.0.113.9", "2001:db8::1", "unix"]) await guess(sendFrom(ip, "198.51.100.1"));
    expect(told()).toEqual([]);
  });

  it("is told of by `Forwarded`, too", async () => {
    await start();
    await sendFrom("127.0.0.1")("GET", "/api/auth/csrf/", { headers: { Forwarded: "for=203.0.113.7" } });
    expect(told()).toMatchObject([{ ip: "127.0.0.1", header: "Forwarded" }]);
  });
});

describe("the limits of refresh, verify and blacklist", () => {
  const limits = { refreshLimit: 3, verifyLimit: 2, blacklistLimit: 1 };
  const post = (path: string, body: object, send = sendFrom("192.0.2.1")) =>
    send("POST", `/api/token/${path}/`, { body });

  it("are each their own, by address, and not the login's", async () => {
    await start(limits);
    const { access, refresh } = await auth.logIn();
    const verify = () => post("verify", { token: access });
    expect([(await verify()).status, (await verify()).status]).toEqual([200, 200]);
    const refused = await verify();
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      code: "throttled",
      detail: expect.stringMatching(/^Too many requests\./),
    });
    expect((await post("verify", { token: access }, sendFrom("192.0.2.2"))).status).toBe(200);
    expect((await post("blacklist", { refresh: "garbage" })).status).toBe(401);
    expect((await post("blacklist", { refresh })).status).toBe(429);
    expect((await post("refresh", { refresh })).status).toBe(200);
    expect((await guess(sendFrom("192.0.2.1"), alice)).status).toBe(200);
  });

  it("count an IPv6 client by its /64", async () => {
    await start(limits);
    const statuses = [];
    for (const n of [1, 2, 3]) {
      statuses.push((await post("verify", { token: "x" }, sendFrom(`2001:db8::${n}`))).status);
    }
    expect(statuses).toEqual([401, 401, 429]);
    expect((await post("verify", { token: "x" }, sendFrom("2001:db8:0:1::1"))).status).toBe(401);
  });

  it("hold for one minute, and are an event once in each", async () => {
    await start(limits);
    for (let n = 0; n < 5; n++) await post("verify", { token: "x" });
    const client = { ip: "192.0.2.1", userAgent: undefined };
    const throttled = auth.events.filter(({ type }) => type === "throttled");
    expect(throttled).toEqual([
      { type: "throttled", time: auth.clock.now(), scope: "verify", retryAfter: expect.any(Number), client },
    ]);
  });

  it("delete no cookie and end no session where a browser's refresh is over its limit", async () => {
    await start(limits);
    const browser = createBrowser({ send: sendFrom("192.0.2.1") });
    await browser.logIn();
    for (let n = 0; n < 3; n++) expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    const response = await browser.post("/api/auth/refresh/");
    expect([response.status, response.headers.getSetCookie()]).toEqual([429, []]);
    expect(await browser.isLoggedIn()).toBe(true);
    const elsewhere = createBrowser({ send: sendFrom("192.0.2.2") });
    for (const name of ["__Secure-refresh", "__Host-Http-access", "__Host-csrftoken"]) {
      elsewhere.setCookie(name, browser.cookie(name) ?? "");
    }
    expect((await elsewhere.post("/api/auth/refresh/")).status).toBe(200);
  });

  it("are off with 0, and where nobody knows the address", async () => {
    await start({ ...limits, verifyLimit: 0 });
    for (let n = 0; n < 10; n++) expect((await post("verify", { token: "x" })).status).toBe(401);
    for (let n = 0; n < 10; n++) expect((await post("blacklist", { refresh: "x" }, auth.send)).status).toBe(401);
  });
});
