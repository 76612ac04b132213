import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issue } from "../../../src/flows/sessions/issue.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";
import { addService } from "../../support/services.ts";

const actor = "support/bob";

let auth: TestAuth;
/** The session in which the actor acts for alice. */
let acting: { readonly id: string; readonly headers: { readonly Authorization: string }; readonly access: string };

beforeEach(async () => {
  auth = await createTestAuth();
  const client = { ip: "198.51.100.9", userAgent: "staff/1" };
  const { session, pair } = await issue(auth.deps, auth.user.id, { actor, client });
  acting = { id: session.id, headers: { Authorization: `Bearer ${pair.access}` }, access: pair.access };
});
afterEach(() => auth.close());

const impersonated = { detail: "Not allowed while you act for the user.", code: "impersonated" };

const send = (method: string, path: string, body?: unknown) =>
  auth.send(method, path, { headers: acting.headers, ...(body === undefined ? {} : { body }) });

const liveSessions = async () => (await auth.store.sessions.list({ limit: 10 })).sessions.length;

describe("an actor", () => {
  const newPassword = "another horse battery staple";
  it.each([
    ["the password", "POST", "/api/auth/password/", { current_password: alice.password, new_password: newPassword }],
    ["the user's other sessions", "POST", "/api/auth/logout/", { scope: "others" }],
    ["all of the user's sessions", "POST", "/api/auth/logout/", { scope: "all" }],
  ])("may not change or revoke %s", async (_, method, path, body) => {
    const { access } = await auth.logIn();
    const response = await send(method, path, body);
    expect([response.status, await response.json()]).toEqual([403, impersonated]);
    expect(response.headers.has("Session-Ended")).toBe(false);
    expect((await auth.send("POST", "/api/token/verify/", { body: { token: access } })).status).toBe(200);
    expect(await liveSessions()).toBe(2);
  });

  it("may not revoke one of the user's sessions, but its own", async () => {
    const { access } = await auth.logIn();
    const { sessionId } = auth.deps.tokens.verifyAccess(access);
    const response = await send("DELETE", `/api/auth/sessions/${sessionId}/`);
    expect([response.status, await response.json()]).toEqual([403, impersonated]);
    expect((await send("DELETE", `/api/auth/sessions/${acting.id}/`)).status).toBe(204);
    expect(auth.events.at(-1)).toMatchObject({ type: "sessions_revoked", sessionId: acting.id, client: { actor } });
  });

  it("may not label one of the user's sessions, but its own", async () => {
    const { access } = await auth.logIn();
    const { sessionId } = auth.deps.tokens.verifyAccess(access);
    const response = await send("PATCH", `/api/auth/sessions/${sessionId}/`, { label: "mine" });
    expect([response.status, await response.json()]).toEqual([403, impersonated]);
    expect((await auth.store.sessions.find(sessionId))?.session.label).toBeNull();
    expect((await send("PATCH", `/api/auth/sessions/${acting.id}/`, { label: "mine" })).status).toBe(200);
  });

  it("is named by the event about a refused request by cookie", async () => {
    const headers = { Cookie: `__Host-Http-access=${acting.access}` };
    expect((await auth.send("POST", "/api/auth/logout/", { headers })).status).toBe(403);
    expect(auth.events.at(-1)).toMatchObject({ type: "csrf_refused", sessionId: acting.id, client: { actor } });
  });

  it("is shown by the list of sessions and by introspection", async () => {
    const { sessions } = await (await send("GET", "/api/auth/sessions/")).json();
    expect(sessions).toMatchObject([{ id: acting.id, current: true, actor, ip: null, user_agent: null }]);
    const { basic } = await addService(auth, ["introspect"]);
    const response = await auth.send("POST", "/api/token/introspect/", {
      headers: basic,
      body: { token: acting.access },
    });
    expect(await response.json()).toMatchObject({ active: true, act: { sub: actor } });
  });
});
