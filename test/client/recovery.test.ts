import { describe, expect, it } from "vitest";
import { createFakeBrowser, type FakeBrowser, toStorage } from "./fake-browser.ts";

const refresh = "POST /api/auth/refresh/";
const order = { method: "POST", body: "x" };
const refusal = new Response('{"detail":"Token is invalid","code":"token_not_valid"}', { status: 401 });
const toUnavailable = (headers = {}) => new Response('{"code":"unavailable"}', { status: 503, headers });

/** Lets the access token expire while the server is down, so that the client is in a long back-off. */
async function openAfterOutage(kind: "offline" | Response) {
  const browser = createFakeBrowser();
  const tab = await browser.openLoggedIn({ random: 1 });
  browser.clock.sleep(3_600_000);
  browser.server.faults.push({ on: "/", kind, times: 8 });
  await tab.wake("focus");
  await browser.clock.advance(110_000);
  browser.server.faults.length = 0;
  browser.server.requests.length = 0;
  return { browser, tab };
}

describe("a back-off", () => {
  it.each([
    ["didn't respond", "offline" as const, "offline"],
    ["was replaced by a gateway's 503", toUnavailable(), "unavailable"],
  ])("ends at the first click after a time in which the server %s", async (_, kind, problem) => {
    const { browser, tab } = await openAfterOutage(kind);
    expect(tab.client.session().problem).toBe(problem);
    const response = tab.client.fetch("/api/orders/");
    await browser.clock.advance(0);
    expect((await response).status).toBe(200);
    expect(tab.client.session().problem).toBeUndefined();
  });

  it("ends when the server answers a request although the access token is still valid", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 1 });
    browser.server.faults.push({ on: "/refresh/", kind: "offline", times: 6 });
    void tab.client.refresh();
    await browser.clock.advance(32_000);
    expect(tab.client.session().problem).toBe("offline");
    await tab.client.fetch("/public/");
    await browser.clock.advance(0);
    expect(tab.client.session().problem).toBeUndefined();
  });

  it("doesn't end before the Retry-After of the server, although the server answers other requests", async () => {
    const { browser, tab } = await openAfterOutage(toUnavailable({ "Retry-After": "600" }));
    const failed = expect(tab.client.fetch("/api/orders/")).rejects.toMatchObject({ code: "unavailable" });
    await browser.clock.advance(0);
    await failed;
    expect(browser.server.count(refresh)).toBe(0);
  });

  it("doesn't end by responses of another origin", async () => {
    const { browser, tab } = await openAfterOutage("offline");
    await tab.client.fetch("https://other.example/public/");
    await browser.clock.advance(0);
    expect(tab.client.session().problem).toBe("offline");
  });
});

describe("the error of a request that needed a refresh", () => {
  it("has the status and the Retry-After of the refresh", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.clock.sleep(3_600_000);
    const kind = new Response("{}", { status: 429, headers: { "Retry-After": "30" } });
    browser.server.faults.push({ on: "/refresh/", kind });
    const failed = expect(tab.client.fetch("/api/orders/")).rejects.toMatchObject({
      code: "throttled",
      status: 429,
      retryAfter: 30,
    });
    await browser.clock.advance(0);
    await failed;
  });
});

describe("a refresh that the server refuses without Session-Ended", () => {
  /** Advances until the client has given up, at most an hour. Returns the seconds and the refusals until then. */
  async function countUntilAnonymous(browser: FakeBrowser, getStatus: () => string) {
    let seconds = 0;
    for (; getStatus() !== "anonymous" && seconds < 3600; seconds += 1) await browser.clock.advance(1000);
    return { seconds, refusals: browser.server.count(refresh) };
  }

  it("keeps the user and reports the problem refused, and the next refresh removes it", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 0.5 });
    browser.server.faults.push({ on: "/refresh/", kind: refusal });
    void tab.client.refresh();
    await browser.clock.advance(0);
    expect(tab.client.session()).toMatchObject({ status: "authenticated", problem: "refused" });
    await browser.clock.advance(1000);
    expect(tab.states).toEqual(["authenticated refused", "authenticated"]);
  });

  it("leads to a login after at least three refusals within at least a minute", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 1 });
    browser.server.faults.push({ on: "/refresh/", kind: refusal, times: 100 });
    for (let time = 0; time < 5; time += 1) await tab.client.refresh();
    expect(tab.client.session().status).toBe("authenticated");
    const { seconds, refusals } = await countUntilAnonymous(browser, () => tab.client.session().status);
    expect(tab.states).toEqual(["authenticated refused", "anonymous refused"]);
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(150);
    expect(refusals).toBeGreaterThanOrEqual(3);
    browser.server.faults.length = 0;
    expect((await tab.client.login({ username: "alice", password: "secret" })).status).toBe("authenticated");
  });

  it("leads to a login at once if the refresh token has expired", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.clock.sleep(30 * 86_400_000);
    browser.server.faults.push({ on: "/refresh/", kind: refusal });
    await tab.wake("focus");
    expect(tab.states).toEqual(["anonymous refused"]);
  });

  it("ends the session of a bearer client with the option sessionEndsOn: 401, and not without", async () => {
    for (const [sessionEndsOn, states] of [
      ["401", ["anonymous revoked"]],
      ["header", ["authenticated refused"]],
    ] as const) {
      const browser = createFakeBrowser();
      const storage = toStorage(new Map());
      const tab = await browser.openLoggedIn({ storage, baseUrl: "https://api.example", sessionEndsOn, random: 1 });
      browser.server.faults.push({ on: "/refresh/", kind: refusal });
      void tab.client.refresh();
      await browser.clock.advance(100);
      expect(tab.states).toEqual(states);
    }
  });
});

