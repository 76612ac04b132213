import { afterEach, describe, expect, it } from "vitest";
import type { Settings } from "../../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../../src/core/user.ts";
import { alice, createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { createBrowser } from "../../../support/browser.ts";
import { expectThrottled, guess, guessTimes, sendFrom } from "../../guesses.ts";

let auth: TestAuth;

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  auth = await createTestAuth({ settings });
}
afterEach(() => auth.close());

describe("a throttled login by cookie", () => {
  it("answers 429 to a throttled login by cookie, sets no cookie and keeps the session", async () => {
    await start();
    const browser = createBrowser({ send: sendFrom(auth, "192.0.2.1") });
    await browser.logIn();
    await guessTimes(5, () => sendFrom(auth, "192.0.2.1"));
    browser.deleteCookie("__Secure-device");
    const response = await browser.post("/api/auth/login/", alice);
    expect(response.headers.getSetCookie()).toEqual([]);
    await expectThrottled(response, 5);
    expect(await browser.isLoggedIn()).toBe(true);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
  });
});

describe("the device cookie", () => {
  /** Fails to log in so often, each time from another address. */
  const guessFromEverywhere = (times: number) => guessTimes(times, (n) => sendFrom(auth, `198.51.100.${n}`));

  it("accepts a login from a known device while the account is locked for all others", async () => {
    await start({ maxLoginFailures: 10 });
    const browser = createBrowser({ send: sendFrom(auth, "203.0.113.9") });
    await browser.logIn();
    await browser.post("/api/auth/logout/");
    expect(await guessFromEverywhere(10)).toEqual([...Array(9).fill(401), 429]);
    await expectThrottled(await guess(sendFrom(auth, "203.0.113.9"), alice), 86_400);
    await browser.logIn();
    expect(await browser.isLoggedIn()).toBe(true);
  });

  it("sets a new device cookie at every login, for the cookie endpoints only and hidden from scripts", async () => {
    await start();
    const browser = createBrowser(auth);
    await browser.logIn();
    const first = browser.cookie("__Secure-device");
    await browser.logIn();
    expect(browser.cookie("__Secure-device")).not.toBe(first);
    const { send } = createBrowser(auth);
    await send("GET", "/api/auth/csrf/");
    const setCookies = (await send("POST", "/api/auth/login/", { body: alice })).headers.getSetCookie();
    expect(setCookies.find((cookie) => cookie.startsWith("__Secure-device="))).toMatch(
      /^__Secure-device=[\w-]{80,200}; Max-Age=34560000; Path=\/api\/auth; Secure; HttpOnly; SameSite=Strict$/,
    );
  });

  it.each(["forged", "duplicate"])(
    "ignores a %s device cookie, so that the locked account stays locked",
    async (kind) => {
      await start({ maxLoginFailures: 10 });
      const browser = createBrowser({ send: sendFrom(auth, "203.0.113.9") });
      await browser.logIn();
      await guessFromEverywhere(9);
      const genuine = browser.cookie("__Secure-device") ?? "";
      const value = kind === "forged" ? `${genuine.slice(0, -8)}AAAAAAAA` : `x; __Secure-device=${genuine}`;
      browser.setCookie("__Secure-device", value);
      await expectThrottled(await browser.post("/api/auth/login/", alice), 86_400);
      browser.setCookie("__Secure-device", genuine);
      expect((await browser.post("/api/auth/login/", alice)).status).toBe(200);
    },
  );
});
