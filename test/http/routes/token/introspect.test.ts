import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { Settings } from "../../../../src/core/settings/settings.ts";
import type { Store } from "../../../../src/core/store/index.ts";
import type { AuthUser } from "../../../../src/core/user.ts";
import { disableUser } from "../../../../src/flows/users/users.ts";
import { rowOf } from "../../../flows/flow.ts";
import { createTestAuth, type TestAuth, type TestAuthOptions, testStart } from "../../../support/auth.ts";
import { addService, type TestService } from "../../../support/services.ts";

let auth: TestAuth;
let service: TestService;
/** The store's calls about sessions and users. */
let calls: string[] = [];

function record(store: Store): Store {
  const wrap = <T extends object>(name: string, part: T): T =>
    new Proxy(part, {
      get(target, method) {
        const member = Reflect.get(target, method);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          calls.push(`${name}.${String(method)}`);
          return member.apply(target, args);
        };
      },
    });
  return { ...store, sessions: wrap("sessions", store.sessions), users: wrap("users", store.users) };
}

async function start(
  settings: Partial<Settings<AuthUser>> = {},
  given: NonNullable<TestAuthOptions["given"]> = {},
): Promise<void> {
  auth = await createTestAuth({ settings, given, wrapStore: record });
  service = await addService(auth, ["introspect"]);
}
afterEach(() => auth.close());

const post = (body: unknown, headers: Record<string, string> = {}) =>
  auth.send("POST", "/api/token/introspect/", { headers: { ...service.basic, ...headers }, body });

async function introspect(token: string): Promise<unknown> {
  const response = await post({ token });
  expect(response.status).toBe(200);
  return response.json();
}

const refresh = async (token: string) => {
  const response = await auth.send("POST", "/api/token/refresh/", { body: { refresh: token } });
  return (await response.json()) as { access: string; refresh: string };
};

const inactive = { active: false };

