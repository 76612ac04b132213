import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuthErrorCode } from "../../src/core/errors.ts";
import { createAuth } from "../../src/create-auth.ts";
import { authenticateRequest, readCredentials } from "../../src/http/credentials.ts";
import type { HeaderSource } from "../../src/http/request/headers.ts";
import { createTestAuth, signingKey, type TestAuth } from "../support/auth.ts";
import { type Browser, createBrowser } from "../support/browser.ts";
import { openTestStore } from "../support/test-store.ts";

let auth: TestAuth;
let browser: Browser;
let sessionId: string;

beforeEach(async () => {
  auth = await createTestAuth();
  browser = createBrowser(auth);
  ({ sessionId } = await browser.logIn());
});
afterEach(() => auth.close());

/** The headers of a same-origin request from a browser, as Node's http server gives them. */
const toHeaders = (from = browser): Record<string, string> => ({
  host: "auth.example",
  origin: "https://auth.example",
  cookie: ["__Host-Http-access", "__Host-csrftoken"].map((name) => `${name}=${from.cookie(name)}`).join("; "),
  "x-csrftoken": from.cookie("__Host-csrftoken") ?? "",
});

const toBearer = (from = browser) => `Bearer ${from.cookie("__Host-Http-access")}`;

const authenticate = async (headers: HeaderSource, method?: string) =>
  authenticateRequest(auth.deps, { headers, method });

const expectRefused = (attempt: Promise<unknown>, code: AuthErrorCode) =>
  expect(attempt).rejects.toMatchObject({ name: "AuthError", code });

describe("the credentials of a request", () => {
  const read = (headers: HeaderSource) => readCredentials(headers, auth.deps);

  it("reads the bearer token if there is one, whatever the cookies hold", () => {
    const cookie = "__Host-Http-access=cookie; __Host-Http-access=other";
    expect(read({ authorization: "Bearer header", cookie })).toEqual({ via: "bearer", token: "header" });
    expect(read(new Headers({ Authorization: "Bearer header", Cookie: cookie }))).toMatchObject({ via: "bearer" });
  });

  it("reads the access cookie if there is no bearer token, or another scheme", () => {
    const cookie = "__Host-Http-access=token";
    expect(read({ cookie })).toMatchObject({ via: "cookie", token: "token" });
    expect(read({ cookie, authorization: "Basic YTpi" })).toMatchObject({ via: "cookie", token: "token" });
  });

  it("refuses a malformed bearer header and does not fall back to the cookies", () => {
    const cookie = "__Host-Http-access=token";
    for (const authorization of ["Bearer", "Bearer a b"]) {
      expect(() => read({ cookie, authorization })).toThrow(/bad_authorization_header/);
    }
  });

  it("refuses two access cookies", () => {
    expect(() => read({ cookie: "__Host-Http-access=a; __Host-Http-access=b" })).toThrow(/csrf_failed/);
  });

  it("refuses a request without an access token", () => {
    for (const headers of [{}, new Headers(), { cookie: "a=b" }, { cookie: "__Host-Http-access=" }]) {
      expect(() => read(headers)).toThrow(/not_authenticated/);
    }
  });
});

describe("a request by bearer token", () => {
  it("accepts a bearer token from any origin, without a CSRF token", async () => {
    const headers = { authorization: toBearer(), origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    expect(await authenticate(headers, "POST")).toMatchObject({ userId: auth.user.id, sessionId });
  });

  it("refuses an invalid bearer token even if the cookies are valid", async () => {
    await expectRefused(authenticate({ ...toHeaders(), authorization: "Bearer bad" }, "GET"), "token_invalid");
  });
});

describe("a safe request by cookie", () => {
  it("accepts the access cookie alone for a safe method", async () => {
    const { cookie = "" } = toHeaders();
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      expect(await authenticate({ cookie, "sec-fetch-site": "cross-site" }, method)).toMatchObject({ sessionId });
    }
  });

  it("refuses a safe request with two access cookies, in either order", async () => {
    const { cookie } = toHeaders();
    for (const both of [`__Host-Http-access=x; ${cookie}`, `${cookie}; __Host-Http-access=x`]) {
      await expectRefused(authenticate({ cookie: both }, "GET"), "csrf_failed");
    }
  });
});

