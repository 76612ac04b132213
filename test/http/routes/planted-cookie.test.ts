import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { maxCandidates, minTokenLength } from "../../../src/http/cookies/refresh-cookie.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";
import { type Browser, createBrowser } from "../../support/browser.ts";

const access = "__Host-Http-access";
const csrf = "__Host-csrftoken";
const refresh = "__Secure-refresh";

let auth: TestAuth;
let browser: Browser;
let attacker: Browser;
let sessionId: string;
let attackerSessionId: string;

beforeEach(async () => {
  auth = await createTestAuth();
  browser = createBrowser(auth);
  attacker = createBrowser(auth);
  ({ sessionId } = await browser.logIn());
  ({ sessionId: attackerSessionId } = await attacker.logIn());
});
afterEach(() => auth.close());

/** Returns the `Cookie` headers of the browser with these planted refresh cookies, before its own cookies and after them. */
function toCookies(planted: readonly string[], names: readonly string[] = [access, refresh, csrf]): readonly string[] {
  const own = names.map((name) => `${name}=${browser.cookie(name)}`);
  const others = planted.map((value) => `${refresh}=${value}`);
  return [
    [...others, ...own],
    [...own, ...others],
  ].map((cookies) => cookies.join("; "));
}

const plantedToken = () => attacker.cookie(refresh) ?? "";

const post = (path: string, Cookie: string, body?: unknown, headers: Record<string, string> = {}) =>
  browser.post(`/api/auth/${path}/`, body, { Cookie, ...headers });

const isLive = async (id: string) => (await auth.store.sessions.find(id))?.session.revokedAt === null;

async function expectRefused(response: Response): Promise<void> {
  expect(response.status).toBe(403);
  expect(await response.json()).toEqual({
    detail: "CSRF Failed: Two cookies have the same name.",
    code: "csrf_failed",
  });
  expect(response.headers.getSetCookie()).toEqual([]);
}

describe("a planted refresh cookie beside the browser's own", () => {
  it("doesn't stop a refresh, in either order: the cookie of the CSRF token's session counts", async () => {
    for (const at of [0, 1]) {
      const response = await post("refresh", toCookies([plantedToken(), "garbage", ""])[at] ?? "");
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ session: { id: sessionId } });
      expect(response.headers.getSetCookie()).toHaveLength(3);
    }
    expect(await isLive(attackerSessionId)).toBe(true);
  });

  it("doesn't stop a refresh of a browser whose access cookie has expired", async () => {
    auth.clock.advance(1_801);
    const [Cookie = ""] = toCookies([plantedToken()], [refresh, csrf]);
    expect((await post("refresh", Cookie)).status).toBe(200);
  });

  it("doesn't stop a login, which revokes the browser's own session", async () => {
    const [Cookie = ""] = toCookies([plantedToken()]);
    expect((await post("login", Cookie, alice)).status).toBe(200);
    expect([await isLive(sessionId), await isLive(attackerSessionId)]).toEqual([false, true]);
  });

  it("doesn't stop a login with a CSRF token from before a login: the session of an expired access token counts", async () => {
    auth.clock.advance(1_801);
    const anonymous = createBrowser(auth);
    await anonymous.get("/api/auth/csrf/");
    const token = anonymous.cookie(csrf) ?? "";
    const [cookies = ""] = toCookies([plantedToken()], [access, refresh]);
    const response = await post("login", `${cookies}; ${csrf}=${token}`, alice, { "X-CSRFToken": token });
    expect(response.status).toBe(200);
    expect([await isLive(sessionId), await isLive(attackerSessionId)]).toEqual([false, true]);
  });

  it("doesn't stop a logout, which also deletes the cookie from the parent domains", async () => {
    auth.clock.advance(1_801);
    const [Cookie = ""] = toCookies([plantedToken()], [refresh, csrf]);
    const request = new Request("https://app.auth.example.com/api/auth/logout/", {
      method: "POST",
      headers: { Cookie, "X-CSRFToken": browser.cookie(csrf) ?? "", "Sec-Fetch-Site": "same-origin" },
    });
    const response = await auth.handler.fetch(request);
    expect(response.status).toBe(200);
    expect([await isLive(sessionId), await isLive(attackerSessionId)]).toEqual([false, true]);
    const variants = response.headers.getSetCookie().filter((cookie) => cookie.includes("Domain="));
    const attributes = "Secure; HttpOnly; SameSite=Strict";
    expect(variants).toEqual(
      ["app.auth.example.com", "auth.example.com", "example.com"].flatMap((domain) =>
        ["/", "/api", "/api/auth"].map(
          (path) => `${refresh}=; Max-Age=0; Domain=${domain}; Path=${path}; ${attributes}`,
        ),
      ),
    );
  });

  it("doesn't stop a safe request, nor an unsafe one that is authenticated by the access cookie", async () => {
    const [Cookie = ""] = toCookies([plantedToken()]);
    expect((await browser.get("/api/auth/me/", { headers: { Cookie } })).status).toBe(200);
    const found = await browser.get("/api/auth/csrf/", { headers: { Cookie } });
    expect(await found.json()).toEqual({ csrf_token: browser.cookie(csrf), session: { id: sessionId } });
    expect(found.headers.getSetCookie()).toEqual([]);
    const labelled = await browser.send("PATCH", `/api/auth/sessions/${sessionId}/`, {
      body: { label: "mine" },
      headers: { Cookie },
    });
    expect(labelled.status).toBe(200);
  });
});

