import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveSettings } from "../../../src/core/settings/resolve.ts";
import { isDevelopmentRequest, toDevelopmentSettings } from "../../../src/http/cookies/development-cookies.ts";
import { createHttpHandler, type HttpHandler } from "../../../src/http/router.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";

const local = { host: "localhost:8000", origin: "http://localhost:8000" };
const loopback = "127.0.0.1";

describe("a request for development cookies", () => {
  it.each<[Record<string, string | undefined>, string]>([
    [local, loopback],
    [local, "::1"],
    [local, "::ffff:127.0.0.1"],
    [{ host: "127.0.0.1:8000" }, loopback],
    [{ host: "[::1]:8000", origin: "http://[::1]:8000" }, "::1"],
    [{ host: "app.localhost:8000", origin: "http://localhost:5173" }, loopback],
    [{ ":authority": "localhost:8000" }, loopback],
    [{ ...local, via: undefined }, loopback],
  ])("is one with the headers %j from %s, as host, origin and socket are loopback", (headers, ip) => {
    expect(isDevelopmentRequest({ headers }, ip)).toBe(true);
  });

  it.each<[Record<string, string>, string | undefined]>([
    [local, "192.168.1.7"],
    [local, undefined],
    [local, "localhost"],
    [{ host: "auth.example" }, loopback],
    [{ host: "192.168.1.7:8000" }, loopback],
    [{ host: "localhost.example" }, loopback],
    [{ host: "127.0.0.1.example" }, loopback],
    [{ host: "localhost, auth.example" }, loopback],
    [{ host: "user@localhost" }, "10.0.0.1"],
    [{}, loopback],
    [{ ...local, origin: "https://auth.example" }, loopback],
    [{ ...local, origin: "http://localhost.example" }, loopback],
    [{ ...local, origin: "null" }, loopback],
    [{ ...local, origin: "" }, loopback],
    [{ ...local, forwarded: "for=127.0.0.1" }, loopback],
    [{ ...local, Via: "1.1 proxy" }, loopback],
    [{ ...local, "X-Forwarded-For": "127.0.0.1" }, loopback],
    [{ ...local, "x-forwarded-proto": "http" }, loopback],
    [{ ...local, "x-forwarded-anything": "" }, loopback],
  ])("is not one with the headers %j from %s", (headers, ip) => {
    expect(isDevelopmentRequest({ headers }, ip)).toBe(false);
    expect(isDevelopmentRequest({ headers: new Headers(headers) }, ip)).toBe(false);
  });
});

it("gives development cookies no domain and no SameSite=None, which browsers refuse without Secure", () => {
  const settings = resolveSettings({
    accessCookieName: "__Secure-access",
    csrfCookieName: "__Secure-csrf",
    cookieDomain: "example.com",
    cookieSameSite: "None",
  });
  const expected = { insecureCookies: true, cookieDomain: undefined, cookieSameSite: "Lax" };
  expect(toDevelopmentSettings(settings)).toEqual({ ...settings, ...expected });
});

it("uses no development cookies if two would have the same name without their prefixes", () => {
  const settings = resolveSettings({ accessCookieName: "__Host-Http-token", refreshCookieName: "__Secure-token" });
  expect(toDevelopmentSettings(settings)).toBe(settings);
});

describe("a server with development cookies", () => {
  let auth: TestAuth;
  let handler: HttpHandler;

  beforeEach(async () => {
    auth = await createTestAuth();
    handler = createHttpHandler(auth.deps, { developmentCookies: true });
  });
  afterEach(() => auth.close());

  interface Sent {
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly ip?: string;
    readonly by?: HttpHandler;
  }

  function send(method: string, path: string, { headers = {}, body, ip = loopback, by = handler }: Sent = {}) {
    const all = new Headers({ ...local, ...headers });
    if (body !== undefined) all.set("Content-Type", "application/json");
    const init = { method, headers: all, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return by.fetch(new Request(`http://localhost:8000/api/auth/${path}/`, init), { ip });
  }

  const toCookieHeader = (response: Response) =>
    response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(";", 1)[0])
      .join("; ");

  /** Logs alice in at localhost. Returns the headers of her next unsafe request. */
  async function logIn(): Promise<{ readonly Cookie: string; readonly "X-CSRFToken": string }> {
    const csrf = await send("GET", "csrf");
    const { csrf_token } = (await csrf.json()) as { csrf_token: string };
    const headers = { Cookie: toCookieHeader(csrf), "X-CSRFToken": csrf_token };
    const login = await send("POST", "login", { headers, body: alice });
    expect(login.status).toBe(200);
    const Cookie = toCookieHeader(login);
    expect(login.headers.getSetCookie().filter((cookie) => /; Secure|^__/.test(cookie))).toEqual([]);
    return { Cookie, "X-CSRFToken": /\bcsrftoken=([^;]*)/.exec(Cookie)?.[1] ?? "" };
  }

  it("logs in, refreshes and logs out at localhost with cookies that have no prefix and no Secure", async () => {
    const headers = await logIn();
    expect((await send("GET", "me", { headers })).status).toBe(200);
    expect((await send("POST", "refresh", { headers })).status).toBe(200);
    const logout = await send("POST", "logout", { headers });
    expect([logout.status, logout.headers.getSetCookie().length]).toEqual([200, 3]);
  });

  it("neither reads nor writes development cookies for any other request", async () => {
    const { Cookie } = await logIn();
    for (const [sent, status] of [
      [{ ip: "192.168.1.7" }, 401],
      [{ headers: { host: "auth.example", origin: "http://auth.example" } }, 401],
      [{ headers: { "X-Forwarded-For": loopback } }, 401],
      [{ by: auth.handler }, 401],
      [{}, 200],
    ] as const) {
      const headers = { ...("headers" in sent ? sent.headers : {}), Cookie };
      expect((await send("GET", "me", { ...sent, headers })).status).toBe(status);
      const [csrfCookie = ""] = (await send("GET", "csrf", sent)).headers.getSetCookie();
      expect(csrfCookie.startsWith("__Host-csrftoken=")).toBe(status === 401);
      expect(csrfCookie.includes("Secure")).toBe(status === 401);
    }
  });

  it("doesn't read the cookies of production at localhost", async () => {
    const { access } = await auth.logIn();
    const headers = { Cookie: `__Host-Http-access=${access}` };
    expect((await send("GET", "me", { headers })).status).toBe(401);
    expect((await send("GET", "me", { headers, ip: "192.168.1.7" })).status).toBe(200);
  });

  it("refuses an unsafe request with development cookies that doesn't say its origin", async () => {
    const headers = await logIn();
    const request = new Request("http://localhost:8000/api/auth/logout/", { method: "POST", headers });
    expect((await handler.fetch(request, { ip: loopback })).status).toBe(403);
  });

  it("names the cookies of each request's own kind in the OpenAPI document", async () => {
    const readName = async (ip: string) => {
      const response = await handler.fetch(new Request("http://localhost:8000/api/schema/"), { ip });
      const { components } = (await response.json()) as {
        components: { securitySchemes: { cookie: { name: string } } };
      };
      return components.securitySchemes.cookie.name;
    };
    expect([await readName(loopback), await readName("192.168.1.7")]).toEqual(["access", "__Host-Http-access"]);
  });
});
