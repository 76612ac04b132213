import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signCompact } from "../../../src/crypto/jws.ts";
import { revokeAllSessions, revokeSessionsForUser, revokeToken } from "../../../src/flows/sessions.ts";
import { deleteUser, disableUser } from "../../../src/flows/users.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";

const plainChallenge = 'Bearer realm="api"';
const tokenChallenge = 'Bearer realm="api", error="invalid_token"';

let t: TestAuth;
beforeEach(async () => {
  t = await createTestAuth();
});
afterEach(() => t.close());

const getMe = (authorization?: string, auth = t) =>
  auth.send("GET", "/api/auth/me/", authorization === undefined ? {} : { headers: { Authorization: authorization } });

const notValid = (message: string) => ({
  detail: "Given token not valid for any token type",
  code: "token_not_valid",
  messages: [{ token_class: "AccessToken", token_type: "access", message }],
});

async function expectRefusal(response: Response, body: unknown, challenge: string) {
  expect(await response.json()).toEqual(body);
  expect(response.status).toBe(401);
  expect(response.headers.get("WWW-Authenticate")).toBe(challenge);
}

describe("GET /api/auth/me/", () => {
  it("says who the caller is", async () => {
    const { access } = await t.logIn();
    const response = await getMe(`Bearer ${access}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      id: t.user.id,
      username: "alice",
      session: { id: expect.any(String), created_at: testStart, expires_at: testStart + 2_592_000 },
    });
  });

  it.each(["bearer ", "BEARER  ", "Bearer\t", "Bearer \t "])("takes the scheme written %j", async (scheme) => {
    const { access } = await t.logIn();
    expect((await getMe(`${scheme}${access}`)).status).toBe(200);
  });

  it("takes header name and schemes from the settings", async () => {
    const own = await createTestAuth({ settings: { authHeaderName: "X-Access", authHeaderTypes: ["JWT", "Token"] } });
    const { access } = await own.logIn();
    for (const scheme of ["JWT", "token"]) {
      const headers = { "X-Access": `${scheme} ${access}` };
      expect((await own.send("GET", "/api/auth/me/", { headers })).status).toBe(200);
    }
    const refused = await getMe(`Bearer ${access}`, own);
    expect(refused.headers.get("WWW-Authenticate")).toBe('JWT realm="api"');
    await own.close();
  });

  it("never reads a token from the query", async () => {
    const { access } = await t.logIn();
    expect((await t.send("GET", `/api/auth/me/?access_token=${access}&token=${access}`)).status).toBe(401);
  });

  it.each([undefined, "", "Basic YWxpY2U6cHc=", "Token abc def", "Bearerabc"])(
    "asks for credentials where the header is %j",
    async (authorization) => {
      const body = { detail: "Authentication credentials were not provided.", code: "not_authenticated" };
      await expectRefusal(await getMe(authorization), body, plainChallenge);
    },
  );

  it.each(["Bearer", "Bearer ", "bearer a b", "Bearer a, Bearer b"])(
    "refuses the malformed header %j",
    async (authorization) => {
      const body = {
        detail: "Authorization header must contain two space-delimited values",
        code: "bad_authorization_header",
      };
      await expectRefusal(await getMe(authorization), body, plainChallenge);
    },
  );

  const claims = { exp: testStart + 60, iat: testStart, jti: "a", user_id: "1", sid: "s", ue: 0, token_type: "access" };

  it.each([
    ["garbage", () => "garbage", "Token is invalid"],
    ["of a wrong shape", () => signCompact({ ...claims, ue: "0" }, t.keys.current), "Token is invalid"],
    ["expired", () => signCompact({ ...claims, exp: testStart - 1 }, t.keys.current), "Token is expired"],
    ["of another type", () => signCompact({ ...claims, token_type: "x" }, t.keys.current), "Token has wrong type"],
    ["without exp", () => signCompact({ ...claims, exp: undefined }, t.keys.current), "Token has no 'exp' claim"],
    ["without type", () => signCompact({ ...claims, token_type: undefined }, t.keys.current), "Token has no type"],
    ["without id", () => signCompact({ ...claims, jti: undefined }, t.keys.current), "Token has no id"],
  ])("refuses a token that is %s", async (_, toToken, message) => {
    await expectRefusal(await getMe(`Bearer ${toToken()}`), notValid(message), tokenChallenge);
  });

  it("refuses a refresh token", async () => {
    const { refresh } = await t.logIn();
    await expectRefusal(await getMe(`Bearer ${refresh}`), notValid("Token has wrong type"), tokenChallenge);
  });

  it("refuses a token without a user", async () => {
    const body = { detail: "Token contained no recognizable user identification", code: "token_not_valid" };
    const token = signCompact({ ...claims, user_id: undefined }, t.keys.current);
    await expectRefusal(await getMe(`Bearer ${token}`), body, tokenChallenge);
  });

  it("refuses a token that has lived its time", async () => {
    const { access } = await t.logIn();
    t.clock.advance(1_800);
    await expectRefusal(await getMe(`Bearer ${access}`), notValid("Token is expired"), tokenChallenge);
  });

  it.each([
    ["the session was logged out", (refresh: string) => t.send("POST", "/api/token/blacklist/", { body: { refresh } })],
    ["the user's sessions were ended", () => revokeSessionsForUser(t.deps, t.user.id)],
    ["all sessions were ended", () => revokeAllSessions(t.deps)],
    ["the user was disabled", () => disableUser(t.deps, t.user.id)],
    ["the user was deleted", () => deleteUser(t.deps, t.user.id)],
  ])("refuses a token after %s", async (_, revoke) => {
    const { access, refresh } = await t.logIn();
    await revoke(refresh);
    await expectRefusal(await getMe(`Bearer ${access}`), notValid("Token is blacklisted"), tokenChallenge);
  });

  it("refuses a token that was revoked by its id", async () => {
    const { access } = await t.logIn();
    await revokeToken(t.deps, t.deps.tokens.verifyAccess(access).tokenId);
    await expectRefusal(await getMe(`Bearer ${access}`), notValid("Token is blacklisted"), tokenChallenge);
  });

  it("refuses a genuine token whose session the store does not have", async () => {
    const token = signCompact({ ...claims, user_id: t.user.id }, t.keys.current);
    await expectRefusal(await getMe(`Bearer ${token}`), notValid("Token is blacklisted"), tokenChallenge);
  });

  it("refuses a user whom the store does not have", async () => {
    const token = signCompact({ ...claims, user_id: "404" }, t.keys.current);
    await expectRefusal(
      await getMe(`Bearer ${token}`),
      { detail: "User not found", code: "user_not_found" },
      tokenChallenge,
    );
  });

  it("says that a user is inactive where users are looked up", async () => {
    const account = { id: "7", username: "bob", isActive: true };
    const own = await createTestAuth({
      settings: {
        checkUserIsActive: true,
        findUser: async () => account,
        verifyCredentials: async () => account,
      },
    });
    const { access } = await own.logIn();
    account.isActive = false;
    await expectRefusal(
      await getMe(`Bearer ${access}`, own),
      { detail: "User is inactive", code: "user_inactive" },
      tokenChallenge,
    );
    await own.close();
  });

  it("answers 503 when the revocations are too stale", async () => {
    const { access } = await t.logIn();
    t.clock.stall(11);
    const response = await getMe(`Bearer ${access}`);
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toMatch(/^\d+$/);
    expect(await response.json()).toEqual({ detail: "Service temporarily unavailable.", code: "unavailable" });
  });
});
