import { afterEach, beforeEach, expect, it } from "vitest";
import { alice, createTestAuth, type TestAuth } from "../../../support/auth.ts";

let t: TestAuth;
beforeEach(async () => {
  // All logins are for one account, so throttling would refuse most of them.
  const settings = {
    accountFailuresBeforeDelay: 0,
    passwordHashConcurrency: 1,
    passwordQueueLimit: 2,
    passwordMemoryCost: 19_456,
  };
  t = await createTestAuth({ settings });
});
afterEach(() => t.close());

it("answers 503 to more logins than the hash queue holds, and still accepts access tokens", async () => {
  const { access } = await t.logIn();
  const logins = Array.from({ length: 30 }, () => t.send("POST", "/api/token/", { body: alice }));
  const me = await t.send("GET", "/api/auth/me/", { headers: { Authorization: `Bearer ${access}` } });
  expect(me.status).toBe(200);
  const responses = await Promise.all(logins);
  const refused = responses.filter(({ status }) => status === 503);
  expect(responses.filter(({ status }) => status === 200)).toHaveLength(30 - refused.length);
  expect(responses.length - refused.length).toBeGreaterThanOrEqual(3);
  expect(refused.length).toBeGreaterThan(0);
  expect(t.passwords.load()).toEqual({ inFlight: 0, waiting: 0, rejected: refused.length });
  for (const response of refused) {
    expect(response.headers.get("Retry-After")).toBe("1");
    expect(await response.json()).toEqual({ detail: "Service temporarily unavailable.", code: "unavailable" });
  }
  expect(t.errors).toHaveLength(refused.length);
  expect(String(t.errors[0])).toBe("AuthError: unavailable: too many passwords are waiting to be hashed");
});
