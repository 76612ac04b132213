import { describe, expect, it } from "vitest";
import { createFakeBrowser, type TabOptions } from "./fake-browser.ts";

const order = { method: "POST", body: "x" };

/** Sends a request whose first response has the status 401. */
async function sendRefused(init: RequestInit, body: string, headers: Record<string, string> = {}) {
  const browser = createFakeBrowser();
  const tab = await browser.openLoggedIn();
  await tab.client.fetch("/api/orders/", order);
  browser.server.requests.length = 0;
  browser.server.faults.push({ on: "/api/orders/", kind: new Response(body, { status: 401, headers }) });
  const response = await tab.client.fetch("/api/orders/", init);
  return { response, lines: browser.server.requests.map(({ line }) => line) };
}

describe("a 401", () => {
  it.each([
    ["without a body", "", {}],
    ["with a body of the application", '{"error":"wrong PIN"}', {}],
    ["with a code of the application", '{"code":"wrong_pin"}', {}],
    ["with another scheme", "", { "WWW-Authenticate": 'Basic realm="api"' }],
  ])("%s is returned as it is, without a refresh", async (_, body, headers) => {
    for (const init of [order, {}]) {
      const { response, lines } = await sendRefused(init, body, headers);
      expect(response.status).toBe(401);
      expect(await response.text()).toBe(body);
      expect(lines).toHaveLength(1);
    }
  });

  it.each([
    ["with tokenpair's code", '{"code":"token_not_valid"}', {}],
    ["with tokenpair's challenge", "", { "WWW-Authenticate": 'Bearer realm="api", error="invalid_token"' }],
  ])("%s is followed by a refresh and the same request", async (_, body, headers) => {
    const { response, lines } = await sendRefused({}, body, headers);
    expect(response.status).toBe(200);
    expect(lines).toEqual(["GET /api/orders/", "POST /api/auth/refresh/", "GET /api/orders/"]);
  });
});

describe("a redirect of an unsafe request", () => {
  async function sendRedirected(location: string, options: TabOptions = {}, init: RequestInit = order) {
    const browser = createFakeBrowser();
    const tab = await browser.openLoggedIn(options);
    const headers = { Location: location };
    browser.server.faults.push({ on: "/api/orders/", kind: new Response(null, { status: 303, headers }) });
    const outcome = await tab.client.fetch("/api/orders/", init).then(
      ({ status }) => status,
      (error: unknown) => error,
    );
    return { outcome, last: browser.server.requests.at(-1) };
  }

  it("is followed within the origin", async () => {
    const { outcome, last } = await sendRedirected("/public/");
    expect(outcome).toBe(200);
    expect(last?.line).toBe("GET /public/");
  });

  it("is not followed to another origin, which would get the CSRF token", async () => {
    const { outcome, last } = await sendRedirected("https://evil.example/");
    expect(outcome).toBeInstanceOf(TypeError);
    expect(last?.line).toBe("POST /api/orders/");
  });

  it("is not followed by a page on another origin than the server", async () => {
    const { outcome, last } = await sendRedirected("https://evil.example/", { baseUrl: "https://api.example" });
    expect(outcome).toBeInstanceOf(TypeError);
    expect(last?.line).toBe("POST /api/orders/");
  });

  it("of a GET is followed anywhere, without a CSRF token", async () => {
    const { outcome, last } = await sendRedirected("https://other.example/", {}, {});
    expect(outcome).toBe(200);
    expect(last?.url).toBe("https://other.example/");
    expect(last?.headers.get("X-CSRFToken")).toBeNull();
  });
});

describe("the option csrfHeader", () => {
  it("names the header that carries the CSRF token", async () => {
    const browser = createFakeBrowser();
    browser.server.csrfHeader = "X-Token";
    const tab = await browser.openLoggedIn({ csrfHeader: "X-Token" });
    expect((await tab.client.fetch("/api/orders/", order)).status).toBe(200);
    expect(browser.server.requests.at(-1)?.headers.get("X-CSRFToken")).toBeNull();
  });
});