describe("an upgrade to a WebSocket", () => {
  const upgrade = (headers: Record<string, string>) => ({ connection: "Upgrade", upgrade: "websocket", ...headers });

  it("accepts an upgrade by cookie from the server's own origin and from a trusted one", async () => {
    const { host = "", cookie = "", origin = "" } = toHeaders();
    expect(await authenticate(upgrade({ host, cookie, origin }), "GET")).toMatchObject({ sessionId });
    const trusting = await createTestAuth({ settings: { trustedOrigins: ["https://app.example"] } });
    const page = createBrowser(trusting);
    const { sessionId: id } = await page.logIn();
    const headers = upgrade({ host, cookie: toHeaders(page)["cookie"] ?? "", origin: "https://app.example" });
    expect(await authenticateRequest(trusting.deps, { headers, method: "GET" })).toMatchObject({ sessionId: id });
    await trusting.close();
  });

  it("refuses an upgrade by cookie from another origin or from an unknown one", async () => {
    const { host = "", cookie = "" } = toHeaders();
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: "https://blog.auth.example" },
      { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]) {
      await expectRefused(authenticate(upgrade({ host, cookie, ...headers }), "GET"), "csrf_failed");
    }
    await expectRefused(authenticate(upgrade({ host, cookie }), "GET"), "csrf_failed");
    const upperCase = new Headers({ Upgrade: "WebSocket", Cookie: cookie, Host: host, Origin: "https://evil.example" });
    await expectRefused(authenticate(upperCase, "GET"), "csrf_failed");
  });

  it("accepts an upgrade by bearer token from any origin, as no page can add one", async () => {
    const headers = upgrade({ authorization: toBearer(), origin: "https://evil.example" });
    expect(await authenticate(headers, "GET")).toMatchObject({ sessionId });
  });
});

describe("an unsafe request by cookie to a route of the application", () => {
  it("accepts an unsafe request by cookie from the own origin with its CSRF token", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", undefined]) {
      expect(await authenticate(toHeaders(), method)).toMatchObject({ userId: auth.user.id, sessionId });
    }
    expect(await authenticate(new Headers(toHeaders()), "POST")).toMatchObject({ sessionId });
  });

  it("refuses an unsafe request by cookie without a CSRF token, also if origin and method are unknown", async () => {
    const { "x-csrftoken": _, origin: __, ...headers } = toHeaders();
    await expectRefused(authenticate(headers, "POST"), "csrf_failed");
    await expectRefused(authenticate(headers), "csrf_failed");
  });

  it("refuses an unsafe request with a CSRF token from before the login", async () => {
    const fresh = createBrowser(auth);
    await fresh.get("/api/auth/csrf/");
    const token = fresh.cookie("__Host-csrftoken") ?? "";
    const cookie = `__Host-Http-access=${browser.cookie("__Host-Http-access")}; __Host-csrftoken=${token}`;
    await expectRefused(authenticate({ ...toHeaders(), cookie, "x-csrftoken": token }, "POST"), "csrf_failed");
  });

  it("refuses an unsafe request with the CSRF token of another session, even of the same user", async () => {
    const other = createBrowser(auth);
    await other.logIn();
    const token = other.cookie("__Host-csrftoken") ?? "";
    const cookie = `__Host-Http-access=${browser.cookie("__Host-Http-access")}; __Host-csrftoken=${token}`;
    await expectRefused(authenticate({ ...toHeaders(), cookie, "x-csrftoken": token }, "POST"), "csrf_failed");
  });

  it("refuses an unsafe request by cookie from another site, a sandboxed page or a sibling subdomain", async () => {
    for (const headers of [
      { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
      { "sec-fetch-site": "cross-site", origin: "null" },
      { "sec-fetch-site": "same-site", origin: "https://blog.auth.example" },
      { origin: "null" },
      { origin: "https://blog.auth.example" },
    ]) {
      await expectRefused(authenticate({ ...toHeaders(), ...headers }, "POST"), "csrf_failed");
    }
  });

  it("refuses an expired access token before it checks the CSRF token, so that a client refreshes", async () => {
    auth.clock.advance(1_800);
    const { "x-csrftoken": _, ...headers } = toHeaders();
    await expectRefused(authenticate(headers, "POST"), "token_expired");
  });

  it("answers not_authenticated, not csrf_failed, to an unsafe request without a cookie", async () => {
    await expectRefused(authenticate({ origin: "https://evil.example" }, "POST"), "not_authenticated");
  });
});

