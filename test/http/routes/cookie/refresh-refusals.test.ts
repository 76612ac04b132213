import { afterEach, describe, expect, it } from "vitest";
import type { RevokeReason } from "../../../../src/core/session.ts";
import type { SessionSnapshot } from "../../../../src/core/store/sessions.ts";
import { createTestAuth, type TestAuth, type TestAuthOptions, withSessions } from "../../../support/auth.ts";
import { type Browser, createBrowser } from "../../../support/browser.ts";

const day = 86_400;

let auth: TestAuth;
let browser: Browser;
let sessionId: string;

async function start(options: TestAuthOptions = {}): Promise<void> {
  auth = await createTestAuth(options);
  browser = createBrowser(auth);
  ({ sessionId } = await browser.logIn());
}
afterEach(() => auth.close());

const refresh = (headers?: Record<string, string | null>) => browser.post("/api/auth/refresh/", undefined, headers);

/** Refreshes. Returns the status and whether the cookies were deleted. */
async function refreshed(headers?: Record<string, string | null>): Promise<[status: number, cleared: boolean]> {
  const response = await refresh(headers);
  const cookies = response.headers.getSetCookie();
  return [response.status, cookies.length === 3 && cookies.every((cookie) => cookie.includes("Max-Age=0"))];
}

describe("an expired refresh cookie", () => {
  it("keeps the cookies if another tab refreshed the session in time", async () => {
    await start();
    const old = browser.cookie("__Secure-refresh") ?? "";
    auth.clock.advance(20 * day);
    await refresh();
    const newer = browser.cookie("__Secure-refresh") ?? "";
    browser.setCookie("__Secure-refresh", old, "/api/auth");
    auth.clock.advance(11 * day);
    expect(await refreshed()).toEqual([401, false]);
    browser.setCookie("__Secure-refresh", newer, "/api/auth");
    expect((await refresh()).status).toBe(200);
  });

  it.each<[string, () => Promise<unknown>]>([
    ["expired too", async () => {}],
    ["revoked", () => auth.store.sessions.revoke(sessionId, "logout")],
    ["gone", () => auth.store.deleteExpired({ limit: 10, horizon: 1 })],
  ])("clears the cookies if the refresh token has expired and its session is %s", async (_, end) => {
    await start();
    auth.clock.advance(31 * day);
    await end();
    expect(await refreshed()).toEqual([401, true]);
    expect(browser.cookieNames()).toEqual([]);
  });

  it("keeps the cookies if an expired refresh token is forged", async () => {
    await start();
    const [header, payload] = (browser.cookie("__Secure-refresh") ?? "").split(".");
    browser.setCookie("__Secure-refresh", `${header}.${payload}.${"A".repeat(43)}`, "/api/auth");
    auth.clock.advance(31 * day);
    expect(await refreshed()).toEqual([401, false]);
  });
});

describe("a refresh cookie of a session that was revoked", () => {
  it("clears the cookies if the session was revoked for an unknown reason, as a newer version may store", async () => {
    await start();
    await auth.store.sessions.revoke(sessionId, "quarantined" as RevokeReason);
    const response = await refresh();
    expect(await response.json()).toEqual({ detail: "Token is blacklisted", code: "token_not_valid" });
    expect(response.status).toBe(401);
    expect(browser.cookieNames()).toEqual([]);
  });

  it("clears the cookies if the session was revoked without a reason", async () => {
    const withoutReason = (locked: SessionSnapshot | null) =>
      locked && { ...locked, session: { ...locked.session, revokeReason: null } };
    await start({
      wrapStore: (store) =>
        withSessions(store, (sessions) => ({
          decide: (id, decide) => sessions.decide(id, (locked) => decide(withoutReason(locked))),
        })),
    });
    await auth.store.sessions.revoke(sessionId, "logout");
    expect(await refreshed()).toEqual([401, true]);
  });
});