describe("introspection", () => {
  it("answers the claims of a live access token", async () => {
    await start({ issuer: "https://id.example", audience: "api", claims: () => ({ role: "admin" }) });
    const { access } = await auth.logIn();
    const { tokenId, sessionId } = auth.deps.tokens.verifyAccess(access);
    expect(await introspect(access)).toEqual({
      active: true,
      token_type: "Bearer",
      tokenpair_type: "access",
      iss: "https://id.example",
      aud: "api",
      sub: auth.user.id,
      username: "alice",
      exp: testStart + 1_800,
      iat: testStart,
      auth_time: testStart,
      amr: ["pwd"],
      jti: tokenId,
      sid: sessionId,
    });
  });

  it("answers the claims of a current refresh token, without audience and secret", async () => {
    await start({ issuer: "https://id.example", audience: "api" });
    const { refresh: token } = await auth.logIn();
    const { tokenId, sessionId, secret } = auth.deps.tokens.verifyRefresh(token);
    const answer = await introspect(token);
    expect(answer).toEqual({
      active: true,
      token_type: "Bearer",
      tokenpair_type: "refresh",
      iss: "https://id.example",
      sub: auth.user.id,
      username: "alice",
      exp: testStart + 30 * 86_400,
      iat: testStart,
      jti: tokenId,
      sid: sessionId,
    });
    expect(JSON.stringify(answer)).not.toContain(Buffer.from(secret).toString("base64url"));
  });

  it("answers client_id with the profile of RFC 9068, for tokens that a key of the key ring has signed", async () => {
    const keyEncryptionKey = randomBytes(32).toString("base64url");
    const profile = {
      accessTokenProfile: "rfc9068",
      clientId: "shop",
      issuer: "https://id.example",
      audience: "api",
    } as const;
    await start({ keyEncryptionKey, ...profile }, { signingKey: undefined });
    const { access, refresh: token } = await auth.logIn();
    const common = { active: true, iss: "https://id.example", sub: auth.user.id, username: "alice" };
    expect(await introspect(access)).toMatchObject({
      ...common,
      aud: "api",
      client_id: "shop",
      tokenpair_type: "access",
    });
    const answer = await introspect(token);
    expect(answer).toMatchObject({ ...common, tokenpair_type: "refresh" });
    expect(answer).not.toHaveProperty("client_id");
  });

  it("accepts a form and JSON, ignores token_type_hint and a trailing slash, and trims the token", async () => {
    await start();
    const { access, refresh: token } = await auth.logIn();
    const form = { "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" };
    for (const body of [`token=${access}`, `token_type_hint=refresh_token&token=${access}`, `token=%20${access}+`]) {
      expect(await (await post(body, form)).json()).toMatchObject({ active: true, tokenpair_type: "access" });
    }
    for (const body of [{ token }, { token, token_type_hint: 7 }, { token: ` ${token} `, token_type_hint: "x" }]) {
      expect(await (await post(body)).json()).toMatchObject({ active: true, tokenpair_type: "refresh" });
    }
    const response = await auth.send("POST", "/api/token/introspect", { headers: service.bearer, body: { token } });
    expect([response.status, response.headers.get("Cache-Control")]).toEqual([200, "no-store"]);
  });

  it("answers exactly inactive to every other token, with one read of a session whatever is wrong", async () => {
    await start();
    const { tokens } = auth.deps;
    const spent = await auth.logIn();
    await refresh(spent.refresh);
    const ended = await auth.logIn();
    await auth.send("POST", "/api/token/blacklist/", { body: { refresh: ended.refresh } });
    const live = await auth.logIn();
    const access = tokens.verifyAccess(live.access);
    const current = tokens.verifyRefresh(live.refresh);
    const revoked = await auth.logIn();
    await auth.deps.flows.revokeToken(tokens.verifyAccess(revoked.access).tokenId);
    const forged = live.access.replace(/.$/, (last) => (last === "A" ? "E" : "A"));
    const bad: Readonly<Record<string, string>> = {
      "not a token": "x",
      "too long": "x".repeat(9_000),
      forged,
      expired: tokens.mintAccess({ ...access, globalEpoch: 0, claims: {}, expiresAt: testStart }),
      "not valid yet": tokens.mintAccess({ ...access, globalEpoch: 0, claims: {}, issuedAt: testStart + 1_000 }),
      "revoked itself": revoked.access,
      "an access token of a session that is over": ended.access,
      "a refresh token of a session that is over": ended.refresh,
      "rotated away a moment ago": spent.refresh,
      "another user's session": tokens.mintRefresh({ ...current, userId: "nobody" }),
      "a later epoch": tokens.mintRefresh({ ...current, userEpoch: 9 }),
      "another secret": tokens.mintRefresh({ ...current, secret: new Uint8Array(32) }),
      "a later generation": tokens.mintRefresh({ ...current, generation: 1 }),
      "no session": tokens.mintRefresh({ ...current, sessionId: "nothing" }),
      "an expired refresh token": tokens.mintRefresh({ ...current, expiresAt: testStart }),
    };
    for (const [what, token] of Object.entries(bad)) {
      calls = [];
      const text = await (await post({ token })).text();
      expect([what, text, calls]).toEqual([what, '{"active":false}', ["sessions.find"]]);
    }
    expect(await introspect(live.access)).toMatchObject({ active: true });
    expect(await introspect(live.refresh)).toMatchObject({ active: true });
  });

  it("changes nothing, not even for a token that was spent long ago, which a refresh takes for reuse", async () => {
    // Otherwise the clock that is moved below would make the feed stale, which is an event.
    await start({ maxStaleness: 3_600 });
    const first = await auth.logIn();
    const { sessionId } = auth.deps.tokens.verifyRefresh(first.refresh);
    const second = await refresh(first.refresh);
    auth.clock.advance(60);
    const third = await refresh(second.refresh);
    const before = await rowOf(auth, sessionId);
    auth.events.length = 0;
    calls = [];
    for (const token of [first, second]) expect(await introspect(token.refresh)).toEqual(inactive);
    expect(await introspect(third.refresh)).toMatchObject({ active: true });
    expect(await rowOf(auth, sessionId)).toEqual(before);
    expect(auth.events).toEqual([]);
    expect(new Set(calls)).toEqual(new Set(["sessions.find", "users.findById"]));
  });

  it("answers inactive as soon as the user is disabled, and if the application's rule excludes the user", async () => {
    await start();
    const pair = await auth.logIn();
    await disableUser(auth.deps, auth.user.id);
    for (const token of Object.values(pair)) expect(await introspect(token)).toEqual(inactive);
    await auth.close();

    let isAllowed = true;
    await start({ userAuthenticationRule: () => isAllowed });
    const other = await auth.logIn();
    isAllowed = false;
    for (const token of Object.values(other)) expect(await introspect(token)).toEqual(inactive);
  });

  it("asks the application for its own user, and answers inactive if there is none any more", async () => {
    let user: AuthUser | null = { id: "42", username: "ada", isActive: true };
    await start({ verifyCredentials: async () => user, findUser: async () => user });
    const pair = await auth.logIn();
    for (const token of Object.values(pair)) {
      expect(await introspect(token)).toMatchObject({ active: true, sub: "42", username: "ada" });
    }
    user = null;
    for (const token of Object.values(pair)) expect(await introspect(token)).toEqual(inactive);
  });

  it("answers 503 to an access token while this node can't know whether it is revoked", async () => {
    await start({ onStale: "refuse" });
    const { access, refresh: token } = await auth.logIn();
    auth.goStale();
    expect((await post({ token: access })).status).toBe(503);
    expect(await introspect(token)).toMatchObject({ active: true });
  });

  it.each([
    ["no body", "", {}],
    ["no token", {}, {}],
    ["an empty token", { token: "" }, {}],
    ["null as the token", { token: null }, {}],
    ["an object as the token", { token: {} }, {}],
    ["a list", [], {}],
    ["malformed JSON", "{", { "Content-Type": "application/json" }],
    ["a form without a token", "tokens=x", { "Content-Type": "application/x-www-form-urlencoded" }],
  ])("answers 400 invalid_request to %s", async (_what, body, headers) => {
    await start();
    const response = await post(body, headers as Record<string, string>);
    expect([response.status, await response.json()]).toEqual([400, { error: "invalid_request" }]);
  });

  it("answers 413 and 415 as the other endpoints do", async () => {
    await start();
    expect((await post({ token: "x".repeat(17_000) })).status).toBe(413);
    for (const type of ["text/plain", "multipart/form-data; boundary=x"]) {
      expect((await post("token=x", { "Content-Type": type })).status).toBe(415);
    }
  });
});