describe("an unsafe request by cookie that can't carry the CSRF token", () => {
  const check = async (headers: Record<string, string>, method = "POST") =>
    authenticateRequest(auth.deps, { headers, method }, { csrf: "stated-origin" });
  const silent = () => {
    const { origin: _origin, "x-csrftoken": _token, ...rest } = toHeaders();
    return rest as Record<string, string>;
  };

  it("accepts it if the browser has stated that the origin is the server's own", async () => {
    const { "x-csrftoken": _token, ...headers } = toHeaders();
    expect(await check(headers)).toMatchObject({ sessionId });
    expect(await check({ ...silent(), "sec-fetch-site": "same-origin" })).toMatchObject({ sessionId });
  });

  it("refuses it from another origin, or if the browser has stated none", async () => {
    for (const headers of [
      silent(),
      { ...silent(), origin: "https://evil.example" },
      { ...silent(), origin: "null" },
      { ...silent(), "sec-fetch-site": "same-site" },
      { ...silent(), "sec-fetch-site": "cross-site", origin: "https://evil.example" },
    ]) {
      await expectRefused(check(headers), "csrf_failed");
    }
  });
});

describe("a request that memory is enough for", () => {
  const toRequests = ({ cookie = "", ...headers }: Record<string, string>, authorization: string) => ({
    bearer: { method: "POST", headers: { authorization } },
    safe: { method: "GET", headers: { cookie } },
    unsafe: { method: "POST", headers: { cookie, ...headers } },
  });

  it("returns claims for a bearer token and a GET by cookie, and a promise for an unsafe cookie request", async () => {
    const { bearer, safe, unsafe } = toRequests(toHeaders(), toBearer());
    for (const request of [bearer, safe]) {
      const authentication = authenticateRequest(auth.deps, request);
      expect(authentication).not.toBeInstanceOf(Promise);
      expect(authentication).toMatchObject({ sessionId });
    }
    const promise = authenticateRequest(auth.deps, unsafe);
    expect(promise).toBeInstanceOf(Promise);
    expect(await promise).toMatchObject({ sessionId });
  });

  it("checks a bearer token and a GET by cookie at once, and an unsafe cookie request with a promise", async () => {
    const store = await openTestStore(() => Math.floor(Date.now() / 1_000));
    // Memory is enough, however long the machine pauses.
    const own = createAuth({ store, signingKey, maxStaleness: 3_600 });
    await own.ready();
    const { access, session } = await own.issue((await own.users.create({ username: "robot" })).id);
    const accessCookie = `__Host-Http-access=${access}`;
    const csrf = await own.fetch(
      new Request("https://auth.example/api/auth/csrf/", { headers: { Cookie: accessCookie } }),
    );
    const { csrf_token: token } = (await csrf.json()) as { csrf_token: string };
    const headers = { cookie: `${accessCookie}; __Host-csrftoken=${token}`, "x-csrftoken": token };
    const { bearer, safe, unsafe } = toRequests(headers, `Bearer ${access}`);
    for (const request of [bearer, safe]) {
      const result = own.check(request);
      expect(result).not.toBeInstanceOf(Promise);
      expect(result).toMatchObject({ ok: true, authentication: { sessionId: session.id } });
    }
    const promise = own.check(unsafe);
    expect(promise).toBeInstanceOf(Promise);
    expect(await promise).toMatchObject({ ok: true, authentication: { sessionId: session.id } });
    await own.close();
    await store.close();
  });
});
