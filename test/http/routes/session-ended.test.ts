import { afterEach, beforeEach, expect, it } from "vitest";
import { deleteUser, disableUser, setPassword } from "../../../src/flows/users/users.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { createBrowser } from "../../support/browser.ts";
import type { Pair } from "../../support/wire.ts";

let t: TestAuth;
let pair: Pair;

beforeEach(async () => {
  t = await createTestAuth();
  pair = await t.logIn();
});
afterEach(() => t.close());

const post = (path: string, body: object) => t.send("POST", `/api/token/${path}/`, { body });

/** Returns the status and the header. */
async function outcome(response: Response | Promise<Response>): Promise<[number, string | null]> {
  const { status, headers } = await response;
  return [status, headers.get("Session-Ended")];
}

const revokeSession = async () => {
  const { sessionId } = t.deps.tokens.verifyRefresh(pair.refresh);
  await t.deps.flows.revokeSession(sessionId);
};

it.each<[string, () => Promise<unknown>]>([
  ["was revoked", revokeSession],
  ["is gone", () => t.store.deleteExpired({ limit: 10, horizon: 1 })],
  ["is one of a disabled user", () => disableUser(t.deps, t.user.id)],
  ["is one of a deleted user", () => deleteUser(t.deps, t.user.id)],
  ["is older than the password", () => setPassword(t.deps, t.user.id, "another horse")],
])("says Session-Ended to a refresh token whose session %s, at every token endpoint", async (what, end) => {
  if (what === "is gone") {
    await revokeSession();
    t.clock.advance(1_801);
  }
  await end();
  for (const path of ["refresh", "blacklist"]) {
    expect(await outcome(post(path, { refresh: pair.refresh })), path).toEqual([401, "true"]);
  }
  expect(await outcome(post("verify", { token: pair.refresh }))).toEqual([401, "true"]);
});

it("says Session-Ended if reuse was detected", async () => {
  await post("refresh", { refresh: pair.refresh });
  t.clock.advance(11);
  expect(await outcome(post("refresh", { refresh: pair.refresh }))).toEqual([401, "true"]);
});

it("doesn't say Session-Ended to a refresh token that proves nothing about its session", async () => {
  const [header, payload] = pair.refresh.split(".");
  const forged = `${header}.${payload}.${"A".repeat(43)}`;
  for (const refresh of [forged, "garbage", pair.access]) {
    for (const path of ["refresh", "blacklist"]) {
      expect(await outcome(post(path, { refresh })), path).toEqual([401, null]);
    }
  }
  await post("refresh", { refresh: pair.refresh });
  expect(await outcome(post("verify", { token: pair.refresh }))).toEqual([401, null]);
  t.clock.advance(2_592_000);
  expect(await outcome(post("refresh", { refresh: pair.refresh }))).toEqual([401, null]);
});

it("never says Session-Ended to an access token, even if its session was revoked", async () => {
  await revokeSession();
  expect(await outcome(post("verify", { token: pair.access }))).toEqual([401, null]);
  for (const headers of [
    { Authorization: `Bearer ${pair.access}` },
    { Cookie: `__Host-Http-access=${pair.access}` },
  ] as const) {
    for (const path of ["me", "sessions"]) {
      expect(await outcome(t.send("GET", `/api/auth/${path}/`, { headers })), path).toEqual([401, null]);
    }
  }
});

it("never says Session-Ended to a wrong password or a request without a token", async () => {
  expect(await outcome(t.send("POST", "/api/token/", { body: { username: "alice", password: "wrong" } }))).toEqual([
    401,
    null,
  ]);
  expect(await outcome(t.send("GET", "/api/auth/me/"))).toEqual([401, null]);
  expect(await outcome(createBrowser(t).post("/api/auth/refresh/"))).toEqual([401, null]);
});
