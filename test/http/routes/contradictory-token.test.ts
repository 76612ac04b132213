import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RefreshClaims } from "../../../src/core/claims.ts";
import { isSessionOfExpiredTokenOver } from "../../../src/flows/refresh/refresh.ts";
import { createUser } from "../../../src/flows/users/users.ts";
import { eventsOf, rowOf } from "../../flows/flow.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";
import { createBrowser } from "../../support/browser.ts";
import { expectRefusal, tokenChallenge } from "../refusals.ts";

const invalid = {
  status: 401,
  body: { detail: "Token is invalid", code: "token_not_valid" },
  challenge: tokenChallenge,
};

let t: TestAuth;
let bobId: string;

async function start(rotateRefreshTokens = true): Promise<void> {
  t = await createTestAuth({ settings: { rotateRefreshTokens } });
  bobId = (await createUser(t.deps, { username: "bob" })).id;
}
beforeEach(() => start());
afterEach(() => t.close());

/** Returns tokens that differ from a genuine one only in their user or epoch. */
function toContradictions(refresh: string): readonly string[] {
  const claims = t.deps.tokens.verifyRefresh(refresh, { mayBeExpired: true });
  const changes: readonly Partial<RefreshClaims>[] = [
    { userId: bobId },
    { userId: "nobody" },
    { userEpoch: claims.userEpoch + 1 },
    { userEpoch: Number.MAX_SAFE_INTEGER },
  ];
  return changes.map((change) => t.deps.tokens.mintRefresh({ ...claims, ...change }));
}

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  t.send("POST", `/api/token/${path}/`, { body, headers });
const sessionIdOf = (refresh: string) => t.deps.tokens.verifyRefresh(refresh).sessionId;

/** Expects that every request gets "Token is invalid" and leaves the rows of alice's sessions as they are. */
async function expectInvalid(refresh: string, send: (token: string) => Promise<Response>): Promise<void> {
  const before = await rowOf(t, sessionIdOf(refresh));
  for (const token of toContradictions(refresh)) {
    const response = await send(token);
    expect(response.headers.get("Session-Ended")).toBeNull();
    expect(response.headers.getSetCookie()).toEqual([]);
    await expectRefusal(response, invalid);
  }
  expect(await rowOf(t, sessionIdOf(refresh))).toEqual(before);
}

describe("a genuine refresh token that contradicts its session in the user or the epoch", () => {
  it.each([
    ["refresh", "refresh"],
    ["verify", "token"],
    ["blacklist", "refresh"],
  ])("is invalid for POST /api/token/%s/, whatever its generation, and revokes nothing", async (path, field) => {
    const first = await t.logIn();
    await expectInvalid(first.refresh, (token) => post(path, { [field]: token }));
    const second = (await (await post("refresh", { refresh: first.refresh })).json()) as { refresh: string };
    // The spent token: a replay within the reuse interval, and reuse after it.
    for (const seconds of [0, 60]) {
      t.clock.advance(seconds);
      await expectInvalid(first.refresh, (token) => post(path, { [field]: token }));
    }
    const third = (await (await post("refresh", { refresh: second.refresh })).json()) as { refresh: string };
    await expectInvalid(first.refresh, (token) => post(path, { [field]: token }));
    expect((await post("refresh", { refresh: third.refresh })).status).toBe(200);
    expect(eventsOf(t, "sessions_revoked")).toEqual([]);
  });

  it("is invalid for a retry with the idempotency key of the rotation", async () => {
    const { refresh } = await t.logIn();
    const headers = { "Idempotency-Key": "a".repeat(22) };
    await post("refresh", { refresh }, headers);
    await expectInvalid(refresh, (token) => post("refresh", { refresh: token }, headers));
    expect((await post("refresh", { refresh }, headers)).headers.get("Token-Replayed")).toBe("true");
  });

  it("is invalid without rotation, and doesn't count as a use of the session", async () => {
    await t.close();
    await start(false);
    const { refresh } = await t.logIn();
    t.clock.advance(60);
    await expectInvalid(refresh, (token) => post("refresh", { refresh: token }));
    expect((await post("refresh", { refresh })).status).toBe(200);
  });

  it("is invalid for a session that is over, without saying so", async () => {
    const { refresh } = await t.logIn();
    await post("blacklist", { refresh });
    for (const [path, field] of [
      ["refresh", "refresh"],
      ["verify", "token"],
      ["blacklist", "refresh"],
    ] as const) {
      await expectInvalid(refresh, (token) => post(path, { [field]: token }));
    }
    for (const token of toContradictions(refresh)) {
      expect(await isSessionOfExpiredTokenOver(t.deps, token)).toBe(false);
    }
    expect(await isSessionOfExpiredTokenOver(t.deps, refresh)).toBe(true);
  });

  it.each(["others", "all"] as const)("logs out of no session with the scope %s", async (scope) => {
    const [{ refresh }, other] = [await t.logIn(), await t.logIn()];
    for (const token of toContradictions(refresh)) {
      const attempt = t.deps.flows.logoutByRefreshToken(token, { scope });
      await expect(attempt).rejects.toMatchObject({ code: "token_invalid", sessionEnded: false });
    }
    for (const token of [refresh, other.refresh]) {
      expect((await rowOf(t, sessionIdOf(token))).revokedAt).toBeNull();
    }
  });
});

describe("a refresh cookie whose token contradicts its session", () => {
  const cookie = "__Secure-refresh";

  it("is invalid for a refresh, and the cookies stay", async () => {
    const browser = createBrowser(t);
    await browser.logIn();
    const own = browser.cookie(cookie) ?? "";
    await expectInvalid(own, (token) => {
      browser.setCookie(cookie, token, "/api/auth");
      return browser.post("/api/auth/refresh/");
    });
    browser.setCookie(cookie, own, "/api/auth");
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
  });

  it("revokes no session at a logout, whatever the scope", async () => {
    const browser = createBrowser(t);
    const { sessionId } = await browser.logIn();
    const csrf = browser.cookie("__Host-csrftoken") ?? "";
    const tokens = toContradictions(browser.cookie(cookie) ?? "");
    browser.deleteCookie("__Host-Http-access");
    for (const scope of ["local", "others", "all"]) {
      for (const token of tokens.filter((_, i) => scope !== "local" || i < 2)) {
        browser.setCookie(cookie, token, "/api/auth");
        browser.setCookie("__Host-csrftoken", csrf);
        const response = await browser.post("/api/auth/logout/", { scope });
        if (scope !== "local") await expectRefusal(response, invalid);
        expect((await rowOf(t, sessionId)).revokedAt).toBeNull();
      }
    }
  });

  it("doesn't let a login replace its session", async () => {
    const browser = createBrowser(t);
    const { sessionId } = await browser.logIn();
    const [token = ""] = toContradictions(browser.cookie(cookie) ?? "");
    browser.deleteCookie("__Host-Http-access");
    browser.setCookie(cookie, token, "/api/auth");
    expect((await browser.post("/api/auth/login/", alice)).status).toBe(200);
    expect((await rowOf(t, sessionId)).revokedAt).toBeNull();
  });
});
