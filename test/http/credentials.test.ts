import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuthErrorCode } from "../../src/core/errors.ts";
import { authenticateRequest, readCredentials } from "../../src/http/credentials.ts";
import type { HeaderSource } from "../../src/http/request/headers.ts";
import { createTestAuth, type TestAuth } from "../support/auth.ts";
import { type Browser, createBrowser } from "../support/browser.ts";

let auth: TestAuth;
let browser: Browser;
let sessionId: string;

beforeEach(async () => {
  auth = await createTestAuth();
  browser = createBrowser(auth);
  ({ sessionId } = await browser.logIn());
});
afterEach(() => auth.close());

/** The headers of our page's request in `browser`, as Node's http server gives them. */
const toHeaders = (page = browser): Record<string, string> => ({
  host: "auth.example",
  origin: "https://auth.example",
  cookie: ["__Host-Http-access", "__Host-csrftoken"].map((name) => `${name}=${page.cookie(name)}`).join("; "),
  "x-csrftoken": page.cookie("__Host-csrftoken") ?? "",
});

const authenticate = async (headers: HeaderSource, method?: string) =>
  authenticateRequest(auth.deps, { headers, method });

const expectRefused = (attempt: Promise<unknown>, code: AuthErrorCode) =>
  expect(attempt).rejects.toMatchObject({ name: "AuthError", code });

describe("the credentials of a request", () => {
  const read = (headers: HeaderSource) => readCredentials(headers, auth.deps);

  it("are the bearer token where there is one, whatever the cookies hold", () => {
    const cookie = "__Host-Http-access=cookie; __Host-Http-access=tossed";
    expect(read({ authorization: "Bearer header", cookie })).toEqual({ via: "bearer", token: "header" });
    expect(read(new Headers({ Authorization: "Bearer header", Cookie: cookie }))).toMatchObject({ via: "bearer" });
  });

  it("are the access cookie where there is no bearer token, also beside another scheme", () => {
    const cookie = "__Host-Http-access=token";
    expect(read({ cookie })).toMatchObject({ via: "cookie", token: "token" });
    expect(read({ cookie, authorization: "Basic YTpi" })).toMatchObject({ via: "cookie", token: "token" });
  });

  it("are refused, and not sought in the cookies, where the bearer header is broken", () => {
    const cookie = "__Host-Http-access=token";
    for (const authorization of ["Bearer", "Bearer a b"]) {
      expect(() => read({ cookie, authorization })).toThrow(/bad_authorization_header/);
    }
  });

  it("are refused where an access cookie was tossed in", () => {
    expect(() => read({ cookie: "__Host-Http-access=a; __Host-Http-access=b" })).toThrow(/csrf_failed/);
  });

  it("are missing otherwise", () => {
    for (const headers of [{}, new Headers(), { cookie: "a=b" }, { cookie: "__Host-Http-access=" }]) {
      expect(() => read(headers)).toThrow(/not_authenticated/);
    }
  });
});

describe("a request by bearer token", () => {
  it("needs nothing else, from wherever it comes", async () => {
    const authorization = `Bearer ${browser.cookie("__Host-Http-access")}`;
    const headers = { authorization, origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    expect(await authenticate(headers, "POST")).toMatchObject({ userId: auth.user.id, sessionId });
  });

  it("is not saved by good cookies where its token is bad", async () => {
    await expectRefused(authenticate({ ...toHeaders(), authorization: "Bearer bad" }, "GET"), "token_invalid");
  });
});

describe("a safe request by cookie", () => {
  it("needs the cookie alone", async () => {
    const { cookie = "" } = toHeaders();
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      expect(await authenticate({ cookie, "sec-fetch-site": "cross-site" }, method)).toMatchObject({ sessionId });
    }
  });

  it("is refused where an access cookie was tossed in, before or after ours", async () => {
    const { cookie } = toHeaders();
    for (const tossed of [`__Host-Http-access=x; ${cookie}`, `${cookie}; __Host-Http-access=x`]) {
      await expectRefused(authenticate({ cookie: tossed }, "GET"), "csrf_failed");
    }
  });
});

describe("an upgrade to a WebSocket", () => {
  const upgrade = (headers: Record<string, string>) => ({ connection: "Upgrade", upgrade: "websocket", ...headers });

  it("by cookie passes from our own page, and from a page of a trusted origin", async () => {
    const { host = "", cookie = "", origin = "" } = toHeaders();
    expect(await authenticate(upgrade({ host, cookie, origin }), "GET")).toMatchObject({ sessionId });
    const trusting = await createTestAuth({ settings: { trustedOrigins: ["https://app.example"] } });
    const page = createBrowser(trusting);
    const { sessionId: id } = await page.logIn();
    const headers = upgrade({ host, cookie: toHeaders(page)["cookie"] ?? "", origin: "https://app.example" });
    expect(await authenticateRequest(trusting.deps, { headers, method: "GET" })).toMatchObject({ sessionId: id });
    await trusting.close();
  });

  it("by cookie is refused from a foreign page: it would speak with the user's cookies", async () => {
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
    const shouting = new Headers({ Upgrade: "WebSocket", Cookie: cookie, Host: host, Origin: "https://evil.example" });
    await expectRefused(authenticate(shouting, "GET"), "csrf_failed");
  });

  it("by bearer token passes from anywhere: no page can add one unasked", async () => {
    const authorization = `Bearer ${browser.cookie("__Host-Http-access")}`;
    const headers = upgrade({ authorization, origin: "https://evil.example" });
    expect(await authenticate(headers, "GET")).toMatchObject({ sessionId });
  });
});

describe("an unsafe request by cookie to an application's own route", () => {
  it("passes from our own page with its CSRF token", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", undefined]) {
      expect(await authenticate(toHeaders(), method)).toMatchObject({ userId: auth.user.id, sessionId });
    }
    expect(await authenticate(new Headers(toHeaders()), "POST")).toMatchObject({ sessionId });
  });

  it("is refused without the CSRF token, whatever else is missing: fails closed", async () => {
    const { "x-csrftoken": _, origin: __, ...headers } = toHeaders();
    await expectRefused(authenticate(headers, "POST"), "csrf_failed");
    await expectRefused(authenticate(headers), "csrf_failed");
  });

  it("is refused with the token from before the login", async () => {
    const fresh = createBrowser(auth);
    await fresh.get("/api/auth/csrf/");
    const token = fresh.cookie("__Host-csrftoken") ?? "";
    const cookie = `__Host-Http-access=${browser.cookie("__Host-Http-access")}; __Host-csrftoken=${token}`;
    await expectRefused(authenticate({ ...toHeaders(), cookie, "x-csrftoken": token }, "POST"), "csrf_failed");
  });

  it("is refused with the token of another session, also of the same user", async () => {
    const other = createBrowser(auth);
    await other.logIn();
    const token = other.cookie("__Host-csrftoken") ?? "";
    const cookie = `__Host-Http-access=${browser.cookie("__Host-Http-access")}; __Host-csrftoken=${token}`;
    await expectRefused(authenticate({ ...toHeaders(), cookie, "x-csrftoken": token }, "POST"), "csrf_failed");
  });

  it("is refused from another site: a form post, a fetch with credentials, a sandboxed page, a subdomain", async () => {
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

  it("says that the token is no good before it asks for a CSRF token, so that a client refreshes", async () => {
    auth.clock.advance(1_800);
    await expectRefused(authenticate(toHeaders(), "POST"), "token_expired");
  });

  it("without a cookie is not authenticated, rather than suspicious", async () => {
    await expectRefused(authenticate({ origin: "https://evil.example" }, "POST"), "not_authenticated");
  });
});
