import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { revokeSessionsForUser } from "../../../src/flows/sessions/sessions.ts";
import { createTestAuth, type TestAuth, type TestAuthOptions, testStart } from "../../support/auth.ts";
import { type Browser, createBrowser } from "../../support/browser.ts";
import { blacklisted, plainChallenge, tokenChallenge } from "../refusals.ts";

const proxy = "10.0.0.1";
const identityNames = ["X-User-Id", "X-Session-Id", "X-Token-Id", "X-User-Epoch", "X-Token-Expires"];
const nobody = ["", "", "", "", ""];

let t: TestAuth;
let browser: Browser;
beforeEach(() => start());
afterEach(() => t.close());

async function start(settings: Partial<Settings<AuthUser>> = {}, options: TestAuthOptions = {}): Promise<void> {
  t = await createTestAuth({ settings: { trustedProxies: [proxy], ...settings }, ...options });
  // Every request comes from the proxy.
  browser = createBrowser({
    send: (method, path, { headers = {}, body } = {}) => {
      const all = new Headers(headers);
      if (body !== undefined) all.set("Content-Type", "application/json");
      const init = { method, headers: all, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      return t.handler.fetch(new Request(`https://auth.example${path}`, init), { ip: proxy });
    },
  });
}

async function restart(settings: Partial<Settings<AuthUser>>, options?: TestAuthOptions): Promise<void> {
  await t.close();
  await start(settings, options);
}

const toIdentity = ({ headers }: Response) => identityNames.map((name) => headers.get(name));

interface Question {
  readonly path?: string;
  /** The method with which the proxy asks. */
  readonly by?: string;
}

/** Asks about a request with the browser's cookies and a method. */
const ask = (
  method: string | null,
  headers: Record<string, string | null> = {},
  { path = "", by = "GET" }: Question = {},
) =>
  browser.send(by, `/api/auth/check/${path}`, {
    headers: { "X-CSRFToken": browser.cookie("__Host-csrftoken") ?? null, "X-Forwarded-Method": method, ...headers },
  });

const statusOf = async (response: Promise<Response>) => (await response).status;

describe("the answer to a proxy", () => {
  it("names the user, the session and the token of a bearer token", async () => {
    const { access } = await t.logIn();
    const { sessionId, tokenId } = t.deps.tokens.verifyAccess(access);
    const response = await t.send("GET", "/api/auth/check", { headers: { Authorization: `Bearer ${access}` } });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(toIdentity(response)).toEqual([t.user.id, sessionId, tokenId, "0", String(testStart + 1_800)]);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
  });

  it("names nobody, with every header, if the request is refused", async () => {
    const refusals: readonly (readonly [Promise<Response>, number, string | null])[] = [
      [t.send("GET", "/api/auth/check/"), 401, plainChallenge],
      [t.send("GET", "/api/auth/check/", { headers: { Authorization: "Bearer x" } }), 401, tokenChallenge],
      [t.send("GET", "/api/auth/check/", { headers: { Authorization: "Bearer" } }), 401, plainChallenge],
      [
        t.send("GET", "/api/auth/check/", { headers: { Cookie: "__Host-Http-access=a; __Host-Http-access=b" } }),
        403,
        null,
      ],
    ];
    for (const [answer, status, challenge] of refusals) {
      const response = await answer;
      expect([response.status, response.headers.get("WWW-Authenticate")]).toEqual([status, challenge]);
      expect(toIdentity(response)).toEqual(nobody);
      expect(await response.json()).toHaveProperty("code");
    }
  });

  it("refuses a revoked token, and names nobody", async () => {
    await browser.logIn();
    await revokeSessionsForUser(t.deps, t.user.id);
    const response = await ask("GET");
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ messages: [{ message: blacklisted.detail }] });
    expect(toIdentity(response)).toEqual(nobody);
  });

  it("answers 503 with Retry-After while the revocations are stale", async () => {
    await restart({ onStale: "refuse" });
    await browser.logIn();
    t.goStale();
    const response = await ask("GET");
    expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "1"]);
    expect(toIdentity(response)).toEqual(nobody);
  });

  it.each([
    ["Ζωή", "%CE%96%CF%89%CE%AE"],
    ["a b", "a%20b"],
    ["%CE%96", "%25CE%2596"],
    ["alice@example.com", "alice@example.com"],
  ])("sends the user id %j as %s, so that no two ids look alike", async (id, sent) => {
    await restart({ findUser: async () => ({ id, username: "zoe", isActive: true }) });
    const { pair } = await t.deps.flows.issue(id);
    const response = await t.send("GET", "/api/auth/check/", { headers: { Authorization: `Bearer ${pair.access}` } });
    expect([response.status, response.headers.get("X-User-Id")]).toEqual([200, sent]);
    expect(decodeURIComponent(sent)).toBe(id);
  });

  it("has no CORS headers, also for a trusted origin", async () => {
    await restart({ trustedOrigins: ["https://app.example"] });
    for (const method of ["GET", "OPTIONS"]) {
      const headers = { Origin: "https://app.example", "Access-Control-Request-Method": "POST" };
      const response = await t.send(method, "/api/auth/check/", { headers });
      expect(response.status).toBe(401);
      expect([...response.headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });
});

describe("any method and any path below", () => {
  it.each(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])(
    "answers %s there and below with a bearer token, and ignores the body",
    async (method) => {
      const { access } = await t.logIn();
      const headers = { Authorization: `Bearer ${access}`, "Content-Type": "text/plain" };
      const hasBody = method !== "GET" && method !== "HEAD";
      for (const path of ["", "/", "/orders/7", "//", "/%FF", "/../check/x"]) {
        const body = hasBody ? { body: "x".repeat(20_000) } : {};
        const response = await t.send(method, `/api/auth/check${path}`, { headers, ...body });
        expect([path, response.status, response.headers.get("X-User-Id")]).toEqual([path, 200, t.user.id]);
      }
    },
  );

  it("moves with authPath, and answers neither a longer name nor what is left of the path", async () => {
    await restart({ authPath: "/account" });
    expect(t.handler.handles("/account/check/a/b")).toBe(true);
    for (const path of ["/account/checks", "/account/check.", "/api/auth/check/", "/check/"]) {
      expect([path, t.handler.handles(path)]).toEqual([path, false]);
    }
    expect((await t.send("GET", "/account/check/a")).status).toBe(401);
  });
});