describe("refresh cookies of which none is known to be the browser's own", () => {
  it("answer 403 to refresh, login and logout if none is of the CSRF token's session, and touch no cookie", async () => {
    for (const Cookie of toCookies([plantedToken(), "garbage"], [csrf])) {
      for (const path of ["refresh", "login", "logout"]) await expectRefused(await post(path, Cookie, {}));
    }
    expect(await isLive(sessionId)).toBe(true);
  });

  it("answer 403 if two different tokens are of the CSRF token's session", async () => {
    const spent = browser.cookie(refresh) ?? "";
    auth.clock.advance(60);
    await browser.post("/api/auth/refresh/");
    for (const Cookie of toCookies([spent])) await expectRefused(await post("refresh", Cookie));
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
  });

  it("don't hide the browser's own, however many short ones there are", async () => {
    const planted = Array.from({ length: 1_000 }, (_, i) => `planted${i}`);
    for (const path of ["refresh", "login", "logout"]) {
      const [last = ""] = toCookies(planted);
      expect([path, (await post(path, last, path === "login" ? alice : {})).status]).toEqual([path, 200]);
    }
  });

  it("don't hide the browser's own, however many long ones fit into 24 KiB of headers", async () => {
    const planted = Array.from({ length: 76 }, (_, i) => `planted${i}`.padEnd(minTokenLength, "x"));
    expect(planted.map((value) => `${refresh}=${value}; `).join("").length).toBeGreaterThan(23.5 * 1_024);
    const [last = ""] = toCookies(planted);
    expect((await post("refresh", last)).status).toBe(200);
  });

  it("answer 403 to a refresh if the browser's own is not among the first 100 long ones", async () => {
    const planted = Array.from({ length: maxCandidates }, (_, i) => `planted${i}`.padEnd(minTokenLength, "x"));
    const [last = "", first = ""] = toCookies(planted);
    await expectRefused(await post("refresh", last));
    expect((await post("refresh", first)).status).toBe(200);
  });

  it("never count as the session of a forged token", async () => {
    const [header, payload] = (browser.cookie(refresh) ?? "").split(".");
    const forged = `${header}.${payload}.${"A".repeat(43)}`;
    const [Cookie = ""] = toCookies([forged, forged], [csrf]);
    await expectRefused(await post("refresh", Cookie));
    const [both = ""] = toCookies([forged]);
    expect((await post("refresh", both)).status).toBe(200);
  });

  it("don't stop the login and logout of a browser without a session", async () => {
    const visitor = createBrowser(auth);
    await visitor.get("/api/auth/csrf/");
    const token = visitor.cookie(csrf) ?? "";
    const Cookie = `${refresh}=${plantedToken()}; ${refresh}=garbage; ${csrf}=${token}`;
    const send = (path: string, body?: unknown) =>
      visitor.post(`/api/auth/${path}/`, body, { Cookie, "X-CSRFToken": token });
    await expectRefused(await send("refresh"));
    expect((await send("logout")).status).toBe(200);
    expect((await send("login", alice)).status).toBe(200);
    expect([await isLive(sessionId), await isLive(attackerSessionId)]).toEqual([true, true]);
  });
});
