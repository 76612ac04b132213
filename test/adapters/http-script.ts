import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "vitest";
import { type Auth, type AuthOptions, createAuth, type Store } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";

/** An application under one framework, with the endpoints mounted and `/hello` behind `requireUser`. */
export interface RunningApp {
  readonly url: string;
  close(): Promise<void>;
}

export const signingKey = "a signing key of the tests, at least 32 bytes long";
export const credentials = { username: "alice", password: "correct horse battery staple" };

/** A user whose login needs a second step, which every application of the script verifies. */
const withSecondStep = { ...credentials, username: "bob" };
const code = "123456";
const secondStep: Pick<AuthOptions, "afterPassword" | "verifySecondFactor"> = {
  afterPassword: ({ username }) => (username === withSecondStep.username ? { methods: ["otp"] } : null),
  verifySecondFactor: (_user, proof) => (proof["code"] === code ? ["otp"] : null),
};

/** On a busy machine, a repeated refresh must still be a replay. */
const longReuse: Partial<AuthOptions> = { reuseInterval: 60 };

/** Creates the `Auth` that every framework mounts. */
export async function createScriptAuth(
  settings: Partial<AuthOptions> = {},
): Promise<{ readonly auth: Auth; readonly store: Store; close(): Promise<void> }> {
  const store = sqliteStore(":memory:");
  await store.migrate();
  const auth = createAuth({ store, signingKey, ...longReuse, ...secondStep, ...settings } as AuthOptions);
  await auth.ready();
  await auth.users.create(credentials);
  return {
    auth,
    store,
    close: async () => {
      await auth.close();
      await store.close();
    },
  };
}

