import { afterEach, expect, it } from "vitest";
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
    vary: "Origin",
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
    expect([toCorsHeaders(asked), toCorsHeaders(sent)]).toEqual([{ vary: "Origin" }, { vary: "Origin" }]);
  }
});

it("sends no CORS headers at all if no origin is trusted", async () => {
  const { send } = await start([]);
  expect(toCorsHeaders(await send("GET", "/api/auth/csrf/", { headers: { Origin: front } }))).toEqual({});
});

it("sends no CORS headers from the token endpoints or from paths that only look like the auth path", async () => {
  const { send } = await start();
  for (const path of ["/api/token/", "/api/authx", "/.well-known/jwks.json"]) {
    expect(toCorsHeaders(await send("GET", path, { headers: { Origin: front } }))).toEqual({});
  }
});
