import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hasLongTests } from "../support/long-tests.ts";
import { openBrowser } from "./browsers.ts";
import type { Device, Tab, TestBrowser } from "./device.ts";
import {
  callApi,
  changePassword,
  deviceRow,
  logOut,
  openLoggedIn,
  openTab,
  seeAccount,
  seeLoginForm,
} from "./person.ts";
import { openSite, type Site } from "./site.ts";

// Long enough for all tabs to have their responses before the next refresh is due, on a busy machine too.
const access = 10;

/** How long a tab waits for the refresh of another one, in milliseconds. */
const lockTimeout = 2_000;

describe("the tabs and devices of one user", () => {
  let site: Site;
  let browser: TestBrowser;
  let device: Device;
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

  /** Opens five tabs, the first of which logs in. */
  async function openFiveTabs(at = site, username = user): Promise<readonly Tab[]> {
    const first = await openLoggedIn(device, at, username);
    const others = await Promise.all([1, 2, 3, 4].map(() => openTab(device, at)));
    await Promise.all(others.map((tab) => seeAccount(tab, username)));
    return [first, ...others];
  }

  /** Waits until the access token has expired, calls the API from all tabs at once, and returns the responses. */
  async function callAfterSleep(tabs: readonly Tab[]): Promise<readonly string[]> {
    await browser.sleep(access * 1000 + 500);
    return Promise.all(tabs.map(callApi));
  }

  /** Returns how many refreshes there are, and how many of them are no repetitions. */
  async function countRefreshes(): Promise<{ readonly all: number; readonly rotated: number }> {
    const outcomes = await site.refreshesOf(user);
    expect(outcomes.filter((outcome) => !["rotated", "replayed"].includes(outcome))).toEqual([]);
    return { all: outcomes.length, rotated: outcomes.filter((outcome) => outcome === "rotated").length };
  }

  const fiveResponses = Array.from({ length: 5 }, () => "200 OK");

  it("answers five tabs that wake up with an expired token, with at most two refreshes and one session", async () => {
    const tabs = await openFiveTabs();
    const sessions = await site.sessionsOf(user);
    const earlier = await countRefreshes();
    await browser.sleep(access * 1000 + 500);
    const awakeAt = Date.now();
    expect(await Promise.all(tabs.map(callApi))).toEqual(fiveResponses);
    const isQuick = Date.now() - awakeAt < lockTimeout;
    const later = await countRefreshes();
    // A tab that waits too long for another one repeats its refresh, with the same key.
    const count = isQuick ? later.all - earlier.all : later.rotated - earlier.rotated;
    expect(count).toBeGreaterThanOrEqual(1);
    expect(count).toBeLessThanOrEqual(2);
    await Promise.all(tabs.map((tab) => seeAccount(tab, user)));
    expect(sessions).toHaveLength(1);
    expect((await site.sessionsOf(user)).map(({ id }) => id)).toEqual(sessions.map(({ id }) => id));
  });

  it.runIf(hasLongTests)(
    "keeps the user logged in with five tabs that have neither Web Locks nor BroadcastChannel",
    async () => {
      await device.close();
      device = await browser.device({ lacksLocksAndChannel: true });
      const tabs = await openFiveTabs();
      const found = await tabs[0]?.evaluate(() => [Boolean(navigator.locks), "BroadcastChannel" in window]);
      expect(found).toEqual([false, false]);
      for (let time = 0; time < 2; time++) expect(await callAfterSleep(tabs)).toEqual(fiveResponses);
      await Promise.all(tabs.map((tab) => seeAccount(tab, user)));
      expect((await site.refreshesOf(user)).filter((outcome) => !["rotated", "replayed"].includes(outcome))).toEqual(
        [],
      );
      expect(await site.sessionsOf(user)).toHaveLength(1);
    },
  );

  it("shows the login form in all tabs after a logout in one, long before they would refresh", async () => {
    const own = await openSite({ access: 600 });
    const username = await own.newUser();
    const [first, ...others] = await openFiveTabs(own, username);
    await logOut(first as Tab);
    expect(await Promise.all(others.map(seeLoginForm))).toEqual(others.map(() => "You are logged out."));
    expect(await own.sessionsOf(username)).toEqual([]);
    await own.close();
  });

  it("shows the account in all tabs after a login in one", async () => {
    const tabs = [await openTab(device, site), await openTab(device, site)];
    await Promise.all(tabs.map(seeLoginForm));
    await openLoggedIn(device, site, user);
    await Promise.all(tabs.map((tab) => seeAccount(tab, user)));
    expect(await Promise.all(tabs.map(callApi))).toEqual(["200 OK", "200 OK"]);
  });

  it("shows the login form and the reason at the next request after another device has revoked the session", async () => {
    const other = await openLoggedIn(device, site, user);
    const elsewhere = await browser.device();
    const mine = await openLoggedIn(elsewhere, site, user);
    await deviceRow(mine, /^(?!.*This device)/)
      .getByRole("button", { name: /^Log out/ })
      .click();
    await mine.getByText(/was logged out\.$/).waitFor();
    expect(await callApi(other)).toBe("logged out");
    expect(await seeLoginForm(other)).toBe("This device was logged out remotely. Please log in again.");
    expect(await callApi(mine)).toBe("200 OK");
    expect(await site.sessionsOf(user)).toHaveLength(1);
    await elsewhere.close();
  });

  it("shows the login form and the reason after the password was changed on another device", async () => {
    const other = await openLoggedIn(device, site, user);
    const elsewhere = await browser.device();
    const mine = await openLoggedIn(elsewhere, site, user);
    await changePassword(mine);
    expect(await callApi(other)).toBe("logged out");
    expect(await seeLoginForm(other)).toBe("You were logged out because your password was changed.");
    expect(await callApi(mine)).toBe("200 OK");
    await elsewhere.close();
  });
});
