import { afterEach, beforeEach, expect, it } from "vitest";
import { deleteUser, disableUser, setPassword } from "../../../../src/flows/users/users.ts";
import { createTestAuth, type TestAuth } from "../../../support/auth.ts";
import type { Pair } from "../../../support/wire.ts";
import { blacklisted, expectRefusal, tokenChallenge } from "../../refusals.ts";

let t: TestAuth;
beforeEach(async () => {
  t = await createTestAuth();
});
afterEach(() => t.close());

const refreshWith = (refresh: string, headers: Record<string, string> = {}) =>
  t.send("POST", "/api/token/refresh/", { body: { refresh }, headers });

it("answers a refresh token with a new pair", async () => {
  const { refresh, access } = await t.logIn();
  t.clock.advance(1);
  const response = await refreshWith(refresh);
  expect(response.status).toBe(200);
  expect(response.headers.get("Token-Replayed")).toBeNull();
  const pair = (await response.json()) as Pair;
  expect(Object.keys(pair)).toEqual(["access", "refresh"]);
  expect(pair.access).not.toBe(access);
  expect(pair.refresh).not.toBe(refresh);
});

it("answers a replay with the same new refresh token and Token-Replayed", async () => {
  const { refresh } = await t.logIn();
  const first = (await (await refreshWith(refresh)).json()) as Pair;
  const again = await refreshWith(refresh);
  expect(again.headers.get("Token-Replayed")).toBe("true");
  expect(await again.json()).toMatchObject({ refresh: first.refresh });
});

it("answers a retry with the same idempotency key as a replay, an hour later too", async () => {
  const { refresh } = await t.logIn();
  const headers = { "Idempotency-Key": "0123456789abcdef-_ABCD" };
  await refreshWith(refresh, headers);
  t.clock.advance(3_600);
  const again = await refreshWith(refresh, headers);
  expect([again.status, again.headers.get("Token-Replayed")]).toEqual([200, "true"]);
});

it("answers with an access token only if refresh tokens are not rotated", async () => {
  const fixed = await createTestAuth({ settings: { rotateRefreshTokens: false } });
  const { refresh } = await fixed.logIn();
  const response = await fixed.send("POST", "/api/token/refresh/", { body: { refresh } });
  expect(Object.keys((await response.json()) as object)).toEqual(["access"]);
  await fixed.close();
});

it("answers with a refresh token, and accepts the older ones too, if rotation is observed", async () => {
  const observed = await createTestAuth({ settings: { rotateRefreshTokens: "observe" } });
  const { refresh } = await observed.logIn();
  observed.clock.advance(1_800);
  const tokens = [refresh];
  for (let n = 0; n < 3; n++) {
    const response = await observed.send("POST", "/api/token/refresh/", { body: { refresh: tokens[n % 2] } });
    expect(response.status).toBe(200);
    tokens.push(((await response.json()) as { refresh: string }).refresh);
  }
  expect(tokens[1]).not.toBe(refresh);
  await observed.close();
});

it.each(["", "short", "a".repeat(21), "a".repeat(129), `${"a".repeat(30)}!`, "a".repeat(22).concat(", b")])(
  "answers 400 to the malformed idempotency key %j",
  async (idempotencyKey) => {
    const { refresh } = await t.logIn();
    const body = { detail: "Idempotency-Key is not valid.", code: "bad_idempotency_key" };
    const response = await refreshWith(refresh, { "Idempotency-Key": idempotencyKey });
    await expectRefusal(response, { status: 400, body, challenge: null });
  },
);

it("answers 401 to a spent refresh token after the reuse interval, and revokes its session", async () => {
  const { refresh } = await t.logIn();
  const next = (await (await refreshWith(refresh)).json()) as Pair;
  t.clock.advance(60);
  const refusal = { status: 401, body: blacklisted, challenge: tokenChallenge };
  await expectRefusal(await refreshWith(refresh), refusal);
  await expectRefusal(await refreshWith(next.refresh), refusal);
});

it.each([
  ["was deleted", deleteUser, { detail: "No active account found for the given token.", code: "no_active_account" }],
  ["was disabled", disableUser, { detail: "No active account found for the given token.", code: "no_active_account" }],
  [
    "got a new password",
    (deps: TestAuth["deps"], id: string) => setPassword(deps, id, "another password"),
    { detail: "The user's password has been changed.", code: "password_changed" },
  ],
] as const)("answers 401 to a refresh token of a user who %s", async (_, change, body) => {
  const { refresh } = await t.logIn();
  await change(t.deps, t.user.id);
  await expectRefusal(await refreshWith(refresh), { status: 401, body, challenge: tokenChallenge });
});
