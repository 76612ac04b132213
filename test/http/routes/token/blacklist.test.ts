import { afterEach, beforeEach, expect, it } from "vitest";
import { createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { blacklisted, expectRefusal, tokenChallenge } from "../../refusals.ts";

let t: TestAuth;
beforeEach(async () => {
  t = await createTestAuth();
});
afterEach(() => t.close());

const post = (path: string, body: object) => t.send("POST", `/api/token/${path}/`, { body });

it("revokes the session of a refresh token and its access tokens", async () => {
  const { refresh, access } = await t.logIn();
  const response = await post("blacklist", { refresh });
  expect([response.status, await response.json()]).toEqual([200, {}]);
  const refusal = { status: 401, body: blacklisted, challenge: tokenChallenge };
  await expectRefusal(await post("verify", { token: access }), refusal);
  await expectRefusal(await post("refresh", { refresh }), refusal);
  await expectRefusal(await post("blacklist", { refresh }), refusal);
});

it("revokes a live session by a spent refresh token", async () => {
  const { refresh } = await t.logIn();
  await post("refresh", { refresh });
  expect((await post("blacklist", { refresh })).status).toBe(200);
});
