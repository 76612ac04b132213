import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, traits } from "./browsers.ts";
import type { TestBrowser } from "./device.ts";
import { openNetwork } from "./network.ts";
import { bannerOf, callApi, logIn, openLoggedIn, openTab, seeAccount, seeLoginForm } from "./person.ts";
import { documentPath, openSite, password, type Site } from "./site.ts";
import { until } from "./until.ts";

const replaced = "Another login in this browser has replaced yours.";

describe("a user in trouble", () => {
  let site: Site;
  let browser: TestBrowser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite({ access: 600 }), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  it("changes nobody else's password after another front end has logged another user in", async () => {
    // Only a visible page has a stream.
    const watched = await openBrowser({ hasWindows: true });
    const [device, alice, bob] = [await watched.device(), await site.newUser(), await site.newUser()];
    const network = await openNetwork(site);
    // The stream would say at once that the session was replaced. Here, the password is sent before that arrives.
    const stream = network.hold("/api/auth/session/events/");
    const page = await openLoggedIn(device, network, alice);
    const arrive = await stream;
    const other = await device.newPage();
    await other.goto(`${network.origin}${documentPath}`);
    await other.evaluate(logInByFetch, { username: bob, password });
    await page.getByLabel("Current password", { exact: true }).fill(password);
    await page.getByLabel("New password", { exact: true }).fill("another horse battery staple");
    await page.getByRole("button", { name: "Change password" }).click();
    await seeAccount(page, bob);
    expect(await page.locator(".notice").textContent()).toBe(replaced);
    arrive();
    await seeAccount(page, bob);
    await watched.close();
    await network.close();

    expect(await Promise.all([alice, bob].map(site.hasPassword))).toEqual([true, true]);
  });

  // While the second page is open, the first one may be hidden: then it has no stream until it is shown again.
  it("shows the other user, and forgets what was typed, when the stream says whose session there is now", async () => {
    // Only a visible page has a stream.
    const watched = await openBrowser({ hasWindows: true });
    const [device, alice, bob] = [await watched.device(), await site.newUser(), await site.newUser()];
    const page = await openLoggedIn(device, site, alice);
    await page.getByLabel("Current password", { exact: true }).fill(password);
    await page.getByLabel("New password", { exact: true }).fill("another horse battery staple");
    const other = await device.newPage();
    await other.goto(`${site.origin}${documentPath}`);
    await other.evaluate(logInByFetch, { username: bob, password });
    await page.bringToFront();
    await seeAccount(page, bob);
    expect(await page.locator(".notice").textContent()).toBe(replaced);
    const typed = await page.evaluate(() => [...document.querySelectorAll("input")].map(({ value }) => value));
    expect(typed.join("")).not.toContain("horse");
    await watched.close();
    expect(await Promise.all([alice, bob].map(site.hasPassword))).toEqual([true, true]);
  });

  it("shows the login form after another front end has logged the user out, and doesn't blame inactivity alone", async () => {
    const device = await browser.device();
    const page = await openLoggedIn(device, site, await site.newUser());
    const other = await device.newPage();
    await other.goto(`${site.origin}${documentPath}`);
    await other.evaluate(logOutByFetch);
    expect(await callApi(page)).toBe("logged out");
    expect(await seeLoginForm(page)).toMatch(/^You are no longer logged in, for example after/);
    await device.close();
  });

  it("says at the first click that the server is away, and at the next one that it is back", async () => {
    const own = await openSite({ access: 600 });
    const device = await browser.device();
    const page = await openLoggedIn(device, own, await own.newUser());
    await page.setViewportSize({ width: 1000, height: 500 });
    // The list of devices isn't loaded any more, so only the clicks send requests.
    await page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden" });
    });
    await own.kill();
    expect(await callApi(page)).toBe("No response");
    await bannerOf(page).filter({ hasText: "No connection to the server. You are still logged in." }).waitFor();
    expect(await page.getByRole("button", { name: "Change password" }).evaluateAll(isBelowBanner)).toBe(true);
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByText("Please enter your current password.").waitFor();
    await own.restart();
    expect(await callApi(page)).toBe("200 OK");
    await until(async () => (await bannerOf(page).textContent()) === "");
    await device.close();
    await own.close();
  });

  it("answers the first click after the server was away", async () => {
    const own = await openSite({ access: 4 });
    const device = await browser.device();
    const user = await own.newUser();
    const page = await openLoggedIn(device, own, user);
    await own.kill();
    await bannerOf(page).filter({ hasText: "You are still logged in" }).waitFor();
    // Long enough for the access token to expire and for several retries.
    await sleep(12_000);
    expect(await callApi(page)).toBe("No response");
    await own.restart();
    expect(await callApi(page)).toBe("200 OK");
    await seeAccount(page, user);
    await device.close();
    await own.close();
  });
});

it.skipIf(!traits.canBlockCookies)("tells a user whose browser blocks cookies to allow them", async () => {
  const [site, browser] = await Promise.all([openSite({ access: 600 }), openBrowser({ blocksCookies: true })]);
  const page = await openTab(await browser.device(), site);
  await seeLoginForm(page);
  logIn(page, await site.newUser()).catch(() => undefined);
  await page.getByText("Allow cookies, open the site in a tab of its own, or use https.").waitFor();
  await browser.close();
  await site.close();
});

/** Runs in the page. Scrolls to an element. Returns whether the banner doesn't cover it. */
function isBelowBanner([element]: readonly HTMLElement[]): boolean {
  element?.scrollIntoView({ block: "start", behavior: "instant" });
  const bottom = document.querySelector(".banner")?.getBoundingClientRect().bottom ?? Infinity;
  return element !== undefined && element.getBoundingClientRect().top >= bottom;
}

/** Runs in a page of the server's origin. Logs the user out without the client. */
async function logOutByFetch(): Promise<void> {
  const { csrf_token } = await (await fetch("/api/auth/csrf/")).json();
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf_token };
  const response = await fetch("/api/auth/logout/", { method: "POST", headers, body: "{}" });
  if (!response.ok) throw new Error(`logout: ${response.status}`);
}

/** Runs in a page of the server's origin. Logs a user in without the client, as another front end does. */
async function logInByFetch(credentials: { readonly username: string; readonly password: string }): Promise<void> {
  const { csrf_token } = await (await fetch("/api/auth/csrf/")).json();
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf_token };
  const response = await fetch("/api/auth/login/", { method: "POST", headers, body: JSON.stringify(credentials) });
  if (!response.ok) throw new Error(`login: ${response.status}`);
}
