import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../../src/core/store/index.ts";
import { findSessionRefusal } from "../../../../src/flows/sessions/session-refusal.ts";
import { createTestAuth, type TestAuth, withSessions } from "../../../support/auth.ts";
import { type Browser, createBrowser } from "../../../support/browser.ts";

let auth: TestAuth;
let browser: Browser;
let other: Browser;
let sessionId: string;
let otherId: string;

beforeEach(async () => {
  auth = await createTestAuth();
  browser = createBrowser(auth);
  other = createBrowser(auth);
  ({ sessionId } = await browser.logIn());
  ({ sessionId: otherId } = await other.logIn());
});
afterEach(() => auth.close());

const logout = (scope?: unknown, headers?: Record<string, string | null>) =>
  browser.post("/api/auth/logout/", scope === undefined ? undefined : { scope }, headers);

const isLive = async (id: string) => findSessionRefusal(await auth.store.sessions.find(id)) === null;

async function expectLoggedOut(response: Response): Promise<void> {
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({});
  expect(response.headers.has("Clear-Site-Data")).toBe(false);
  expect(response.headers.getSetCookie()).toEqual([
    "__Host-Http-access=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax",
    "__Secure-refresh=; Max-Age=0; Path=/api/auth; Secure; HttpOnly; SameSite=Strict",
    "__Host-csrftoken=; Max-Age=0; Path=/; Secure; SameSite=Lax",
  ]);
  expect(browser.cookieNames()).toEqual([]);
}

describe("a logout", () => {
  it("revokes this session, in the store and on this node, and clears the cookies", async () => {
    const access = browser.cookie("__Host-Http-access");
    await expectLoggedOut(await logout());
    expect([await isLive(sessionId), await isLive(otherId)]).toEqual([false, true]);
    const withOldCookie = { headers: { Cookie: `__Host-Http-access=${access}` } };
    expect((await auth.send("GET", "/api/auth/me/", withOldCookie)).status).toBe(401);
    expect(await other.isLoggedIn()).toBe(true);
  });

  it("revokes the other sessions with scope others, and keeps this one and its cookies", async () => {
    const response = await logout("others");
    expect(response.status).toBe(200);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect([await isLive(sessionId), await isLive(otherId)]).toEqual([true, false]);
    expect(await browser.isLoggedIn()).toBe(true);
    expect(await other.isLoggedIn()).toBe(false);
  });

  it("tells the browser to delete its cache if clearSiteData is on and this session was revoked", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { clearSiteData: true } });
    browser = createBrowser(auth);
    await browser.logIn();
    expect((await logout("others")).headers.has("Clear-Site-Data")).toBe(false);
    expect((await logout()).headers.get("Clear-Site-Data")).toBe('"cache"');
  });

  it("revokes all sessions with scope all", async () => {
    await expectLoggedOut(await logout("all"));
    expect([await isLive(sessionId), await isLive(otherId)]).toEqual([false, false]);
    expect(await other.isLoggedIn()).toBe(false);
  });

  it("answers 400 to an unknown scope and revokes nothing", async () => {
    const response = await logout("everything");
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ scope: ['"everything" is not a valid choice.'] });
    expect(await isLive(sessionId)).toBe(true);
  });

  it("logs out by the refresh cookie if the access token has expired", async () => {
    for (const scope of ["local", "all"]) {
      await browser.logIn();
      auth.clock.advance(1_801);
      await expectLoggedOut(await logout(scope));
    }
    expect([await isLive(sessionId), await isLive(otherId)]).toEqual([false, false]);
  });

  it("logs out without the access cookie", async () => {
    browser.deleteCookie("__Host-Http-access");
    await expectLoggedOut(await logout());
    expect(await isLive(sessionId)).toBe(false);
  });

  it("logs out with a spent refresh token, as after a refresh whose response was lost", async () => {
    const spent = browser.cookie("__Secure-refresh") ?? "";
    await browser.post("/api/auth/refresh/");
    browser.setCookie("__Secure-refresh", spent, "/api/auth");
    browser.deleteCookie("__Host-Http-access");
    await expectLoggedOut(await logout());
    expect(await isLive(sessionId)).toBe(false);
  });

  it("answers 200 and clears the cookies if the session was revoked before", async () => {
    for (const scope of ["local", "others", "all"]) {
      const { sessionId: id } = await browser.logIn();
      await auth.store.sessions.revoke(id, "revoked");
      await expectLoggedOut(await logout(scope));
    }
    expect(await isLive(otherId)).toBe(true);
  });

  it("answers 200 and clears the cookies if there never was a session", async () => {
    const fresh = createBrowser(auth);
    await fresh.get("/api/auth/csrf/");
    const response = await fresh.post("/api/auth/logout/", {});
    expect(response.status).toBe(200);
    expect(response.headers.getSetCookie()).toHaveLength(3);
  });
});

