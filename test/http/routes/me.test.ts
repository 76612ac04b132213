import { afterEach, beforeEach, expect, it } from "vitest";
import { signCompact } from "../../../src/crypto/tokens/jws.ts";
import { revokeAllSessions, revokeSessionsForUser, revokeToken } from "../../../src/flows/sessions/sessions.ts";
import { deleteUser, disableUser } from "../../../src/flows/users/users.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";
import { expectRefusal, plainChallenge, tokenChallenge } from "../refusals.ts";

let t: TestAuth;
beforeEach(async () => {
  t = await createTestAuth();
});
afterEach(() => t.close());

const getMe = (authorization?: string, auth = t) =>
  auth.send("GET", "/api/auth/me/", authorization === undefined ? {} : { headers: { Authorization: authorization } });

/** The refusal of a token that is not valid. */
const notValid = (message: string) => ({
  status: 401,
  body: {
    detail: "Given token not valid for any token type",
    code: "token_not_valid",
    messages: [{ token_class: "AccessToken", token_type: "access", message }],
  },
  challenge: tokenChallenge,
});

it("answers GET /api/auth/me/ with the user and the session of the access token", async () => {
  const { access } = await t.logIn();
  const response = await getMe(`Bearer ${access}`);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    id: t.user.id,
    username: "alice",
    session: {
      id: t.deps.tokens.verifyAny(access).sessionId,
      created_at: testStart,
      expires_at: testStart + 2_592_000,
      actor: null,
    },
  });
});

it.each(["bearer ", "BEARER  ", "Bearer\t", "Bearer \t "])("accepts the scheme written as %j", async (scheme) => {
  const { access } = await t.logIn();
  expect((await getMe(`${scheme}${access}`)).status).toBe(200);
});

it("uses the header name and the schemes of the settings, in the challenge too", async () => {
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
  "answers 401 not_authenticated to the authorization header %j",
  async (authorization) => {
    const body = { detail: "Authentication credentials were not provided.", code: "not_authenticated" };
    await expectRefusal(await getMe(authorization), { status: 401, body, challenge: plainChallenge });
  },
);

it.each(["Bearer", "Bearer ", "bearer a b", "Bearer a, Bearer b"])(
  "answers 401 bad_authorization_header to the authorization header %j",
  async (authorization) => {
    const body = {
      detail: "Authorization header must contain two space-delimited values",
      code: "bad_authorization_header",
    };
    await expectRefusal(await getMe(authorization), { status: 401, body, challenge: plainChallenge });
  },
);

const claims = { exp: testStart + 60, iat: testStart, jti: "a", user_id: "1", sid: "s", ue: 0, token_type: "access" };

it.each([
  ["garbage", () => "garbage", "Token is invalid"],
  ["of a wrong shape", () => signCompact({ ...claims, ue: "0" }, t.keys.access), "Token is invalid"],
  ["expired", () => signCompact({ ...claims, exp: testStart - 1 }, t.keys.access), "Token is expired"],
  ["of another type", () => signCompact({ ...claims, token_type: "x" }, t.keys.access), "Token has wrong type"],
  ["without exp", () => signCompact({ ...claims, exp: undefined }, t.keys.access), "Token has no 'exp' claim"],
  ["without type", () => signCompact({ ...claims, token_type: undefined }, t.keys.access), "Token has no type"],
  ["without id", () => signCompact({ ...claims, jti: undefined }, t.keys.access), "Token has no id"],
])("answers 401 to an access token that is %s", async (_, toToken, message) => {
  await expectRefusal(await getMe(`Bearer ${toToken()}`), notValid(message));
});

it("answers 401 to a refresh token sent as an access token", async () => {
  const { refresh } = await t.logIn();
  await expectRefusal(await getMe(`Bearer ${refresh}`), notValid("Token has wrong type"));
});

it("answers 401 to an access token without the user claim", async () => {
  const body = { detail: "Token contained no recognizable user identification", code: "token_not_valid" };
  const token = signCompact({ ...claims, user_id: undefined }, t.keys.access);
  await expectRefusal(await getMe(`Bearer ${token}`), { status: 401, body, challenge: tokenChallenge });
});

it("answers 401 to an access token as soon as its lifetime is over", async () => {
  const { access } = await t.logIn();
  t.clock.advance(1_800);
  await expectRefusal(await getMe(`Bearer ${access}`), notValid("Token is expired"));
});

it.each([
  ["the session was logged out", (refresh: string) => t.send("POST", "/api/token/blacklist/", { body: { refresh } })],
  ["the user's sessions were revoked", () => revokeSessionsForUser(t.deps, t.user.id)],
  ["all sessions were revoked", () => revokeAllSessions(t.deps)],
  ["the user was disabled", () => disableUser(t.deps, t.user.id)],
  ["the user was deleted", () => deleteUser(t.deps, t.user.id)],
])("answers 401 to an access token after %s", async (_, revoke) => {
  const { access, refresh } = await t.logIn();
  await revoke(refresh);
  await expectRefusal(await getMe(`Bearer ${access}`), notValid("Token is blacklisted"));
});

it("answers 401 to an access token that was revoked by its id", async () => {
  const { access } = await t.logIn();
  await revokeToken(t.deps, t.deps.tokens.verifyAccess(access).tokenId);
  await expectRefusal(await getMe(`Bearer ${access}`), notValid("Token is blacklisted"));
});

it("answers 401 to a genuine access token whose session is not in the store", async () => {
  const token = signCompact({ ...claims, user_id: t.user.id }, t.keys.access);
  await expectRefusal(await getMe(`Bearer ${token}`), notValid("Token is blacklisted"));
});

it("answers 401 user_not_found to a genuine access token whose user is not in the store", async () => {
  const token = signCompact({ ...claims, user_id: "404" }, t.keys.access);
  const body = { detail: "User not found", code: "user_not_found" };
  await expectRefusal(await getMe(`Bearer ${token}`), { status: 401, body, challenge: tokenChallenge });
});

it("answers 401 user_inactive to an inactive user's access token if checkUserIsActive is on", async () => {
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
  const body = { detail: "User is inactive", code: "user_inactive" };
  await expectRefusal(await getMe(`Bearer ${access}`, own), { status: 401, body, challenge: tokenChallenge });
  await own.close();
});

it("answers 503 with Retry-After if this node's revocations are too stale", async () => {
  const own = await createTestAuth({ settings: { onStale: "refuse" } });
  const { access } = await own.logIn();
  own.goStale();
  const response = await getMe(`Bearer ${access}`, own);
  await own.close();
  expect(response.status).toBe(503);
  expect(response.headers.get("Retry-After")).toMatch(/^\d+$/);
  expect(await response.json()).toEqual({ detail: "Service temporarily unavailable.", code: "unavailable" });
});
