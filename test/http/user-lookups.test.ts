import { afterEach, expect, it } from "vitest";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { createTestAuth, type TestAuth } from "../support/auth.ts";
import { createBrowser } from "../support/browser.ts";

let t: TestAuth;
afterEach(() => t.close());

const ada: AuthUser = { id: "7", username: "ada", isActive: true };

/** Logs in a user of the application's own table. `countFinds` returns how often the application was asked for the user. */
async function startWith(settings: Partial<Settings<AuthUser>>) {
  let finds = 0;
  const users = {
    verifyCredentials: async () => ada,
    findUser: async () => {
      finds += 1;
      return ada;
    },
  };
  t = await createTestAuth({ settings: { ...users, ...settings } });
  const browser = createBrowser(t);
  await browser.logIn();
  return { browser, countFinds: () => finds };
}

it.each<[string, Partial<Settings<AuthUser>>]>([
  ["users of the application", {}],
  ["a claims hook", { claims: () => ({ role: "admin" }) }],
  ["claims and refresh tokens that aren't rotated", { claims: () => ({ role: "admin" }), rotateRefreshTokens: false }],
])("a refresh by cookie looks the user up once with %s", async (_, settings) => {
  const { browser, countFinds } = await startWith(settings);
  const before = countFinds();
  const response = await browser.post("/api/auth/refresh/");
  expect(await response.json()).toMatchObject({ user: { id: "7", username: "ada" } });
  expect(countFinds() - before).toBe(1);
});

it.each<[string, Partial<Settings<AuthUser>>]>([
  ["", {}],
  [" with loadUser", { loadUser: true }],
])("GET me/ looks the user up once%s", async (_, settings) => {
  const { browser, countFinds } = await startWith(settings);
  const before = countFinds();
  expect(await (await browser.get("/api/auth/me/")).json()).toMatchObject({ id: "7", username: "ada" });
  expect(countFinds() - before).toBe(1);
});
