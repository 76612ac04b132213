import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditEntry } from "../../src/core/store/audit.ts";
import { createTestAuth, type TestAuth, testStart as time } from "../support/auth.ts";
import { createBrowser, ownOrigin } from "../support/browser.ts";

let auth: TestAuth;

beforeEach(async () => {
  auth = await createTestAuth();
  auth.events.length = 0;
});
afterEach(() => auth.close());

/** Runs `act` and returns the entries that the audit log got. */
async function record(act: () => Promise<void>): Promise<readonly AuditEntry[]> {
  const { audit } = auth.store;
  const { cursor } = await audit.read({ after: null, limit: 1 });
  await act();
  await auth.auditQueue.stop();
  return (await audit.read({ after: cursor, limit: 100 })).entries;
}

describe("csrf_refused", () => {
  const refused = (more: object) => ({ type: "csrf_refused", time, client: { userAgent: "Firefox" }, ...more });

  it("emits csrf_refused once for each refused request, with the session that the cookies name", async () => {
    const browser = createBrowser(auth);
    const { sessionId } = await browser.logIn();
    auth.events.length = 0;
    const headers = { "X-CSRFToken": null, "User-Agent": "Firefox" };
    for (const path of ["/api/auth/refresh/", "/api/auth/logout/", "/api/auth/password/", "/api/auth/login/"]) {
      expect((await browser.post(path, {}, headers)).status).toBe(403);
    }
    expect((await browser.send("DELETE", `/api/auth/sessions/${sessionId}/`, { headers })).status).toBe(403);
    const reason = "CSRF token missing.";
    expect(auth.events).toEqual(Array.from({ length: 5 }, () => refused({ reason, userId: auth.user.id, sessionId })));
  });

  it("emits csrf_refused for a cross-site request without a session, and does not record it", async () => {
    const headers = { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example", "User-Agent": "Firefox" };
    const entries = await record(async () => {
      const response = await auth.send("POST", "/api/auth/login/", { headers, body: {} });
      expect(response.status).toBe(403);
    });
    expect(auth.events).toEqual([refused({ reason: "Origin checking failed." })]);
    expect(entries).toEqual([]);
  });

  it("records csrf_refused if the cookies name a session", async () => {
    const browser = createBrowser(auth);
    await browser.logIn();
    const entries = await record(async () => {
      expect((await browser.post("/api/auth/logout/", {}, { "X-CSRFToken": null })).status).toBe(403);
    });
    expect(entries.map(({ type }) => type)).toEqual(["csrf_refused"]);
  });

  it("records at most ten refusals a minute of a user, even of a revoked session, and all entries of others", async () => {
    const browser = createBrowser(auth);
    await browser.logIn();
    await auth.deps.flows.revokeSessionsForUser(auth.user.id);
    auth.events.length = 0;
    const entries = await record(async () => {
      for (let i = 0; i < 1_100; i++) await browser.post("/api/auth/logout/", {}, { "X-CSRFToken": null });
      await auth.send("POST", "/api/token/", { body: { username: "nobody", password: "wrong" } });
    });
    expect(auth.events.filter(({ type }) => type === "csrf_refused")).toHaveLength(1_100);
    expect(entries.map(({ type }) => type)).toEqual([...Array(10).fill("csrf_refused"), "login_failed"]);
  });

  it("emits no csrf_refused for a request with a valid CSRF token", async () => {
    const browser = createBrowser(auth);
    await browser.logIn();
    auth.events.length = 0;
    expect((await browser.post("/api/auth/logout/", {}, { Origin: ownOrigin })).status).toBe(200);
    expect(auth.events.map(({ type }) => type)).toEqual(["sessions_revoked"]);
  });
});
