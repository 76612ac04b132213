import { afterEach, beforeEach, expect, it } from "vitest";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";

let t: TestAuth;
beforeEach(async () => {
  // They are all one account's: throttling, which would refuse most of them, is another matter.
  const settings = {
    accountFailuresBeforeDelay: 0,
    passwordHashConcurrency: 1,
    passwordQueueLimit: 2,
    passwordMemoryCost: 19_456,
  };
  t = await createTestAuth({ settings });
});
afterEach(() => t.close());

it("more logins at once than may wait are answered 503 with Retry-After, and access tokens as ever", async () => {
  const { access } = await t.logIn();
  const logins = Array.from({ length: 30 }, () => t.send("POST", "/api/token/", { body: alice }));
  const me = await t.send("GET", "/api/auth/me/", { headers: { Authorization: `Bearer ${access}` } });
  expect(me.status).toBe(200);
  const answers = await Promise.all(logins);
  const refused = answers.filter(({ status }) => status === 503);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(30 - refused.length);
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(3);
  expect(refused.length).toBeGreaterThan(0);
  expect(t.passwords.load()).toEqual({ inFlight: 0, waiting: 0, rejected: refused.length });
  for (const response of refused) {
    expect(response.headers.get("Retry-After")).toBe("1");
    expect(await response.json()).toEqual({ detail: "Service temporarily unavailable.", code: "unavailable" });
  }
  expect(t.errors).toEqual([]);
});
