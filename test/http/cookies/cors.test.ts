import { afterEach, expect, it } from "vitest";
import type { CorsPolicy, Endpoint } from "../../../src/http/endpoint.ts";
import { createHttpHandler } from "../../../src/http/router.ts";
import { endpoints } from "../../../src/http/routes/index.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { createBrowser } from "../../support/browser.ts";

const front = "https://app.example.com";
let auth: TestAuth | undefined;

async function start(trustedOrigins: readonly string[] = [front]): Promise<TestAuth> {
  auth = await createTestAuth({ settings: { trustedOrigins } });
  return auth;
}

afterEach(async () => {
  await auth?.close();
  auth = undefined;
});

const toCorsHeaders = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-") || name === "vary"));

const preflight = { "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-csrftoken" };

it("answers a trusted origin's preflight with the allowed methods and headers", async () => {
  const { send } = await start();
  const response = await send("OPTIONS", "/api/auth/login/", { headers: { Origin: front, ...preflight } });
  expect(response.status).toBe(204);
  expect(toCorsHeaders(response)).toEqual({
    "access-control-allow-origin": front,
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "POST, OPTIONS",
    "access-control-allow-headers": "Content-Type, X-CSRFToken, Idempotency-Key, Authorization",
    "access-control-max-age": "600",
    vary: "Origin, Access-Control-Request-Method",
  });
});

it("allows a trusted origin's page to read every response, errors too", async () => {
  const { send } = await start();
  for (const [method, path] of [
    ["GET", "/api/auth/csrf/"],
    ["GET", "/api/auth/me/"],
    ["POST", "/api/auth/login/"],
    ["PUT", "/api/auth/login"],
  ] as const) {
    const response = await send(method, path, { headers: { Origin: front } });
    expect(toCorsHeaders(response)).toEqual({
      "access-control-allow-origin": front,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers":
        "Token-Replayed, Session-Ended, Revocation-Confirmed, Retry-After, WWW-Authenticate",
      vary: "Origin",
    });
  }
});

it("allows a trusted origin's page to log in and refresh with its CSRF token", async () => {
  const browser = createBrowser(await start());
  const headers = { Origin: front, "Sec-Fetch-Site": "same-site" };
  const { csrf_token } = (await (await browser.get("/api/auth/csrf/", { headers })).json()) as { csrf_token: string };
  const body = { username: "alice", password: "correct horse battery staple" };
  const login = await browser.post("/api/auth/login/", body, { ...headers, "X-CSRFToken": csrf_token });
  expect(login.status).toBe(200);
  expect((await browser.post("/api/auth/refresh/", undefined, headers)).status).toBe(200);
});

it("sends no CORS headers to an origin that is not trusted, nor to its preflight", async () => {
  const { send } = await start();
  for (const origin of ["https://evil.example", "https://x.app.example.com", "http://app.example.com", "null", "*"]) {
    const asked = await send("OPTIONS", "/api/auth/login/", { headers: { Origin: origin, ...preflight } });
    const sent = await send("GET", "/api/auth/csrf/", { headers: { Origin: origin } });
    expect([toCorsHeaders(asked), toCorsHeaders(sent)]).toEqual([
      { vary: "Origin, Access-Control-Request-Method" },
      { vary: "Origin" },
    ]);
  }
});

it("sends no CORS headers at all if no origin is trusted", async () => {
  const { send } = await start([]);
  expect(toCorsHeaders(await send("GET", "/api/auth/csrf/", { headers: { Origin: front } }))).toEqual({});
});

const exposed = "Token-Replayed, Session-Ended, Revocation-Confirmed, Retry-After, WWW-Authenticate";

it("sends no CORS headers for the endpoints of services and their metadata", async () => {
  const { send } = await start();
  for (const [method, path] of [
    ["POST", "/api/token/introspect/"],
    ["POST", "/api/token/revoke/"],
    ["GET", "/.well-known/oauth-authorization-server"],
  ] as const) {
    const asked = await send("OPTIONS", path, { headers: { Origin: front, ...preflight } });
    const sent = await send(method, path, { headers: { Origin: front } });
    expect([path, toCorsHeaders(asked), toCorsHeaders(sent)]).toEqual([path, {}, {}]);
  }
});

it("lets a trusted origin's page use the token endpoints without credentials", async () => {
  const { send } = await start();
  for (const path of ["/api/token/", "/api/token/refresh", "/api/token/verify/", "/api/token/blacklist/"]) {
    const asked = await send("OPTIONS", path, { headers: { Origin: front, ...preflight } });
    expect([path, asked.status, toCorsHeaders(asked)]).toEqual([
      path,
      204,
      {
        "access-control-allow-origin": front,
        "access-control-allow-methods": "POST, OPTIONS",
        "access-control-allow-headers": "Content-Type, X-CSRFToken, Idempotency-Key, Authorization",
        "access-control-max-age": "600",
        vary: "Origin, Access-Control-Request-Method",
      },
    ]);
    const sent = await send("POST", path, { headers: { Origin: front }, body: {} });
    expect([sent.status, toCorsHeaders(sent)]).toEqual([
      400,
      { "access-control-allow-origin": front, "access-control-expose-headers": exposed, vary: "Origin" },
    ]);
  }
});