describe("an AbortSignal", () => {
  it.each([
    ["before the request", 3_600_000],
    ["after a 401", 0],
  ])("rejects at once with its reason while a refresh %s is awaited", async (_, sleep) => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.clock.sleep(sleep);
    browser.jar.delete("access");
    browser.server.faults.push({ on: "/refresh/", kind: "hang" });
    const abort = new AbortController();
    const outcomes: unknown[] = [];
    const response = tab.client.fetch("/api/orders/", { signal: abort.signal });
    response.catch((error) => outcomes.push(error));
    await browser.clock.advance(500);
    expect(outcomes).toEqual([]);
    abort.abort("no longer needed");
    await browser.clock.advance(0);
    expect(outcomes).toEqual(["no longer needed"]);
  });

  it("of a Request rejects too, and no request is sent afterwards", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.clock.sleep(3_600_000);
    browser.server.latency = 50;
    const abort = new AbortController();
    const request = new Request("https://app.example/api/orders/", { ...order, signal: abort.signal });
    const failed = expect(tab.client.fetch(request)).rejects.toMatchObject({ name: "AbortError" });
    await browser.clock.advance(60);
    abort.abort();
    await browser.clock.advance(1000);
    await failed;
    expect(browser.server.count("POST /api/orders/")).toBe(0);
  });

  it("that is aborted already rejects without a request", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    await expect(tab.client.fetch("/api/orders/", { signal: AbortSignal.abort("late") })).rejects.toBe("late");
    expect(browser.server.count("GET /api/orders/")).toBe(0);
  });
});

describe("a slow server", () => {
  it("keeps the user logged in with refreshes that take 12 seconds, under one idempotency key", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ random: 1 });
    browser.server.faults.push({ on: "/refresh/", kind: 12_000, times: 2 });
    void tab.client.refresh();
    await browser.clock.advance(11_999);
    expect(tab.states).toEqual(["authenticated timeout"]);
    await browser.clock.advance(1);
    expect(tab.states).toEqual(["authenticated timeout", "authenticated"]);
    await browser.clock.advance(60_000);
    const sent = browser.server.requests.filter(({ line }) => line === refresh);
    expect(new Set(sent.map(({ headers }) => headers.get("Idempotency-Key"))).size).toBe(1);
    expect(browser.server.sessions.get("s1")?.generation).toBe(1);
    expect(tab.states).toHaveLength(2);
  });

  it("is given up after a minute", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    browser.server.faults.push({ on: "/refresh/", kind: "hang" });
    void tab.client.refresh();
    await browser.clock.advance(20_000);
    tab.client.dispose();
    expect(browser.clock.pendingTimers()).toBe(1);
    await browser.clock.advance(40_000);
    expect(browser.clock.pendingTimers()).toBe(0);
  });
});

describe("a defect in a function of the application", () => {
  it("rejects refresh() with the error instead of reporting the server as unavailable", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn();
    const defect = new RangeError("a defect");
    // A response without a body is a defect of a fetch that the application has replaced.
    const broken = new Response("{}");
    Object.defineProperty(broken, "text", {
      value: () => {
        throw defect;
      },
    });
    Object.defineProperty(broken, "clone", { value: () => broken });
    browser.server.faults.push({ on: "/refresh/", kind: broken });
    await expect(tab.client.refresh()).rejects.toBe(defect);
    expect(tab.states).toEqual([]);
  });
});

describe("a refresh without random numbers", () => {
  it("is sent without an idempotency key", async () => {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn({ lacksRandomBytes: true });
    await tab.client.refresh();
    expect(tab.states).toEqual([]);
    expect(browser.server.requests.map(({ headers }) => headers.get("Idempotency-Key"))).toEqual([null]);
  });
});