describe("a request by cookie", () => {
  beforeEach(() => browser.logIn());

  it("passes with a safe method, whatever its origin", async () => {
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      const response = await ask(method, {
        "X-CSRFToken": null,
        "Sec-Fetch-Site": "cross-site",
        Origin: "https://evil.example",
      });
      expect([method, response.status, response.headers.get("X-User-Id")]).toEqual([method, 200, t.user.id]);
    }
  });

  it("needs the CSRF token of the session and an allowed origin with any other method", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "get", "", "GET, POST"]) {
      expect(await statusOf(ask(method))).toBe(200);
      expect(await statusOf(ask(method, { "X-CSRFToken": null }))).toBe(403);
      expect(await statusOf(ask(method, { "X-CSRFToken": "wrong" }))).toBe(403);
      expect(await statusOf(ask(method, { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" }))).toBe(403);
    }
    const refused = await ask("POST", { "X-CSRFToken": null });
    expect(await refused.json()).toEqual({ detail: "CSRF Failed: CSRF token missing.", code: "csrf_failed" });
    expect(toIdentity(refused)).toEqual(nobody);
    expect(t.events.at(-1)).toMatchObject({ type: "csrf_refused", userId: t.user.id });
  });

  it("counts as unsafe if the proxy doesn't say its method", async () => {
    for (const by of ["GET", "HEAD", "POST"]) {
      expect([by, await statusOf(ask(null, {}, { by }))]).toEqual([by, 200]);
      expect([by, await statusOf(ask(null, { "X-CSRFToken": null }, { by }))]).toEqual([by, 403]);
    }
  });

  it("has the method in X-Original-Method if it isn't in X-Forwarded-Method, and both must be safe", async () => {
    const without = { "X-CSRFToken": null };
    expect(await statusOf(ask(null, { "X-Original-Method": "GET", ...without }))).toBe(200);
    expect(await statusOf(ask(null, { "X-Original-Method": "POST", ...without }))).toBe(403);
    expect(await statusOf(ask("GET", { "X-Original-Method": "POST", ...without }))).toBe(403);
    expect(await statusOf(ask("POST", { "X-Original-Method": "GET", ...without }))).toBe(403);
  });

  it("has the proxy's own method below the path, as Envoy sends it", async () => {
    const without = { "X-CSRFToken": null };
    expect(await statusOf(ask(null, without, { path: "orders", by: "GET" }))).toBe(200);
    expect(await statusOf(ask(null, without, { path: "orders", by: "POST" }))).toBe(403);
    expect(await statusOf(ask(null, {}, { path: "orders", by: "POST" }))).toBe(200);
    expect(await statusOf(ask("GET", without, { path: "orders", by: "POST" }))).toBe(403);
  });

  it("has its origin compared with the forwarded host, if a trusted proxy says it", async () => {
    const shop = { Origin: "https://shop.example", "X-Forwarded-Host": "shop.example", "X-Forwarded-Proto": "https" };
    const old = { "Sec-Fetch-Site": null, Origin: shop.Origin };
    const forwarded = { ...old, ...shop };
    expect(await statusOf(ask("POST", old))).toBe(403);
    expect(await statusOf(ask("POST", forwarded))).toBe(200);
    expect(await statusOf(ask("POST", { ...forwarded, Origin: "http://shop.example" }))).toBe(403);
    expect(await statusOf(ask("POST", { ...forwarded, "X-Forwarded-Host": "evil.example, shop.example" }))).toBe(403);
    const request = new Request("http://auth.example/api/auth/check/", {
      headers: { ...shop, Cookie: "__Host-Http-access=x", "X-Forwarded-Method": "POST" },
    });
    const detail = async (ip: string) =>
      ((await (await t.handler.fetch(request, { ip })).json()) as { detail: string }).detail;
    expect(await detail("10.0.0.2")).toBe("CSRF Failed: Origin checking failed.");
    expect(await detail(proxy)).toBe("Given token not valid for any token type");
  });

  it("must not be a form unless the operator allows it, and needs the CSRF token then too", async () => {
    for (const type of ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "Text/Plain"]) {
      const headers = { "Content-Type": type };
      const refused = await ask("POST", headers);
      expect([type, refused.status, toIdentity(refused)]).toEqual([type, 403, nobody]);
      expect(await statusOf(ask("GET", headers))).toBe(200);
      expect(await statusOf(ask("POST", headers, { path: "?forms=1" }))).toBe(200);
      expect(await statusOf(ask("POST", { ...headers, "X-CSRFToken": null }, { path: "?forms=1" }))).toBe(403);
      const Authorization = `Bearer ${browser.cookie("__Host-Http-access")}`;
      expect(await statusOf(ask("POST", { ...headers, Authorization }))).toBe(200);
    }
    for (const type of ["application/json", "application/octet-stream", "image/png"]) {
      expect(await statusOf(ask("POST", { "Content-Type": type }))).toBe(200);
    }
  });

  it("passes without the CSRF token if checkCsrf is off, but not to a WebSocket from another site", async () => {
    await restart({ checkCsrf: false });
    await browser.logIn();
    const foreign = { "X-CSRFToken": null, "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" };
    for (const method of ["POST", "DELETE", null]) {
      expect(await statusOf(ask(method, { ...foreign, "Content-Type": "text/plain" }))).toBe(200);
    }
    expect(await statusOf(ask("GET", { ...foreign, "Sec-WebSocket-Version": "13" }))).toBe(403);
    // The endpoints themselves still check it.
    expect((await browser.post("/api/auth/logout/", {}, { "X-CSRFToken": null })).status).toBe(403);
  });

  it.each(["Upgrade", "Sec-WebSocket-Version"])(
    "may open a WebSocket, known by %s, from an allowed origin only",
    async (name) => {
      const upgrade = { [name]: name === "Upgrade" ? "websocket" : "13", "Sec-Fetch-Site": null };
      expect(await statusOf(ask("GET", { ...upgrade, Origin: "https://auth.example" }))).toBe(200);
      expect(await statusOf(ask("GET", { ...upgrade, Origin: "https://evil.example" }))).toBe(403);
      expect(await statusOf(ask("GET", { ...upgrade, Origin: null }))).toBe(403);
    },
  );
});

