import { afterEach, beforeEach, expect, it } from "vitest";
import { createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { blacklisted, expectRefusal, tokenChallenge } from "../../refusals.ts";

let t: TestAuth;
beforeEach(async () => {
  t = await createTestAuth();
});
afterEach(() => t.close());

const verify = (token: string) => t.send("POST", "/api/token/verify/", { body: { token } });

it("answers 200 to a valid access token and to a valid refresh token", async () => {
  for (const token of Object.values(await t.logIn())) {
    const response = await verify(token);
    expect([response.status, await response.json()]).toEqual([200, {}]);
  }
});

it("answers 401 to a refresh token that was rotated away, also within the reuse interval", async () => {
  const { refresh } = await t.logIn();
  await t.send("POST", "/api/token/refresh/", { body: { refresh } });
  await expectRefusal(await verify(refresh), { status: 401, body: blacklisted, challenge: tokenChallenge });
});
