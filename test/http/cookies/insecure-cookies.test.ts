import { afterEach, beforeEach, expect, it } from "vitest";
import { authenticateRequest } from "../../../src/http/credentials.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";

const own = { host: "auth.example", origin: "https://auth.example" };
const refused = { detail: "CSRF Failed: Origin checking failed.", code: "csrf_failed" };

let auth: TestAuth;

beforeEach(async () => {
  auth = await createTestAuth({ settings: { insecureCookies: true } });
});
afterEach(() => auth.close());

const toCookieHeader = (response: Response) =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";", 1)[0])
    .join("; ");

/** Returns the headers of an unsafe request by cookie, without its origin. */
function toUnsafeHeaders(response: Response): Record<string, string> {
  const cookie = toCookieHeader(response);
  return { cookie, "x-csrftoken": /\bcsrftoken=([^;]*)/.exec(cookie)?.[1] ?? "" };
}

it("refuses an unsafe request by insecure cookies that has neither Sec-Fetch-Site nor Origin", async () => {
  const anonymous = toUnsafeHeaders(await auth.send("GET", "/api/auth/csrf/"));
  const post = (path: string, headers: Record<string, string>, body?: unknown) =>
    auth.send("POST", `/api/auth/${path}/`, { headers, body });
  const silent = await post("login", anonymous, alice);
  expect([silent.status, await silent.json()]).toEqual([403, refused]);
  const login = await post("login", { ...anonymous, ...own }, alice);
  expect(login.status).toBe(200);

  const headers = toUnsafeHeaders(login);
  for (const path of ["refresh", "logout"]) {
    const response = await post(path, headers);
    expect([response.status, await response.json()], path).toEqual([403, refused]);
  }
  const unsafe = { method: "POST", headers: { ...headers, host: own.host } };
  expect(() => authenticateRequest(auth.deps, unsafe)).toThrow(expect.objectContaining({ code: "csrf_failed" }));

  const stated = { method: "POST", headers: { ...headers, ...own } };
  expect(await authenticateRequest(auth.deps, stated)).toMatchObject({ userId: auth.user.id });
  expect((await post("refresh", { ...headers, "sec-fetch-site": "same-origin" })).status).toBe(200);
});

it("accepts a safe request by insecure cookies that doesn't say its origin", async () => {
  const anonymous = toUnsafeHeaders(await auth.send("GET", "/api/auth/csrf/"));
  const login = await auth.send("POST", "/api/auth/login/", { headers: { ...anonymous, ...own }, body: alice });
  const headers = { Cookie: toCookieHeader(login) };
  for (const path of ["csrf", "me"]) {
    expect((await auth.send("GET", `/api/auth/${path}/`, { headers })).status, path).toBe(200);
  }
});