it("answers what Envoy sends: the method, the path and the query of the request below its path_prefix", async () => {
  await browser.logIn();
  const cookie = ["__Host-Http-access", "__Host-csrftoken"].map((name) => `${name}=${browser.cookie(name)}`).join("; ");
  const send = (method: string, headers: Record<string, string>) =>
    t.handler.fetch(
      new Request("http://auth.example/api/auth/check/request/orders/7?optional=1&forms=1", {
        method,
        headers: { "Content-Length": "0", "X-Envoy-Internal": "true", Host: "auth.example", ...headers },
      }),
      { ip: proxy },
    );
  const origin = { Origin: "https://auth.example", "X-CSRFToken": browser.cookie("__Host-csrftoken") ?? "" };
  expect((await send("GET", { Cookie: cookie })).headers.get("X-User-Id")).toBe(t.user.id);
  expect((await send("POST", { Cookie: cookie, ...origin })).headers.get("X-User-Id")).toBe(t.user.id);
  expect((await send("POST", { Cookie: cookie })).status).toBe(403);
  expect((await send("POST", { Cookie: cookie, ...origin, "Content-Type": "text/plain" })).status).toBe(403);
  expect((await send("POST", { Cookie: cookie, ...origin, Origin: "https://evil.example" })).status).toBe(403);
  const anonymous = await send("DELETE", {});
  expect([anonymous.status, toIdentity(anonymous)]).toEqual([401, nobody]);
});

