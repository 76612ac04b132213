import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../../src/core/errors.ts";
import type { Store } from "../../../../src/core/store/index.ts";
import type { SessionStore } from "../../../../src/core/store/sessions.ts";
import { disableUser, setPassword, updateUser } from "../../../../src/flows/users/users.ts";
import { createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { type Browser, createBrowser } from "../../../support/browser.ts";

const threeCookies = ["__Host-Http-access", "__Host-csrftoken", "__Secure-refresh"];

const cleared = [
  "__Host-Http-access=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax",
  "__Secure-refresh=; Max-Age=0; Path=/api/auth; Secure; HttpOnly; SameSite=Strict",
  "__Host-csrftoken=; Max-Age=0; Path=/; Secure; SameSite=Lax",
];

let auth: TestAuth;
let browser: Browser;
let sessionId: string;

beforeEach(async () => {
  // A test that moves the clock doesn't make the feed stale, so no request waits for a read of it.
  auth = await createTestAuth({ settings: { maxStaleness: 3_600 } });
  browser = createBrowser(auth);
  ({ sessionId } = await browser.logIn());
});
afterEach(() => auth.close());

const refresh = (headers?: Record<string, string | null>, body?: unknown) =>
  browser.post("/api/auth/refresh/", body, headers);

async function expectRefusal(response: Response, status: number, body: object): Promise<void> {
  expect(await response.json()).toEqual(body);
  expect(response.status).toBe(status);
}

/** Expects a refusal that deletes no cookie and doesn't say that the session is over. */
async function expectKept(response: Response, status: number, body: object): Promise<void> {
  await expectRefusal(response, status, body);
  expect(response.headers.has("Session-Ended")).toBe(false);
  expect(response.headers.getSetCookie()).toEqual([]);
  expect(browser.cookieNames()).toEqual(threeCookies);
}

/** Expects a 401 that says that the session is over, and deletes the cookies. */
async function expectCleared(response: Response, body: object): Promise<void> {
  await expectRefusal(response, 401, body);
  expect(response.headers.get("Session-Ended")).toBe("true");
  expect(response.headers.getSetCookie()).toEqual(cleared);
  expect(browser.cookieNames()).toEqual([]);
}

const blacklisted = { detail: "Token is blacklisted", code: "token_not_valid" };
const invalid = { detail: "Token is invalid", code: "token_not_valid" };
const unavailable = { detail: "Service temporarily unavailable.", code: "unavailable" };

describe("a refresh by cookie", () => {
  it("answers with the session, the user and the lifetimes but no token, and sets three new cookies", async () => {
    const before = threeCookies.map(browser.cookie);
    auth.clock.advance(60);
    const response = await refresh();
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      session: { id: sessionId },
      user: { id: auth.user.id, username: "alice" },
      access_expires_in: 1_800,
      refresh_expires_in: 2_592_000,
    });
    expect(response.headers.getSetCookie()).toHaveLength(3);
    expect(response.headers.has("Token-Replayed")).toBe(false);
    const after = threeCookies.map(browser.cookie);
    expect(after.filter((cookie, i) => cookie === before[i])).toEqual([]);
    expect(await browser.isLoggedIn()).toBe(true);
  });

  it("answers with the user's name of now if it was changed since the login", async () => {
    await updateUser(auth.deps, auth.user.id, { username: "alicia" });
    expect(await (await refresh()).json()).toMatchObject({ user: { id: auth.user.id, username: "alicia" } });
  });

  it("sets Max-Age to the full lifetimes again with every refresh", async () => {
    auth.clock.advance(20 * 86_400);
    const cookies = (await refresh()).headers.getSetCookie();
    expect(cookies.map((cookie) => /Max-Age=(\d+)/.exec(cookie)?.[1])).toEqual(["1800", "2592000", "2592000"]);
  });

  it("sets a new CSRF token with a new refresh token, and the same ones on a replay", async () => {
    const spent = browser.cookie("__Secure-refresh");
    const csrf = browser.cookie("__Host-csrftoken");
    await refresh();
    const first = threeCookies.map(browser.cookie);
    browser.setCookie("__Secure-refresh", spent ?? "");
    browser.setCookie("__Host-csrftoken", csrf ?? "");
    expect((await refresh()).headers.get("Token-Replayed")).toBe("true");
    const again = threeCookies.map(browser.cookie);
    expect([again[1], again[2]]).toEqual([first[1], first[2]]);
    expect(browser.cookie("__Host-csrftoken")).not.toBe(csrf);
  });

  it("accepts no body or an empty object, and answers 415 to other media types", async () => {
    expect((await refresh({}, {})).status).toBe(200);
    expect((await refresh({ "Content-Type": "text/plain" }, "{}")).status).toBe(415);
  });

  it("answers a retry with the same idempotency key with the same refresh token and Token-Replayed", async () => {
    const before = browser.cookie("__Secure-refresh") ?? "";
    const key = { "Idempotency-Key": "a".repeat(22) };
    await refresh(key);
    const successor = browser.cookie("__Secure-refresh");
    browser.setCookie("__Secure-refresh", before, "/api/auth");
    auth.clock.advance(3_600);
    const again = await refresh(key);
    expect(again.status).toBe(200);
    expect(again.headers.get("Token-Replayed")).toBe("true");
    expect(browser.cookie("__Secure-refresh")).toBe(successor);
  });

  it("answers 400 to a malformed idempotency key and keeps the cookies", async () => {
    await expectKept(await refresh({ "Idempotency-Key": "short" }), 400, {
      detail: "Idempotency-Key is not valid.",
      code: "bad_idempotency_key",
    });
  });

  it("sets no refresh cookie if refresh tokens are not rotated", async () => {
    const fixed = await createTestAuth({ settings: { rotateRefreshTokens: false } });
    const page = createBrowser(fixed);
    await page.logIn();
    const before = page.cookie("__Secure-refresh");
    fixed.clock.advance(1_000);
    const response = await page.post("/api/auth/refresh/");
    expect(await response.json()).toMatchObject({ access_expires_in: 1_800, refresh_expires_in: 2_591_000 });
    expect(response.headers.getSetCookie().map((cookie) => cookie.split("=")[0])).toEqual([
      "__Host-Http-access",
      "__Host-csrftoken",
    ]);
    expect(page.cookie("__Secure-refresh")).toBe(before);
    await fixed.close();
  });

  it("requires the CSRF token of a refresh by cookie even if there is a bearer token", async () => {
    const { access } = await auth.logIn();
    const response = await refresh({ Authorization: `Bearer ${access}`, "X-CSRFToken": null });
    expect(response.status).toBe(403);
  });
});

