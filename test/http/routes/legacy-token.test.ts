import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type TestAuth, testStart } from "../../support/auth.ts";
import { createMovingAuth, legacyToken } from "../../support/simplejwt.ts";

const blacklisted = { detail: "Token is blacklisted", code: "token_not_valid" };
const invalid = { detail: "Token is invalid", code: "token_not_valid" };

let auth: TestAuth;
let token: string;

beforeEach(async () => {
  auth = await createMovingAuth();
  token = legacyToken();
});
afterEach(() => auth.close());

const post = (path: string, body: object, headers = {}) => auth.send("POST", path, { body, headers });
const refresh = (presented: string, headers = {}) => post("/api/token/refresh/", { refresh: presented }, headers);
const listed = async () => (await auth.store.sessions.list({ limit: 100 })).sessions;

interface Body {
  readonly access: string;
  readonly refresh: string;
}

describe("POST /api/token/refresh/ with a refresh token of simplejwt", () => {
  it("answers with a pair that works, and again with the same one", async () => {
    const response = await refresh(token);
    expect(response.status).toBe(200);
    expect(response.headers.get("Token-Replayed")).toBeNull();
    const pair = (await response.json()) as Body;
    expect(Object.keys(pair).sort()).toEqual(["access", "refresh"]);
    const me = await auth.send("GET", "/api/auth/me/", { headers: { Authorization: `Bearer ${pair.access}` } });
    expect(await me.json()).toMatchObject({ id: auth.user.id, username: "alice" });

    const again = await refresh(token);
    expect(again.headers.get("Token-Replayed")).toBe("true");
    expect(((await again.json()) as Body).refresh).toBe(pair.refresh);
    expect((await refresh(pair.refresh)).status).toBe(200);
  });

  it("starts one session and answers with one pair in a race of 64", async () => {
    const responses = await Promise.all(Array.from({ length: 64 }, () => refresh(token)));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(responses.filter(({ headers }) => headers.get("Token-Replayed") === null)).toHaveLength(1);
    const pairs = await Promise.all(responses.map((response) => response.json() as Promise<Body>));
    expect(new Set(pairs.map((pair) => pair.refresh)).size).toBe(1);
    expect(await listed()).toHaveLength(1);
  });

  it("answers 401 and ends the session if it is presented again later", async () => {
    const { refresh: next } = (await (await refresh(token)).json()) as Body;
    auth.clock.advance(11);
    const response = await refresh(token);
    expect([response.status, response.headers.get("Session-Ended")]).toEqual([401, "true"]);
    expect(await response.json()).toEqual(blacklisted);
    expect((await refresh(next)).status).toBe(401);
  });

  it("answers 401 to a blacklisted one and to one of an unknown user", async () => {
    await auth.store.legacy.revoke([{ tokenId: "dead", expiresAt: testStart + 86_400 }], "revoked");
    const dead = await refresh(legacyToken({ jti: "dead" }));
    expect([dead.status, await dead.json()]).toEqual([401, blacklisted]);
    const unknown = await refresh(legacyToken({ user_id: 99 }));
    expect(unknown.status).toBe(401);
    expect(await unknown.json()).toMatchObject({ code: "no_active_account" });
  });
});

describe("the other endpoints", () => {
  it("revoke a refresh token of simplejwt at the blacklist endpoint, before and after it was redeemed", async () => {
    expect((await post("/api/token/blacklist/", { refresh: token })).status).toBe(200);
    expect((await refresh(token)).status).toBe(401);
    const other = legacyToken();
    const { refresh: next } = (await (await refresh(other)).json()) as Body;
    expect((await post("/api/token/blacklist/", { refresh: other })).status).toBe(200);
    expect((await refresh(next)).status).toBe(401);
    const again = await post("/api/token/blacklist/", { refresh: other });
    expect([again.status, await again.json()]).toEqual([401, blacklisted]);
  });

  it("accept it neither in a cookie, nor as an access token, nor at the verify endpoint", async () => {
    const cookie = await auth.send("POST", "/api/auth/refresh/", {
      body: {},
      headers: { Cookie: `__Secure-refresh=${token}`, "Sec-Fetch-Site": "same-origin" },
    });
    expect([cookie.status, await cookie.json()]).toEqual([401, invalid]);
    const me = await auth.send("GET", "/api/auth/me/", { headers: { Authorization: `Bearer ${token}` } });
    expect(me.status).toBe(401);
    const verified = await post("/api/token/verify/", { token });
    expect([verified.status, await verified.json()]).toEqual([401, invalid]);
    expect(await listed()).toEqual([]);
    expect(await auth.store.legacy.count()).toEqual({ redeemed: 0, revoked: 0 });
  });
});