/** Runs the one HTTP script that every adapter must pass. Behind a body parser, malformed bodies never reach tokenpair. */
export async function runHttpScript(url: string, auth: Auth, isBehindParser = false): Promise<void> {
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(url + path, { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } });
  const hello = (access?: string, method = "GET") =>
    fetch(`${url}/hello`, { method, headers: access === undefined ? {} : { Authorization: `Bearer ${access}` } });

  // A request without a token is refused, with a challenge.
  const refused = await hello();
  expect(refused.status).toBe(401);
  expect(refused.headers.get("WWW-Authenticate")).toBe('Bearer realm="api"');
  expect(await refused.json()).toEqual({
    detail: "Authentication credentials were not provided.",
    code: "not_authenticated",
  });

  // Log in, as JSON and as a form.
  const login = await post("/api/token/", JSON.stringify(credentials), { "User-Agent": "script" });
  expect(login.status).toBe(200);
  const { access, refresh } = await login.json();
  const form = await post("/api/token", new URLSearchParams(credentials).toString(), {
    "Content-Type": "application/x-www-form-urlencoded",
  });
  expect(form.status).toBe(200);

  // The session has the client's address and user agent.
  const { userId } = await auth.authenticate({ headers: { authorization: `Bearer ${access}` } });
  const sessions = await auth.sessions.list(userId);
  expect(sessions.map((session) => session.userAgent)).toContain("script");
  expect(sessions.every((session) => /127\.0\.0\.1|::1/.test(session.ip ?? ""))).toBe(true);

  // A protected route of the application gets the claims.
  const welcome = await hello(access);
  expect([welcome.status, await welcome.text()]).toEqual([200, `hello ${userId}`]);
  expect((await hello(access, "POST")).status).toBe(200);
  expect((await hello(access, "HEAD")).status).toBe(200);

  // A request with a forged token is refused.
  for (const method of ["GET", "POST", "HEAD"]) expect((await hello("garbage", method)).status).toBe(401);
  const forged = { Cookie: "__Host-Http-access=garbage" };
  expect((await fetch(`${url}/hello`, { headers: forged })).status).toBe(401);
  expect((await fetch(`${url}/hello`, { headers: forged, method: "POST" })).status).toBe(401);

  // HEAD works on every path that answers GET, and HTTP/1.0 without a Host, as health checks send it.
  for (const path of ["/api/auth/me/", "/api/auth/csrf", "/api/schema/", "/.well-known/jwks.json"]) {
    const head = await fetch(url + path, { method: "HEAD", headers: { Authorization: `Bearer ${access}` } });
    expect([path, head.status, await head.text()]).toEqual([path, 200, ""]);
    expect(await sendRaw(url, `GET ${path} HTTP/1.0\r\nAuthorization: Bearer ${access}\r\n\r\n`)).toContain(" 200 ");
  }
  const hosts = "Host: a\r\nHost: b\r\nConnection: close\r\n\r\n";
  for (const version of ["1.0", "1.1"]) {
    expect(await sendRaw(url, `GET /api/schema/ HTTP/${version}\r\n${hosts}`)).toMatch(/^HTTP\/1\.1 400 /);
  }

  // A path with a dot segment would reach a different endpoint from the one that a proxy has asked.
  for (const target of [
    "check/../csrf/",
    "check/a/%2e%2E/%2e./csrf/",
    "check/./",
    "check/../../../.well-known/jwks.json",
  ]) {
    const answer = await sendRaw(url, `GET /api/auth/${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect([target, answer]).toEqual([target, expect.stringMatching(/^HTTP\/1\.1 400 .*bad_request/s)]);
  }
  expect(await sendRaw(url, "GET /api/auth/csrf/?next=/../a HTTP/1.0\r\n\r\n")).toContain(" 200 ");

  // Refresh, replay, verify.
  const refreshed = await post("/api/token/refresh/", JSON.stringify({ refresh }));
  const next = await refreshed.json();
  const replayed = await post("/api/token/refresh/", JSON.stringify({ refresh }));
  expect(replayed.headers.get("Token-Replayed")).toBe("true");
  expect((await replayed.json()).refresh).toBe(next.refresh);
  expect((await post("/api/token/verify/", JSON.stringify({ token: next.access }))).status).toBe(200);

  // Malformed input gets an error that says what is wrong.
  if (!isBehindParser) {
    const malformed = await post("/api/token/", "{");
    expect([malformed.status, await malformed.text()]).toEqual([400, expect.stringContaining("JSON parse error")]);
    expect((await post("/api/token/", `"${"x".repeat(20_000)}"`)).status).toBe(413);
  }
  expect((await fetch(`${url}/api/token/`)).headers.get("Allow")).toContain("POST");

  // A logout revokes the access token at once.
  expect((await post("/api/token/blacklist/", JSON.stringify({ refresh: next.refresh }))).status).toBe(200);
  const late = await hello(next.access);
  expect([late.status, (await late.json()).messages[0].message]).toEqual([401, "Token is blacklisted"]);

  // A login that needs a second step is completed with its ticket, as JSON and as a form. A lost response can be repeated.
  await auth.users.create(withSecondStep);
  const begin = async () => {
    const pending = await post("/api/token/", JSON.stringify(withSecondStep));
    expect(pending.status).toBe(401);
    return String((await pending.json()).ticket);
  };
  const ticket = await begin();
  const wrong = await post("/api/token/continue/", JSON.stringify({ ticket, code: "000000" }));
  expect([wrong.status, (await wrong.json()).code]).toEqual([400, "second_factor_invalid"]);
  const complete = () =>
    post("/api/token/continue/", JSON.stringify({ ticket, code }), { "Idempotency-Key": "k".repeat(22) });
  const [completed, repeated] = [await complete(), await complete()];
  expect([completed.status, repeated.status, completed.headers.getSetCookie()]).toEqual([200, 200, []]);
  const [pair, same] = [await completed.json(), await repeated.json()];
  expect(same.refresh).toBe(pair.refresh);
  expect((await hello(same.access)).status).toBe(200);
  const formStep = new URLSearchParams({ ticket: await begin(), code }).toString();
  const formType = { "Content-Type": "application/x-www-form-urlencoded" };
  expect((await post("/api/token/continue", formStep, formType)).status).toBe(200);
  expect((await post("/api/token/continue", formStep, formType)).status).toBe(401);

  // A browser's login sets four cookies, each in its own header.
  const token = await fetch(`${url}/api/auth/csrf/`);
  const cookie = token.headers.getSetCookie().map((line) => line.split(";")[0]);
  const { csrf_token: csrf } = await token.json();
  const browser = await post("/api/auth/login/", JSON.stringify(credentials), {
    Cookie: cookie.join("; "),
    "X-CSRFToken": csrf,
    "Sec-Fetch-Site": "same-origin",
  });
  expect(browser.status).toBe(200);
  expect(browser.headers.getSetCookie()).toHaveLength(4);

  // A caller with cookies alone can change nothing without the CSRF token.
  const jar = browser.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  expect((await fetch(`${url}/hello`, { headers: { Cookie: jar } })).status).toBe(200);
  expect((await fetch(`${url}/hello`, { method: "POST", headers: { Cookie: jar } })).status).toBe(403);
  const proven = { Cookie: jar, "X-CSRFToken": /__Host-csrftoken=([^;]+)/.exec(jar)?.[1] ?? "" };
  const change = await fetch(`${url}/hello`, { method: "POST", headers: proven });
  expect([change.status, await change.text()]).toEqual([200, `hello ${userId}`]);

  // The application answers its own paths.
  const own = await fetch(`${url}/own`);
  expect([own.status, await own.text()]).toEqual([200, "the application's own"]);
}

/** What `/danger` requires of the user's authentication. */
export const danger = { maxAge: 3_600, amr: ["otp"] } as const;

/** Runs the script of an application with a route that requires `danger`, and answers by which methods the user was authenticated. */
export async function runStepUpScript(url: string, auth: Auth): Promise<void> {
  const ask = (access: string) => fetch(`${url}/danger`, { headers: { Authorization: `Bearer ${access}` } });
  const { access, session } = await auth.login(credentials);
  expect((await fetch(`${url}/danger`)).status).toBe(401);

  const refused = await ask(access);
  expect(refused.status).toBe(401);
  expect(refused.headers.get("WWW-Authenticate")).toBe(
    'Bearer realm="api", error="insufficient_user_authentication", ' +
      'error_description="A different authentication level is required", max_age="3600"',
  );
  expect(await refused.json()).toEqual({
    detail: "Confirm that it is you, and try again.",
    code: "confirmation_required",
    max_age: 3_600,
    amr: ["otp"],
  });

  const confirmed = await auth.confirm({ userId: session.userId, sessionId: session.id }, { amr: ["otp"] });
  const accepted = await ask(confirmed.access);
  expect([accepted.status, await accepted.text()]).toEqual([200, "by pwd,otp"]);
}

/** Runs the script of an application whose `/start` sets a cookie of its own, starts a session of user 1 by email, and redirects. */
export async function runOtherLoginScript(url: string, auth: Auth): Promise<void> {
  const start = (jar = "") =>
    fetch(`${url}/start`, { redirect: "manual", headers: { Cookie: jar, "User-Agent": "script" } });
  const toJar = (response: Response) =>
    response.headers
      .getSetCookie()
      .map((line) => line.split(";")[0])
      .join("; ");
  const first = await start();
  expect([first.status, first.headers.get("Location"), first.headers.get("Cache-Control")]).toEqual([
    303,
    "/own",
    "no-store",
  ]);
  expect(first.headers.getSetCookie().map((line) => line.split("=")[0])).toEqual([
    "own",
    "__Host-Http-access",
    "__Secure-refresh",
    "__Host-csrftoken",
    "__Secure-device",
  ]);
  const welcome = await fetch(`${url}/hello`, { headers: { Cookie: toJar(first) } });
  expect([welcome.status, await welcome.text()]).toEqual([200, "hello 1"]);

  // The session of the browser is replaced, and has the client's address.
  await start(toJar(first));
  expect((await fetch(`${url}/hello`, { headers: { Cookie: toJar(first) } })).status).toBe(401);
  const sessions = await auth.sessions.list("1");
  expect(sessions).toMatchObject([
    { amr: ["email"], userAgent: "script", ip: expect.stringMatching(/127\.0\.0\.1|::1/) },
  ]);
}

const toCors = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));

/** Runs the script of an application that trusts https://app.example.com and ionic://localhost, and mounts `cors` with options. */
export async function runCorsScript(url: string): Promise<void> {
  const send = (method: string, path: string, origin: string, headers: Record<string, string> = {}) =>
    fetch(url + path, { method, headers: { Origin: origin, ...headers } });
  const ask = (path: string, origin: string) =>
    send("OPTIONS", path, origin, { "Access-Control-Request-Method": "PUT" });
  const trusted = "https://app.example.com";

  // The preflight of a trusted origin is answered, also for a route that doesn't exist.
  for (const path of ["/hello", "/nowhere"]) {
    const preflight = await ask(path, trusted);
    expect([preflight.status, await preflight.text()]).toEqual([204, ""]);
    expect(toCors(preflight)).toEqual({
      "access-control-allow-origin": trusted,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
      "access-control-allow-headers": "Content-Type, X-CSRFToken, Idempotency-Key, Authorization, X-Trace",
      "access-control-max-age": "600",
    });
    expect(preflight.headers.get("Vary")).toContain("Origin");
  }

  // A script can read the answers of the application, and refusals too.
  const readable = {
    "access-control-allow-origin": trusted,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers":
      "Token-Replayed, Session-Ended, Revocation-Confirmed, Retry-After, WWW-Authenticate, X-Total",
  };
  const own = await send("GET", "/own", trusted);
  expect([own.status, toCors(own)]).toEqual([200, readable]);
  expect(own.headers.get("Vary")).toContain("Origin");
  const refused = await send("GET", "/hello", trusted);
  expect([refused.status, toCors(refused)]).toEqual([401, readable]);
  expect(refused.headers.get("Vary")).toBe("Origin");

  // The pages of an app can't use cookies.
  expect(toCors(await send("GET", "/hello", "ionic://localhost"))).toEqual({
    "access-control-allow-origin": "ionic://localhost",
    "access-control-expose-headers": readable["access-control-expose-headers"],
  });

  // Other origins get nothing but Vary, and their preflight is left to the application.
  for (const origin of ["https://evil.example", "null", "https://x.app.example.com"]) {
    expect(toCors(await ask("/hello", origin))).toEqual({});
    const response = await send("GET", "/own", origin);
    expect([toCors(response), response.headers.get("Vary")]).toEqual([{}, expect.stringContaining("Origin")]);
  }

  // tokenpair's endpoints keep their own rules: an endpoint that isn't open to other origins stays closed.
  expect(toCors(await send("GET", "/api/schema/", trusted))).toEqual({});
  const token = await ask("/api/token/", trusted);
  expect([token.status, token.headers.get("Access-Control-Allow-Credentials")]).toEqual([204, null]);
  expect(token.headers.get("Access-Control-Allow-Methods")).toBe("POST, OPTIONS");
}

/** Sends `request` unchanged. @returns everything that the server sends before it closes the socket. */
async function sendRaw(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(request);
  return text(socket);
}

/** What a browser without Fetch Metadata sends with a navigation. Node's `fetch` sets `Sec-Fetch-Mode` itself. */
const navigation = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

/** Runs the script of pages: `/page` is behind `requirePage(auth, { loginPath: "/sign-in" })`. */
export async function runPageScript(url: string, auth: Auth): Promise<void> {
  const [user] = await auth.users.list();
  const { cookies } = await auth.startSession(new Request(url), user?.id ?? "");
  const pairs = cookies.map((cookie) => cookie.split(";")[0] ?? "");
  const ask = async (headers: Record<string, string>) => {
    const response = await fetch(`${url}/page?n=1`, { headers, redirect: "manual" });
    return [response.status, response.headers.get("Location"), await response.text()] as const;
  };
  expect(await ask({ ...navigation, Cookie: pairs.join("; ") })).toEqual([200, null, `page of ${user?.id}`]);
  expect(await ask(navigation)).toEqual([303, "/sign-in?next=%2Fpage%3Fn%3D1", ""]);
  const [status, , html] = await ask({
    ...navigation,
    Cookie: pairs.filter((pair) => pair.includes("csrf")).join("; "),
  });
  expect([status, html]).toEqual([401, expect.stringContaining('<a href="/sign-in?next=%2Fpage%3Fn%3D1">')]);
  expect((await ask({}))[0]).toBe(401);
}
