import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openBrowser, type TestBrowser } from "./chromium.ts";
import { callApi, changePassword, deviceRow, logInAnew, logOut, openTab, seeAccount, seeLoginForm } from "./person.ts";
import { openSite, type Site } from "./site.ts";
import { withoutLocksAndChannel } from "./without-locks.ts";

const access = 5;

describe("one user's tabs and devices", { timeout: 90_000 }, () => {
  let site: Site;
  let browser: TestBrowser;
  let device: BrowserContext;
  let user: string;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite({ access, reuseInterval: 3 }), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });
  beforeEach(async () => {
    [device, user] = await Promise.all([browser.device(), site.newUser()]);
  });
  afterEach(() => device.close());

  /** Five tabs, of which the first has logged in. */
  async function openFiveTabs(): Promise<readonly Page[]> {
    const first = await logInAnew(device, site, user);
    const others = await Promise.all([1, 2, 3, 4].map(() => openTab(device, site)));
    await Promise.all(others.map((tab) => seeAccount(tab, user)));
    return [first, ...others];
  }

  /** Lets the access token expire under all tabs, and calls the API from all at once; the answers. */
  async function callAfterSleep(tabs: readonly Page[]): Promise<readonly string[]> {
    await browser.sleep(access * 1000 + 500);
    return Promise.all(tabs.map(callApi));
  }

  const fiveAnswers = Array.from({ length: 5 }, () => "200 OK");

  it("five tabs that wake with an expired token get five answers with at most two refreshes, and stay one session", async () => {
    const tabs = await openFiveTabs();
    const sessions = await site.sessionsOf(user);
    const earlier = site.refreshesOf(user).length;
    expect(await callAfterSleep(tabs)).toEqual(fiveAnswers);
    const refreshes = site.refreshesOf(user).length - earlier;
    expect(refreshes).toBeGreaterThanOrEqual(1);
    expect(refreshes).toBeLessThanOrEqual(2);
    await Promise.all(tabs.map((tab) => seeAccount(tab, user)));
    expect(sessions).toHaveLength(1);
    expect((await site.sessionsOf(user)).map(({ id }) => id)).toEqual(sessions.map(({ id }) => id));
  });

  it("five tabs without Web Locks and BroadcastChannel log nobody out", async () => {
    await device.addInitScript(withoutLocksAndChannel);
    const tabs = await openFiveTabs();
    const found = await tabs[0]?.evaluate(() => [navigator.locks, "BroadcastChannel" in window]);
    expect(found).toEqual([undefined, false]);
    for (let time = 0; time < 2; time++) expect(await callAfterSleep(tabs)).toEqual(fiveAnswers);
    await Promise.all(tabs.map((tab) => seeAccount(tab, user)));
    expect(site.refreshesOf(user).filter((outcome) => !["rotated", "replayed"].includes(outcome))).toEqual([]);
    expect(await site.sessionsOf(user)).toHaveLength(1);
  });

  it("all tabs are anonymous within a second after a logout in one", async () => {
    const [first, ...others] = await openFiveTabs();
    const endings = others.map((tab) => tab.evaluate(waitForLoginForm));
    const pressedAt = Date.now();
    await logOut(first as Page);
    const delays = (await Promise.all(endings)).map((endedAt) => endedAt - pressedAt);
    expect(Math.max(...delays)).toBeLessThan(1000);
    expect(await Promise.all(others.map(seeLoginForm))).toEqual(others.map(() => "You are logged out."));
    expect(await site.sessionsOf(user)).toEqual([]);
  });

  it("a login in one tab is one in all", async () => {
    const tabs = [await openTab(device, site), await openTab(device, site)];
    await Promise.all(tabs.map(seeLoginForm));
    await logInAnew(device, site, user);
    await Promise.all(tabs.map((tab) => seeAccount(tab, user)));
    expect(await Promise.all(tabs.map(callApi))).toEqual(["200 OK", "200 OK"]);
  });

  it("a session that is ended from another device is anonymous at its next request, and says why", async () => {
    const other = await logInAnew(device, site, user);
    const elsewhere = await browser.device();
    const mine = await logInAnew(elsewhere, site, user);
    await deviceRow(mine, /^(?!.*This device)/)
      .getByRole("button", { name: /^Log out/ })
      .click();
    await mine.getByText(/is logged out\.$/).waitFor();
    expect(await callApi(other)).toBe("logged out");
    expect(await seeLoginForm(other)).toBe("This device was logged out from elsewhere.");
    expect(await callApi(mine)).toBe("200 OK");
    expect(await site.sessionsOf(user)).toHaveLength(1);
    await elsewhere.close();
  });

  it("a password that is changed on another device ends this one's session, and says so", async () => {
    const other = await logInAnew(device, site, user);
    const elsewhere = await browser.device();
    const mine = await logInAnew(elsewhere, site, user);
    await changePassword(mine);
    expect(await callApi(other)).toBe("logged out");
    expect(await seeLoginForm(other)).toBe("The password was changed, so this device was logged out.");
    expect(await callApi(mine)).toBe("200 OK");
    await elsewhere.close();
  });
});

/** Runs in the page: when the login form appeared. */
function waitForLoginForm(): Promise<number> {
  return new Promise((resolve) => {
    const look = () => document.querySelector("h1")?.textContent === "Log in" && resolve(Date.now());
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
    look();
  });
}