describe("the option optional=1", () => {
  it("lets a request without a token through as nobody, and still refuses a wrong one", async () => {
    const response = await ask("POST", {}, { path: "?optional=1" });
    expect([response.status, toIdentity(response)]).toEqual([200, nobody]);
    const wrong = { headers: { Authorization: "Bearer x" } };
    expect((await t.send("GET", "/api/auth/check/?optional=1", wrong)).status).toBe(401);
    const { access } = await t.logIn();
    const right = await t.send("GET", "/api/auth/check/?optional=1", {
      headers: { Authorization: `Bearer ${access}` },
    });
    expect(right.headers.get("X-User-Id")).toBe(t.user.id);
    await browser.logIn();
    expect(await statusOf(ask("POST", { "X-CSRFToken": null }, { path: "?optional=1" }))).toBe(403);
  });

  it("is off with any other value", async () => {
    for (const path of ["", "?optional", "?optional=0", "?optional=true", "?Optional=1"]) {
      expect([path, await statusOf(ask("GET", {}, { path }))]).toEqual([path, 401]);
    }
  });

  it("doesn't count if a client may have added it: below the path, or in the query of the client's request", async () => {
    expect(await statusOf(ask("GET", {}, { path: "orders?optional=1" }))).toBe(401);
    expect(await statusOf(ask("GET", {}, { path: "/?optional=1" }))).toBe(401);
    for (const name of ["X-Forwarded-Uri", "X-Original-URI", "X-Original-URL"]) {
      for (const query of ["optional=1", "x=1&%6fptional=1", "optional", "?&optional=0"]) {
        const headers = { [name]: `/orders?${query}` };
        expect([query, await statusOf(ask("GET", headers, { path: "?optional=1" }))]).toEqual([query, 401]);
      }
      expect(await statusOf(ask("GET", { [name]: "/orders?x=optional" }, { path: "?optional=1" }))).toBe(200);
    }
  });
});

it("ignores options if the proxy says no method: Envoy's path_prefix and the client's path / are the check's own path", async () => {
  for (const path of ["", "?optional=1", "?optional=1&forms=1"]) {
    expect(await statusOf(ask(null, { "X-Envoy-Internal": "true" }, { path }))).toBe(401);
  }
});