describe("a failed refresh that keeps the cookies", () => {
  it("answers 401 without a refresh cookie, and sets no cookie", async () => {
    browser.deleteCookie("__Secure-refresh");
    const response = await refresh();
    await expectRefusal(response, 401, {
      detail: "Authentication credentials were not provided.",
      code: "not_authenticated",
    });
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(response.headers.get("WWW-Authenticate")).toBe('Bearer realm="api"');
  });

  it("keeps the cookies if the refresh token is forged or garbage", async () => {
    const genuine = browser.cookie("__Secure-refresh") ?? "";
    const [header, payload, signature = ""] = genuine.split(".");
    const forged = `${header}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    for (const token of [forged, "garbage", "a.b.c"]) {
      browser.setCookie("__Secure-refresh", token, "/api/auth");
      await expectKept(await refresh(), 401, invalid);
    }
    expect(auth.events.filter((event) => event.type === "refresh" && event.outcome === "refused")).toHaveLength(3);
    browser.setCookie("__Secure-refresh", genuine, "/api/auth");
    expect((await refresh()).status).toBe(200);
  });

  it("keeps the cookies if the refresh cookie holds an access token", async () => {
    browser.setCookie("__Secure-refresh", browser.cookie("__Host-Http-access") ?? "", "/api/auth");
    await expectKept(await refresh(), 401, { detail: "Token has wrong type", code: "token_not_valid" });
  });

  it("keeps the cookies if another site sent the refresh", async () => {
    const response = await refresh({ "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" });
    await expectKept(response, 403, { detail: "CSRF Failed: Origin checking failed.", code: "csrf_failed" });
  });

  it("keeps the cookies if the CSRF token is missing or another session's", async () => {
    const missing = await refresh({ "X-CSRFToken": null });
    await expectKept(missing, 403, { detail: "CSRF Failed: CSRF token missing.", code: "csrf_failed" });
    const attacker = createBrowser(auth);
    await attacker.logIn();
    browser.setCookie("__Host-csrftoken", attacker.cookie("__Host-csrftoken") ?? "");
    const foreign = await refresh();
    await expectKept(foreign, 403, {
      detail: "CSRF Failed: CSRF token does not belong to this session.",
      code: "csrf_failed",
    });
  });

  it("keeps the cookies if the store has lost the session's newer state", async () => {
    const stolen = browser.cookie("__Secure-refresh") ?? "";
    const claims = auth.deps.tokens.verifyRefresh(stolen);
    const ahead = auth.deps.tokens.mintRefresh({ ...claims, generation: 5 });
    browser.setCookie("__Secure-refresh", ahead, "/api/auth");
    await expectKept(await refresh(), 401, blacklisted);
    browser.setCookie("__Secure-refresh", stolen, "/api/auth");
    expect((await refresh()).status).toBe(200);
  });
});

describe("a refresh that the store can't answer", () => {
  async function startWith(broken: Partial<SessionStore>): Promise<void> {
    await auth.close();
    const wrapStore = (store: Store): Store => ({
      users: store.users,
      feed: store.feed,
      nodes: store.nodes,
      keys: store.keys,
      services: store.services,
      staff: store.staff,
      throttle: store.throttle,
      audit: store.audit,
      outbox: store.outbox,
      legacy: store.legacy,
      tickets: store.tickets,
      sessions: { ...bindAll(store.sessions), ...broken },
      migrate: () => store.migrate(),
      checkSchema: () => store.checkSchema(),
      deleteExpired: (options) => store.deleteExpired(options),
      close: () => store.close(),
    });
    auth = await createTestAuth({ wrapStore });
    browser = createBrowser(auth);
    await browser.logIn();
  }

  it("answers 503 with Retry-After and keeps the cookies if the database is unavailable", async () => {
    await startWith({ rotate: () => Promise.reject(new StoreUnavailableError("locked")) });
    const response = await refresh();
    await expectKept(response, 503, unavailable);
    expect(response.headers.get("Retry-After")).toBe("1");
  });

  it("answers 503 before the rotation if the user can't be looked up, so that a retry succeeds", async () => {
    let isDown = false;
    await auth.close();
    auth = await createTestAuth({
      wrapStore: (store) => ({
        ...store,
        users: {
          ...store.users,
          findById: (id) => (isDown ? Promise.reject(new StoreUnavailableError("locked")) : store.users.findById(id)),
        },
      }),
    });
    browser = createBrowser(auth);
    await browser.logIn();
    isDown = true;
    await expectKept(await refresh(), 503, unavailable);
    isDown = false;
    auth.clock.advance(60);
    const response = await refresh();
    expect([response.status, response.headers.get("Token-Replayed")]).toEqual([200, null]);
  });

  it("answers 503 and keeps the cookies if the session changed during the refresh", async () => {
    await startWith({ rotate: () => Promise.resolve(null) });
    await expectKept(await refresh(), 503, unavailable);
  });
});

describe("a refresh that proves the session to be over", () => {
  it("clears the cookies if a spent refresh token is presented after the reuse interval", async () => {
    const stolen = browser.cookie("__Secure-refresh") ?? "";
    await refresh();
    auth.clock.advance(11);
    browser.setCookie("__Secure-refresh", stolen, "/api/auth");
    await expectCleared(await refresh(), blacklisted);
    expect((await auth.store.sessions.find(sessionId))?.session.revokeReason).toBe("reuse");
  });

  it("clears the cookies if the session was revoked elsewhere", async () => {
    await auth.store.sessions.revoke(sessionId, "revoked");
    await expectCleared(await refresh(), blacklisted);
  });

  it("clears the cookies if the user was disabled", async () => {
    await disableUser(auth.deps, auth.user.id);
    const detail = "No active account found for the given token.";
    await expectCleared(await refresh(), { detail, code: "no_active_account" });
  });

  it("clears the cookies if the user got a new password", async () => {
    await setPassword(auth.deps, auth.user.id, "another horse");
    const detail = "The user's password has been changed.";
    await expectCleared(await refresh(), { detail, code: "password_changed" });
  });

  it("clears the cookies if the refresh token and its session have expired", async () => {
    auth.clock.advance(2_592_000);
    await expectCleared(await refresh(), { detail: "Token is expired", code: "token_not_valid" });
  });
});

/** Returns the methods of a session store as functions of their own. */
function bindAll(sessions: SessionStore): SessionStore {
  const bind = (name: keyof SessionStore) => [name, (sessions[name] as (...args: unknown[]) => unknown).bind(sessions)];
  const names = [
    "create",
    "rotate",
    "decide",
    "touch",
    "find",
    "list",
    "label",
    "revoke",
    "revokeForUser",
    "revokeAll",
  ];
  return Object.fromEntries(names.map((name) => bind(name as keyof SessionStore))) as unknown as SessionStore;
}
