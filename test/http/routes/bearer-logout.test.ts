import { afterEach, beforeEach, expect, it } from "vitest";
import { issue } from "../../../src/flows/sessions/issue.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { createBrowser } from "../../support/browser.ts";

let auth: TestAuth;
beforeEach(async () => {
  auth = await createTestAuth();
});
afterEach(() => auth.close());

const logout = (access: string, scope?: unknown, headers: Record<string, string> = {}) =>
  auth.send("POST", "/api/auth/logout/", {
    headers: { Authorization: `Bearer ${access}`, ...headers },
    ...(scope === undefined ? {} : { body: { scope } }),
  });

const isLive = async ({ access }: { readonly access: string }) =>
  (await auth.send("GET", "/api/auth/me/", { headers: { Authorization: `Bearer ${access}` } })).status === 200;

it("revokes this session, the others or all by a bearer token, without CSRF, and sets no cookie", async () => {
  for (const [scope, expected] of [
    [undefined, [false, true]],
    ["local", [false, true]],
    ["others", [true, false]],
    ["all", [false, false]],
  ] as const) {
    const [own, other] = [await auth.logIn(), await auth.logIn()];
    const response = await logout(own.access, scope);
    expect([response.status, await response.json(), response.headers.getSetCookie()]).toEqual([200, {}, []]);
    expect([scope, await isLive(own), await isLive(other)]).toEqual([scope, ...expected]);
  }
});

it("revokes each of 1,100 sessions with one call", async () => {
  await auth.close();
  auth = await createTestAuth({ settings: { maxSessionsPerUser: null } });
  const own = await auth.logIn();
  for (let i = 1; i < 1_100; i++) await issue(auth.deps, auth.user.id, {});
  const countLive = async () =>
    (await auth.store.sessions.list({ userId: auth.user.id, limit: 2_000 })).sessions.length;
  expect(await countLive()).toBe(1_100);
  expect((await logout(own.access, "all")).status).toBe(200);
  expect(await countLive()).toBe(0);
});

it("lets the bearer token decide if the request also has the cookies of another session", async () => {
  const browser = createBrowser(auth);
  await browser.logIn();
  const own = await auth.logIn();
  const Cookie = browser
    .cookieNames()
    .map((name) => `${name}=${browser.cookie(name)}`)
    .join("; ");
  expect((await logout(own.access, "local", { Cookie })).status).toBe(200);
  expect([await isLive(own), await browser.isLoggedIn()]).toEqual([false, true]);
});

it("answers a repeated local logout with 200, and refuses others and all by a token whose session is over", async () => {
  const [own, other] = [await auth.logIn(), await auth.logIn()];
  expect((await logout(own.access)).status).toBe(200);
  expect((await logout(own.access)).status).toBe(200);
  for (const scope of ["others", "all"]) {
    const response = await logout(own.access, scope);
    expect([response.status, await response.json()]).toEqual([
      401,
      {
        detail: "Given token not valid for any token type",
        code: "token_not_valid",
        messages: [{ token_class: "AccessToken", token_type: "access", message: "Token is blacklisted" }],
      },
    ]);
    expect(response.headers.get("WWW-Authenticate")).toBe('Bearer realm="api", error="invalid_token"');
    expect(response.headers.has("Session-Ended")).toBe(false);
  }
  expect(await isLive(other)).toBe(true);
});

it("refuses a forged, expired or refresh token and an unknown scope, and revokes nothing", async () => {
  const own = await auth.logIn();
  for (const token of [own.refresh, `${own.access.slice(0, -4)}AAAA`, "x"]) {
    for (const scope of ["local", "all"]) expect((await logout(token, scope)).status).toBe(401);
  }
  expect((await logout(own.access, "everything")).status).toBe(400);
  expect((await logout("", "local")).status).toBe(401);
  expect(await isLive(own)).toBe(true);
  auth.clock.advance(1_801);
  expect((await logout(own.access)).status).toBe(401);
});

it("takes JSON only", async () => {
  const { access } = await auth.logIn();
  const headers = { Authorization: `Bearer ${access}`, "Content-Type": "application/x-www-form-urlencoded" };
  expect((await auth.send("POST", "/api/auth/logout/", { headers, body: "scope=all" })).status).toBe(415);
});
