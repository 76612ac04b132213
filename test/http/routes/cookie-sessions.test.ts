import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createUser } from "../../../src/flows/users.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";
import { type Browser, createBrowser } from "../../support/browser.ts";

let auth: TestAuth;
let browser: Browser;
let sessionId: string;

beforeEach(async () => {
  auth = await createTestAuth();
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
  it("holds one's own, newest first, with times in whole seconds", async () => {
    await logInAsBob();
    auth.clock.advance(60);
    const { access } = await auth.logIn();
    const { sessionId: newer } = auth.deps.tokens.verifyAccess(access);
    const response = await browser.get("/api/auth/sessions/", { headers: { "User-Agent": "Firefox" } });
    expect(response.status).toBe(200);
    const common = { user_agent: null, ip: null, label: null };
    const toTimes = (at: number) => ({ created_at: at, last_used_at: at, expires_at: at + 2_592_000 });
    expect(await response.json()).toEqual({
      sessions: [
        { id: newer, current: false, ...toTimes(testStart + 60), ...common },
        { id: sessionId, current: true, ...toTimes(testStart), ...common },
      ],
    });
  });

  it("is there for a bearer token too, and for nobody else", async () => {
    const { access } = await auth.logIn();
    expect((await auth.send("GET", "/api/auth/sessions", { headers: bearer(access) })).status).toBe(200);
    expect((await auth.send("GET", "/api/auth/sessions")).status).toBe(401);
  });
});

describe("naming a session", () => {
  const patch = (id: string, body: unknown, headers: Record<string, string | null> = {}) =>
    browser.send("PATCH", `/api/auth/sessions/${id}/`, { body, headers });

  it("answers the session with its label; null takes it away", async () => {
    const response = await patch(sessionId, { label: "  Kitchen tablet " });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id: sessionId, current: true, label: "Kitchen tablet" });
    expect(await (await patch(sessionId, { label: null })).json()).toMatchObject({ label: null });
  });

  it("takes at most 100 characters, however long they are in bytes", async () => {
    expect((await patch(sessionId, { label: "😀".repeat(100) })).status).toBe(200);
    const response = await patch(sessionId, { label: "x".repeat(101) });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ label: ["Ensure this field has no more than 100 characters."] });
    expect(await (await patch(sessionId, {})).json()).toEqual({ label: ["This field is required."] });
  });

  it("reaches no session of another user, no dead one, and none that never was", async () => {
    const { sessionId: dead } = auth.deps.tokens.verifyAccess((await auth.logIn()).access);
    await auth.store.sessions.revoke(dead, "revoked");
    for (const id of [await logInAsBob(), dead, "nonsense", "%00", "..%2f.."]) {
      const response = await patch(id, { label: "mine" });
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual(notFound);
    }
  });

  it("needs the CSRF token by cookie, and JSON", async () => {
    expect((await patch(sessionId, { label: "x" }, { "X-CSRFToken": null })).status).toBe(403);
    expect((await patch(sessionId, '{"label":"x"}', { "Content-Type": "text/plain" })).status).toBe(415);
  });

  it("needs neither CSRF token nor origin by bearer token", async () => {
    const { access } = await auth.logIn();
    const headers = { ...bearer(access), Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    const request = { headers, body: { label: "x" } };
    expect((await auth.send("PATCH", `/api/auth/sessions/${sessionId}/`, request)).status).toBe(200);
  });
});

describe("ending a session", () => {
  const end = (id: string, headers: Record<string, string | null> = {}) =>
    browser.send("DELETE", `/api/auth/sessions/${id}/`, { headers });

  it("ends it at once, and leaves one's own cookies", async () => {
    const { access } = await auth.logIn();
    const { sessionId: id } = auth.deps.tokens.verifyAccess(access);
    const response = await end(id);
    expect(response.status).toBe(204);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect((await auth.send("GET", "/api/auth/me/", { headers: bearer(access) })).status).toBe(401);
    expect(await browser.isLoggedIn()).toBe(true);
    const again = await end(id);
    expect([again.status, await again.json()]).toEqual([404, notFound]);
  });

  it("of one's own takes its cookies along", async () => {
    expect((await end(sessionId)).status).toBe(204);
    expect(browser.cookieNames()).toEqual([]);
  });

  it("by bearer token touches no cookies", async () => {
    const { access } = await auth.logIn();
    const { sessionId: id } = auth.deps.tokens.verifyAccess(access);
    const response = await auth.send("DELETE", `/api/auth/sessions/${id}`, { headers: bearer(access) });
    expect([response.status, response.headers.getSetCookie()]).toEqual([204, []]);
  });

  it("needs no body, and by cookie takes none but JSON, which no form can send", async () => {
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

  it("of another user is 404, and leaves it alone", async () => {
    const bobs = await logInAsBob();
    expect((await end(bobs)).status).toBe(404);
    expect((await auth.store.sessions.find(bobs))?.session.revokedAt).toBe(null);
  });

  it("is refused to another site's page, and without the CSRF token", async () => {
    expect((await end(sessionId, { "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
    expect((await end(sessionId, { "X-CSRFToken": null })).status).toBe(403);
    expect(await browser.isLoggedIn()).toBe(true);
  });
});