it("allows the header of the csrfHeaderName and authHeaderName settings", async () => {
  auth = await createTestAuth({
    settings: { trustedOrigins: [front], csrfHeaderName: "X-Forgery", authHeaderName: "X-Access" },
  });
  const asked = await auth.send("OPTIONS", "/api/auth/logout/", { headers: { Origin: front, ...preflight } });
  expect(asked.headers.get("Access-Control-Allow-Headers")).toBe("Content-Type, X-Forgery, Idempotency-Key, X-Access");
});

it("lets every page read the public keys, without credentials", async () => {
  const { send } = await start([]);
  const keys = await send("GET", "/.well-known/jwks.json", { headers: { Origin: "https://anybody.example" } });
  expect(toCorsHeaders(keys)).toEqual({ "access-control-allow-origin": "*", "access-control-expose-headers": exposed });
});

it("lets the pages of apps use bearer tokens and never cookies", async () => {
  for (const origin of ["capacitor://localhost", "chrome-extension://abcdefghijklmnop", "tauri://localhost"]) {
    const { send, close } = await start([origin]);
    for (const path of ["/api/token/", "/api/auth/me/", "/api/auth/logout/"]) {
      const asked = await send("OPTIONS", path, { headers: { Origin: origin, ...preflight } });
      expect(asked.headers.get("Access-Control-Allow-Origin")).toBe(origin);
      expect(asked.headers.has("Access-Control-Allow-Credentials")).toBe(false);
    }
    await close();
    auth = undefined;
  }
});

it("never lets the page of an app pass the CSRF check, even with the right token", async () => {
  const origin = "capacitor://localhost";
  const browser = createBrowser(await start([origin]));
  await browser.logIn();
  for (const site of [{}, { "Sec-Fetch-Site": "same-origin" }, { "Sec-Fetch-Site": "cross-site" }]) {
    const response = await browser.post("/api/auth/logout/", {}, { Origin: origin, ...site });
    expect([response.status, ((await response.json()) as { detail: string }).detail]).toEqual([
      403,
      "CSRF Failed: Origin checking failed.",
    ]);
  }
});

it("trusts the hosts below a wildcard's domain, on https and the same port, and not the domain itself", async () => {
  const { send } = await start(["https://*.example.com", "https://*.example.org:8443"]);
  const allows = async (origin: string) =>
    (await send("GET", "/api/auth/csrf/", { headers: { Origin: origin } })).headers.get("Access-Control-Allow-Origin");
  for (const origin of ["https://app.example.com", "https://a.b.example.com", "https://x.example.org:8443"]) {
    expect(await allows(origin)).toBe(origin);
  }
  for (const origin of [
    "https://example.com",
    "https://.example.com",
    "https://*.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://x.example.org",
    "https://evilexample.com",
    "https://app.example.com.evil.example",
    "https://evil.example/.example.com",
    "https://evil.example?.example.com",
    "https://user@app.example.com",
    "https://a..example.com",
    "null",
  ]) {
    expect([origin, await allows(origin)]).toEqual([origin, null]);
  }
});

const open = [
  ...["", "/continue", "/refresh", "/verify", "/blacklist"].map((path) => `/api/token${path}`),
  ...[
    "/me",
    "/activity",
    "/session/events",
    "/csrf",
    "/login",
    "/login/continue",
    "/refresh",
    "/logout",
    "/sessions",
    "/sessions/x",
    "/password",
    "/confirm",
  ].map((path) => `/api/auth${path}`),
  "/.well-known/jwks.json",
];

it("sends CORS headers from no other endpoint, so that a new one is closed until it says otherwise", async () => {
  const t = await start();
  const { paths } = (await (await t.send("GET", "/api/schema/")).json()) as { paths: Record<string, object> };
  const endpoint: Endpoint = {
    method: "GET",
    path: ({ authPath }) => `${authPath}/later`,
    operationId: "other",
    summary: "Later.",
    errorStyle: "resource",
    responses: {},
    handle: async () => new Response(),
  };
  const { fetch } = createHttpHandler(t.deps, { endpoints: [...endpoints, endpoint] });
  const found: string[] = [];
  const all = [
    ...Object.keys(paths).map((path) => path.replace("{id}", "x").replace(/\/$/, "")),
    "/api/auth/later",
    "/api/auth/check/x",
  ];
  for (const path of [...all, "/api/auth", "/api/authx", "/api/auth/unknown", "/api/token/introspect"]) {
    for (const method of ["OPTIONS", "GET", "POST"]) {
      const request = new Request(`https://auth.example${path}`, { method, headers: { Origin: front, ...preflight } });
      const headers = Object.keys(toCorsHeaders(await fetch(request)));
      if (headers.length > 0 && !found.includes(path)) found.push(path);
    }
  }
  expect(found.sort()).toEqual([...open].sort());
});

it("refuses two endpoints of one path with different policies", async () => {
  const t = await start();
  const at = (method: "GET" | "POST", cors?: CorsPolicy): Endpoint => ({
    ...{ method, path: () => "/x", operationId: "x", summary: "X.", errorStyle: "resource", responses: {} },
    ...(cors === undefined ? {} : { cors }),
    handle: async () => new Response(),
  });
  const create = () => createHttpHandler(t.deps, { endpoints: [at("GET", "any"), at("POST")] });
  expect(create).toThrow(new TypeError("the endpoints of /x have different cors"));
});