describe("a logout that is refused", () => {
  const expectRefused = async (response: Response, reason: string) => {
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({ detail: `CSRF Failed: ${reason}`, code: "csrf_failed" });
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await isLive(sessionId)).toBe(true);
  };

  it("refuses a logout that another site's page or form sends, and revokes nothing", async () => {
    const headers = { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" };
    await expectRefused(await logout("all", headers), "Origin checking failed.");
    const formPost = { ...headers, Origin: "null", "X-CSRFToken": null, "Content-Type": "text/plain" };
    await expectRefused(await logout("all", formPost), "Origin checking failed.");
  });

  it("refuses a logout without a CSRF token, or with one that is not this session's", async () => {
    await expectRefused(await logout("local", { "X-CSRFToken": null }), "CSRF token missing.");
    const fresh = createBrowser(auth);
    await fresh.get("/api/auth/csrf/");
    for (const planted of [fresh.cookie("__Host-csrftoken"), other.cookie("__Host-csrftoken")]) {
      browser.setCookie("__Host-csrftoken", planted ?? "");
      await expectRefused(await logout(), "CSRF token does not belong to this session.");
    }
  });
});

describe("a logout with a token of a session that is over", () => {
  it("does not revoke all sessions for a refresh cookie of a revoked session", async () => {
    await auth.store.sessions.revoke(sessionId, "revoked");
    browser.deleteCookie("__Host-Http-access");
    await expectLoggedOut(await logout("all"));
    expect(await isLive(otherId)).toBe(true);
  });

  it.each(["others", "all"])(
    "clears the cookies and confirms nothing if the session is revoked during a logout of %s",
    async (scope) => {
      await auth.close();
      const wrapStore = (store: Store) =>
        withSessions(store, ({ revoke, revokeOthers, revokeForUser }) => ({
          revokeOthers: (...call) => revoke(sessionId, "revoked").then(() => revokeOthers(...call)),
          revokeForUser: (...call) => revoke(sessionId, "revoked").then(() => revokeForUser(...call)),
        }));
      auth = await createTestAuth({ settings: { confirmRevocations: true }, wrapStore });
      [browser, other] = [createBrowser(auth), createBrowser(auth)];
      ({ sessionId } = await browser.logIn());
      ({ sessionId: otherId } = await other.logIn());
      const response = await logout(scope);
      expect(response.headers.has("Revocation-Confirmed")).toBe(false);
      await expectLoggedOut(response);
      expect(await isLive(otherId)).toBe(true);
    },
  );

  it("answers 401 to a logout of all with a spent refresh token, and 200 after a refresh", async () => {
    const spent = browser.cookie("__Secure-refresh") ?? "";
    await browser.post("/api/auth/refresh/");
    browser.setCookie("__Secure-refresh", spent, "/api/auth");
    browser.deleteCookie("__Host-Http-access");
    const response = await logout("all");
    expect(response.status).toBe(401);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect([await isLive(sessionId), await isLive(otherId)]).toEqual([true, true]);
    await browser.post("/api/auth/refresh/");
    await expectLoggedOut(await logout("all"));
    expect([await isLive(sessionId), await isLive(otherId)]).toEqual([false, false]);
  });

  it("answers 401 to a logout of all by a revoked access cookie beside another session's refresh cookie", async () => {
    auth.deps.feed.apply((await auth.store.sessions.revoke(sessionId, "revoked")).revocations);
    browser.setCookie("__Secure-refresh", other.cookie("__Secure-refresh") ?? "", "/api/auth");
    expect((await logout("all")).status).toBe(401);
    expect(await isLive(otherId)).toBe(true);
  });
});

it("revokes all sessions despite a planted refresh cookie of another, revoked session", async () => {
  await auth.store.sessions.revoke(otherId, "revoked");
  const { sessionId: third } = auth.deps.tokens.verifyAccess((await auth.logIn()).access);
  browser.setCookie("__Secure-refresh", other.cookie("__Secure-refresh") ?? "", "/api/auth");
  await expectLoggedOut(await logout("all"));
  expect([await isLive(sessionId), await isLive(third)]).toEqual([false, false]);
});

it("answers 503 to a logout of all if this node can't know whether the session is live", async () => {
  await auth.close();
  auth = await createTestAuth({ settings: { onStale: "refuse" } });
  browser = createBrowser(auth);
  ({ sessionId } = await browser.logIn());
  auth.goStale();
  browser.deleteCookie("__Secure-refresh");
  const response = await logout("all");
  expect(response.status).toBe(503);
  expect(response.headers.getSetCookie()).toEqual([]);
  expect(await isLive(sessionId)).toBe(true);
});
