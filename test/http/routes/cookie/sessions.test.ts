import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createUser } from "../../../../src/flows/users/users.ts";
import { createTestAuth, type TestAuth, testStart } from "../../../support/auth.ts";
import { type Browser, createBrowser } from "../../../support/browser.ts";

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

const notFound = { detail: "Not found.", code: "not_found" };

async function logInAsBob(): Promise<string> {
  await createUser(auth.deps, { username: "bob", password: "builder of bridges" });
  const body = { username: "bob", password: "builder of bridges" };
  const { access } = (await (await auth.send("POST", "/api/token/", { body })).json()) as { access: string };
  return auth.deps.tokens.verifyAccess(access).sessionId;
}

const bearer = (access: string) => ({ Authorization: `Bearer ${access}` });

describe("the list of sessions", () => {
  it("lists the user's own sessions, newest first, with times in whole seconds", async () => {
    await logInAsBob();
    auth.clock.advance(60);
    const { access } = await auth.logIn();
    const { sessionId: newer } = auth.deps.tokens.verifyAccess(access);
    const response = await browser.get("/api/auth/sessions/", { headers: { "User-Agent": "Firefox" } });
    expect(response.status).toBe(200);
    const common = { user_agent: null, ip: null, label: null, actor: null };
    const toTimes = (at: number) => ({ created_at: at, last_used_at: at, expires_at: at + 2_592_000 });
    expect(await response.json()).toEqual({
      sessions: [
        { id: newer, current: false, ...toTimes(testStart + 60), ...common },
        { id: sessionId, current: true, ...toTimes(testStart), ...common },
      ],
    });
  });

  it("lists sessions for a bearer token too, and answers 401 without a token", async () => {
    const { access } = await auth.logIn();
    expect((await auth.send("GET", "/api/auth/sessions", { headers: bearer(access) })).status).toBe(200);
    expect((await auth.send("GET", "/api/auth/sessions")).status).toBe(401);
  });
});

describe("labelling a session", () => {
  const patch = (id: string, body: unknown, headers: Record<string, string | null> = {}) =>
    browser.send("PATCH", `/api/auth/sessions/${id}/`, { body, headers });

  it("sets the label of a session, or removes it with null", async () => {
    const response = await patch(sessionId, { label: "  Kitchen tablet " });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id: sessionId, current: true, label: "Kitchen tablet" });
    expect(await (await patch(sessionId, { label: null })).json()).toMatchObject({ label: null });
  });

  it("accepts a label of at most 100 characters, however many bytes they are", async () => {
    expect((await patch(sessionId, { label: "😀".repeat(100) })).status).toBe(200);
    const response = await patch(sessionId, { label: "x".repeat(101) });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ label: ["Ensure this field has no more than 100 characters."] });
    expect(await (await patch(sessionId, {})).json()).toEqual({ label: ["This field is required."] });
  });

  it("answers 404 for the label of another user's session, a revoked one or an unknown one", async () => {
    const { sessionId: revoked } = auth.deps.tokens.verifyAccess((await auth.logIn()).access);
    await auth.store.sessions.revoke(revoked, "revoked");
    for (const id of [await logInAsBob(), revoked, "nonsense", "%00", "..%2f.."]) {
      const response = await patch(id, { label: "mine" });
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual(notFound);
    }
  });

  it("requires the CSRF token and JSON to label a session by cookie", async () => {
    expect((await patch(sessionId, { label: "x" }, { "X-CSRFToken": null })).status).toBe(403);
    expect((await patch(sessionId, '{"label":"x"}', { "Content-Type": "text/plain" })).status).toBe(415);
  });

  it("requires neither CSRF token nor origin to label a session by bearer token", async () => {
    const { access } = await auth.logIn();
    const headers = { ...bearer(access), Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    const request = { headers, body: { label: "x" } };
    expect((await auth.send("PATCH", `/api/auth/sessions/${sessionId}/`, request)).status).toBe(200);
  });
});

describe("revoking a session", () => {
  const revoke = (id: string, headers: Record<string, string | null> = {}) =>
    browser.send("DELETE", `/api/auth/sessions/${id}/`, { headers });

  it("revokes another session at once, keeps this browser's cookies, and then answers 404", async () => {
    const { access } = await auth.logIn();
    const { sessionId: id } = auth.deps.tokens.verifyAccess(access);
    const response = await revoke(id);
    expect(response.status).toBe(204);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect((await auth.send("GET", "/api/auth/me/", { headers: bearer(access) })).status).toBe(401);
    expect(await browser.isLoggedIn()).toBe(true);
    const again = await revoke(id);
    expect([again.status, await again.json()]).toEqual([404, notFound]);
  });

  it("clears the cookies of a browser that revokes its own session", async () => {
    expect((await revoke(sessionId)).status).toBe(204);
    expect(browser.cookieNames()).toEqual([]);
  });

  it("sets no cookie if a session is revoked by bearer token", async () => {
    const { access } = await auth.logIn();
    const { sessionId: id } = auth.deps.tokens.verifyAccess(access);
    const response = await auth.send("DELETE", `/api/auth/sessions/${id}`, { headers: bearer(access) });
    expect([response.status, response.headers.getSetCookie()]).toEqual([204, []]);
  });

  it("revokes a session by cookie without a body or with JSON, and answers 415 to what a form can send", async () => {
    const del = (headers: Record<string, string>) =>
      browser.send("DELETE", `/api/auth/sessions/${sessionId}/`, { body: "{}", headers });
    for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
      const response = await del({ "Content-Type": type });
      expect(response.status).toBe(415);
      expect(await response.json()).toEqual({ detail: `Unsupported media type "${type}" in request.` });
    }
    expect(await browser.isLoggedIn()).toBe(true);
    expect((await del({ "Content-Type": "application/json" })).status).toBe(204);
  });

  it("answers 404 to a user who revokes another user's session, and keeps that session", async () => {
    const bobs = await logInAsBob();
    expect((await revoke(bobs)).status).toBe(404);
    expect((await auth.store.sessions.find(bobs))?.session.revokedAt).toBe(null);
  });

  it("refuses to revoke a session for another site's page or without the CSRF token", async () => {
    expect((await revoke(sessionId, { "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
    expect((await revoke(sessionId, { "X-CSRFToken": null })).status).toBe(403);
    expect(await browser.isLoggedIn()).toBe(true);
  });
});
