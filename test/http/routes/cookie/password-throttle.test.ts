import { afterEach, expect, it } from "vitest";
import type { Settings } from "../../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../../src/core/user.ts";
import { alice, createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { type Browser, createBrowser } from "../../../support/browser.ts";
import { expectThrottled, guessTimes, sendFrom } from "../../guesses.ts";

let auth: TestAuth;
let browser: Browser;

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  auth = await createTestAuth({ settings });
  browser = createBrowser({ send: sendFrom(auth, "203.0.113.9") });
  await browser.logIn();
}
afterEach(() => auth.close());

const change = (currentPassword: string) =>
  browser.post("/api/auth/password/", { current_password: currentPassword, new_password: "a much better battery" });

it("counts a wrong current password as a failed login of a known device, and then throttles the change", async () => {
  await start();
  for (let n = 0; n < 5; n++) expect((await change("wrong")).status).toBe(400);
  await expectThrottled(await change(alice.password), 5);
  expect(await browser.isLoggedIn()).toBe(true);
  auth.clock.advance(5);
  expect((await change(alice.password)).status).toBe(200);
});

it("allows ten wrong current passwords, and no more, while the account is locked for all others", async () => {
  await start({ maxLoginFailures: 100, accountFailuresBeforeDelay: 0, loginFailuresBeforeDelay: 0 });
  expect((await guessTimes(91, (n) => sendFrom(auth, `198.51.100.${n}`))).at(-1)).toBe(429);
  for (let n = 0; n < 10; n++) expect((await change("wrong")).status).toBe(400);
  expect((await change(alice.password)).status).toBe(429);
});
