import { describe, expect, it } from "vitest";
import { userSessions } from "../../src/client/user-sessions.ts";
import { createFakeBrowser, type TabOptions } from "./fake-browser.ts";

const refresh = "POST /api/auth/refresh/";

async function setUp(options: TabOptions = {}) {
  const browser = createFakeBrowser();
  const tab = await browser.openLoggedIn(options);
  return { browser, tab, last: () => browser.server.requests.at(-1) };
}

describe("client.fetch", () => {
  it("sends the CSRF token with unsafe requests only", async () => {
    const { browser, tab, last } = await setUp();
    await tab.client.fetch("/api/orders/");
    expect(last()?.headers.get("X-CSRFToken")).toBeNull();
    for (const method of ["POST", "put", "PATCH", "DELETE"]) {
      await tab.client.fetch("/api/orders/", { method });
      expect(last()?.headers.get("X-CSRFToken")).toBe(browser.jar.get("csrftoken"));
    }
  });

  it("sends neither the CSRF token nor credentials to another origin, and sends no request there twice", async () => {
    const { tab, browser, last } = await setUp();
    for (const url of [
      "https://evil.example/",
      "https://app.example.evil/",
      "http://app.example/",
      "https://app.example:8443/",
    ]) {
      browser.server.faults.push({ on: "/", kind: new Response(null, { status: 401 }) });
      const response = await tab.client.fetch(url, { method: "POST", body: "x" });
      expect(response.status).toBe(401);
      expect(last()?.headers.get("X-CSRFToken")).toBeNull();
      expect(last()?.credentials).toBe("same-origin");
    }
    expect(browser.server.count(refresh)).toBe(0);
  });

  it("keeps the headers of the application", async () => {
    const { tab, last } = await setUp();
    await tab.client.fetch("/api/orders/", { method: "POST", headers: { "X-Trace": "1" }, body: "x" });
    expect(last()?.headers.get("X-Trace")).toBe("1");
    await tab.client.fetch(
      new Request("https://app.example/api/orders/", { method: "POST", headers: { "X-Trace": "2" }, body: "x" }),
    );
    expect(last()?.headers.get("X-Trace")).toBe("2");
  });

  it.each([
    ["text", () => ["/api/orders/", { method: "POST", body: "payload" }] as const],
    ["a Request", () => [new Request("https://app.example/api/orders/", { method: "POST", body: "payload" })] as const],
    [
      "bytes",
      () => [new URL("https://app.example/api/orders/"), { method: "POST", body: Buffer.from("payload") }] as const,
    ],
  ])("refreshes after a 401 and sends the whole body again if it is %s", async (_, toArguments) => {
    const { browser, tab } = await setUp();
    browser.jar.delete("access");
    const [input, init] = toArguments();
    const response = tab.client.fetch(input, init);
    await browser.clock.advance(0);
    expect(await (await response).json()).toEqual({ echo: "payload" });
    expect(browser.server.requests.map(({ line }) => line)).toEqual([
      "GET /api/auth/csrf/",
      "POST /api/orders/",
      refresh,
      "GET /api/auth/csrf/",
      "POST /api/orders/",
    ]);
  });

  it("refreshes after a 401 but rejects with body_not_replayable if the body is a stream", async () => {
    const { browser, tab } = await setUp();
    browser.jar.delete("access");
    const body = new Blob(["payload"]).stream();
    const response = tab.client.fetch("/api/orders/", { method: "POST", body });
    await expect(Promise.all([response, browser.clock.advance(0)])).rejects.toMatchObject({
      code: "body_not_replayable",
      message: expect.stringContaining("stream"),
    });
    expect(browser.server.requests.map(({ line }) => line).slice(1)).toEqual(["POST /api/orders/", refresh]);
  });

  it("sends a body that is a stream if the access token is valid", async () => {
    const { tab } = await setUp();
    const response = await tab.client.fetch("/api/orders/", { method: "POST", body: new Blob(["payload"]).stream() });
    expect(await response.json()).toEqual({ echo: "payload" });
  });

  it("sends a request at most twice and returns the second 401", async () => {
    const { browser, tab } = await setUp();
    const kind = new Response(null, { status: 401, headers: { "WWW-Authenticate": 'Bearer realm="api"' } });
    browser.server.faults.push({ on: "/api/orders/", kind, times: 2 });
    const response = tab.client.fetch("/api/orders/");
    await browser.clock.advance(0);
    expect((await response).status).toBe(401);
    expect(browser.server.count("GET /api/orders/")).toBe(2);
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("returns a 401 without a refresh if no user is logged in", async () => {
    const browser = createFakeBrowser();
    const tab = browser.openTab();
    await browser.clock.advance(0);
    browser.server.requests.length = 0;
    expect((await tab.client.fetch("/api/orders/")).status).toBe(401);
    expect(browser.server.requests).toHaveLength(1);
  });

  it("fetches a new CSRF token after csrf_failed, and returns any other 403", async () => {
    const { browser, tab } = await setUp();
    await tab.client.fetch("/api/orders/", { method: "POST" });
    browser.server.requests.length = 0;
    browser.server.faults.push({ on: "/api/orders/", kind: new Response('{"code":"csrf_failed"}', { status: 403 }) });
    expect((await tab.client.fetch("/api/orders/", { method: "POST", body: "x" })).status).toBe(200);
    browser.server.faults.push({ on: "/api/orders/", kind: new Response('{"code":"forbidden"}', { status: 403 }) });
    const response = await tab.client.fetch("/api/orders/", { method: "POST", body: "x" });
    expect(await response.json()).toEqual({ code: "forbidden" });
    expect(browser.server.count("GET /api/auth/csrf/")).toBe(1);
  });

  it("sends the CSRF token of the csrf/ response rather than the cookie that the server refused", async () => {
    const { browser, tab } = await setUp();
    await tab.client.fetch("/api/orders/", { method: "POST" });
    browser.server.requests.length = 0;
    browser.server.faults.push({ on: "/api/orders/", kind: new Response('{"code":"csrf_failed"}', { status: 403 }) });
    browser.server.faults.push({ on: "/csrf/", kind: new Response('{"csrf_token":"of another name"}') });
    await tab.client.fetch("/api/orders/", { method: "POST", body: "x" });
    const sent = browser.server.requests.filter(({ line }) => line === "POST /api/orders/");
    expect(sent.map(({ headers }) => headers.get("X-CSRFToken"))).toEqual([
      browser.jar.get("csrftoken"),
      "of another name",
    ]);
  });

  it("resolves relative URLs against the page, or against baseUrl if there is one", async () => {
    const { tab, last } = await setUp();
    await tab.client.fetch("orders");
    expect(last()?.url).toBe("https://app.example/page/orders");
    const other = await setUp({ baseUrl: "https://api.example" });
    await other.tab.client.fetch("/orders");
    expect(other.last()?.url).toBe("https://api.example/orders");
  });

  it("sends cookies to the server and to the page's own origin", async () => {
    const { tab, last } = await setUp({ baseUrl: "https://api.example" });
    for (const url of ["https://api.example/orders", "https://app.example/orders"]) {
      await tab.client.fetch(url);
      expect(last()?.credentials).toBe("include");
    }
  });
});

describe("a server on another origin", () => {
  it("sends the CSRF token of the csrf/ response to a server on another origin", async () => {
    const browser = createFakeBrowser();
    browser.jar.set("csrftoken", "of this page");
    const tab = await browser.openLoggedIn({
      baseUrl: "https://api.example",
      href: "https://app.example/",
    });
    const response = await tab.client.fetch("/api/orders/", { method: "POST", body: "x" });
    expect(response.status).toBe(200);
    const lines = browser.server.requests.map(({ line }) => line);
    expect(lines).toEqual(["GET /api/auth/csrf/", "POST /api/orders/"]);
    expect(browser.server.requests[1]?.headers.get("X-CSRFToken")).toBe(browser.jar.get("csrftoken"));
  });
});

describe("the calls of the client", () => {
  it("lists and labels sessions, and rejects with 404 for the revocation of an unknown one", async () => {
    const { browser, tab } = await setUp();
    const [session] = await userSessions(tab.client).list();
    expect(session).toEqual({
      id: "s1",
      current: true,
      createdAt: 1,
      lastUsedAt: 2,
      expiresAt: 3,
      userAgent: "x",
      ip: null,
      label: null,
      actor: null,
    });
    expect(await userSessions(tab.client).label("s1", "laptop")).toMatchObject({
      id: "s1",
      label: "laptop",
      createdAt: 1,
    });
    await expect(userSessions(tab.client).revoke("unknown id")).rejects.toMatchObject({ status: 404 });
    expect(browser.server.requests.at(-1)?.line).toBe("DELETE /api/auth/sessions/unknown%20id/");
  });

  it("repeats a call of its own after a 401 and a refresh", async () => {
    const { browser, tab } = await setUp();
    browser.jar.delete("access");
    const list = userSessions(tab.client).list();
    await browser.clock.advance(0);
    expect(await list).toHaveLength(1);
    expect(browser.server.count(refresh)).toBe(1);
  });

  it("changes the password and counts the lifetime of the new access token from then on", async () => {
    const { browser, tab } = await setUp();
    await browser.clock.advance(600_000);
    await tab.client.changePassword({ currentPassword: "secret", newPassword: "better" });
    expect(tab.client.countdown()?.accessExpiresIn).toBe(1800);
    expect(JSON.parse(browser.server.requests.at(-1)?.body ?? "")).toEqual({
      current_password: "secret",
      new_password: "better",
    });
    expect(tab.states).toEqual([]);
  });

  it("rejects a refused change of the password with the messages by field", async () => {
    const { tab } = await setUp();
    await expect(tab.client.changePassword({ currentPassword: "wrong", newPassword: "better" })).rejects.toMatchObject({
      code: "invalid",
      message: "Invalid password.",
      fields: { current_password: ["Invalid password."] },
    });
  });
});
