import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, openProfile, traits } from "./browsers.ts";
import type { Device, DeviceCookie, DeviceOptions, Tab, TestBrowser } from "./device.ts";
import { type Network, openNetwork } from "./network.ts";
import { bannerOf, callApi, deviceRow, logOut, openLoggedIn, openTab, seeAccount, seeLoginForm } from "./person.ts";
import { documentPath, type Lifetimes, openSite, type Site, type SiteSettings } from "./site.ts";
import { until } from "./until.ts";

// Most of the time is spent waiting for something to expire, so the tests run concurrently.

describe.skipIf(!traits.hasProfiles).concurrent("a restart of the browser", () => {
  const access = 3;
  let site: Site;

  beforeAll(async () => {
    site = await openSite({ access });
  });
  afterAll(() => site.close());

  /** Runs a test with a new user and a new profile directory. `open` closes the browser process and starts the next. */
  async function withProfile(
    run: (open: () => Promise<Device>, user: string) => Promise<void>,
    at = site,
  ): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), "tokenpair-profile-"));
    let current: Device | undefined;
    try {
      await run(
        async () => {
          await current?.close();
          current = await openProfile(directory);
          return current;
        },
        await at.newUser(),
      );
    } finally {
      await current?.close();
      rmSync(directory, { recursive: true, force: true });
    }
  }

  it("keeps the user logged in after a restart of the browser, although the access token has expired", () =>
    withProfile(async (open, user) => {
      const before = await open();
      await openLoggedIn(before, site, user);
      await before.close();
      await sleep(access * 1000 + 500);

      const after = await open();
      expect(toLiveNames(await after.cookies(site.origin))).not.toContain("__Host-Http-access");
      const page = await openTab(after, site);
      await seeAccount(page, user);
      expect(await callApi(page)).toBe("200 OK");
    }));

  it("shows the login form and the reason if the browser is restarted after the refresh token has expired", async () => {
    const refresh = 6;
    const brief = await openSite({ access, refresh });
    await withProfile(async (open, user) => {
      const before = await open();
      await openLoggedIn(before, brief, user);
      await before.close();
      await sleep(refresh * 1000 + 500);

      const after = await open();
      const page = await openTab(after, brief);
      expect(await seeLoginForm(page)).toMatch(
        /^You are no longer logged in, for example after a period of inactivity/,
      );
      const left = await after.cookies(`${brief.origin}/api/auth`);
      expect(toLiveNames(left)).toEqual(["__Host-csrftoken", "__Secure-device"]);
    }, brief).finally(brief.close);
  });

  it("shows the login form after a restart of the browser if the user did not want to stay logged in", () =>
    withProfile(async (open, user) => {
      const before = await open();
      const first = await openLoggedIn(before, site, user, { remember: false });
      await first.reload();
      await seeAccount(first, user);
      expect((await before.cookies(`${site.origin}/api/auth`)).map(({ expires }) => expires)).toEqual([-1, -1, -1, -1]);

      const after = await open();
      expect(await after.cookies(`${site.origin}/api/auth`)).toEqual([]);
      await seeLoginForm(await openTab(after, site));
    }));

  it("keeps one session through several restarts of the browser", () =>
    withProfile(async (open, user) => {
      await openLoggedIn(await open(), site, user);
      for (let time = 0; time < 2; time++) await seeAccount(await openTab(await open(), site), user);
      expect(await site.sessionsOf(user)).toHaveLength(1);
    }));
});

/** Returns the names of the cookies that the browser would send. Firefox lists cookies that have expired, too. */
function toLiveNames(cookies: readonly DeviceCookie[]): readonly string[] {
  const live = cookies.filter(({ expires }) => expires === -1 || expires > Date.now() / 1000);
  return live.map(({ name }) => name).sort();
}

const refreshPath = "/api/auth/refresh/";

interface Scenario {
  readonly device: Device;
  readonly network: Network;
  readonly user: string;
}

describe.concurrent("a failing connection", () => {
  const [access, reuseInterval] = [4, 1];
  let site: Site;
  let browser: TestBrowser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite({ access, reuseInterval }), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  /** Runs a test with its own device, user and network. */
  async function runScenario(run: (scenario: Scenario) => Promise<void>, options?: DeviceOptions): Promise<void> {
    const [device, network, user] = await Promise.all([browser.device(options), openNetwork(site), site.newUser()]);
    try {
      await run({ device, network, user });
    } finally {
      await device.close();
      await network.close();
    }
  }

  /** Runs a test with its own device, user and server. */
  async function runAtOwnServer(
    lifetimes: Lifetimes & SiteSettings,
    run: (scenario: Scenario & { readonly own: Site }) => Promise<void>,
    options?: DeviceOptions,
  ): Promise<void> {
    const [device, own] = await Promise.all([browser.device(options), openSite(lifetimes)]);
    const network = await openNetwork(own);
    try {
      await run({ device, network, own, user: await own.newUser() });
    } finally {
      await device.close();
      await network.close();
      await own.close();
    }
  }

  /** Drops the responses to refreshes until the first of them is older than the reuse interval. */
  async function dropRefreshes({ network }: Scenario): Promise<void> {
    network.drop(refreshPath);
    await until(() => network.lost(refreshPath) > 0);
    await sleep((reuseInterval + 1) * 1000);
  }

  it("keeps the user logged in if the response to a refresh is lost and the retry comes after the reuse interval", () =>
    runScenario(async (scenario) => {
      const { device, network, user } = scenario;
      const page = await openLoggedIn(device, network, user);
      await dropRefreshes(scenario);
      await bannerOf(page).filter({ hasText: "You are still logged in" }).waitFor();
      network.repair();
      await seeNoProblem(page);
      // A client that never got the successor can't rotate it. On a slow machine, other rotations come before and after.
      const outcomes = await site.refreshesOf(user);
      expect(outcomes).toContain("replayed");
      expect(outcomes.filter((outcome) => !["rotated", "replayed"].includes(outcome))).toEqual([]);
      expect(await callApi(page)).toBe("200 OK");
      expect(await site.sessionsOf(user)).toHaveLength(1);
    }));

  it("keeps the user logged in if the response to a refresh is lost and its tab is closed", () =>
    runScenario(async (scenario) => {
      const { device, network, user } = scenario;
      const page = await openLoggedIn(device, network, user);
      await dropRefreshes(scenario);
      await page.close();
      const before = (await site.refreshesOf(user)).length;
      network.repair();
      const next = await openTab(device, network);
      await seeAccount(next, user);
      expect((await site.refreshesOf(user))[before]).toBe("replayed");
      expect(await callApi(next)).toBe("200 OK");
    }));

  /** Opens two tabs, which refresh independently if they have neither Web Locks nor BroadcastChannel, and only if told to. */
  async function openTwoTabs({ device, network, user }: Scenario): Promise<readonly [Tab, Tab]> {
    const tabs = [await openLoggedIn(device, network, user), await openTab(device, network)] as const;
    await seeAccount(tabs[1], user);
    for (const tab of tabs) {
      // Everything that the page loads by itself is there.
      await deviceRow(tab, "This device").first().waitFor();
      await tab.evaluate(stopTimers);
    }
    return tabs;
  }

  it.each([
    ["a repetition of the same refresh", ["rotated", "replayed"]],
    ["the next refresh, by more than the reuse interval", ["rotated", "replayed", "rotated"]],
  ])("keeps the user logged in if the response to a refresh arrives after the response to %s", (_, outcomes) =>
    runAtOwnServer(
      // Without streams, because a page that follows its session asks by itself whether it is over.
      { access: 600, reuseInterval: 0, maxSessionStreams: 0 },
      async ({ own, ...scenario }) => {
        const { device, network, user } = scenario;
        const [first, second] = await openTwoTabs(scenario);
        const earlier = (await own.refreshesOf(user)).length;
        const refreshes = async () => (await own.refreshesOf(user)).slice(earlier);

        // The next call of each tab is refused, so the tab refreshes.
        await own.revokeAccess(device);
        const arrived = network.hold(refreshPath);
        const late = callApi(first);
        const release = await arrived;
        expect(await callApi(second)).toBe("200 OK");
        if (outcomes.length > 2) {
          await own.revokeAccess(device);
          expect(await callApi(second)).toBe("200 OK");
          await sleep(1_500);
        }
        release();
        expect(await late).toBe("200 OK");
        await until(async () => (await refreshes()).length >= outcomes.length);
        expect(await refreshes()).toEqual(outcomes);

        await own.revokeAccess(device);
        expect(await Promise.all([first, second].map(callApi))).toEqual(["200 OK", "200 OK"]);
        await until(async () => (await refreshes()).length > outcomes.length);
        expect((await refreshes()).filter((outcome) => !["rotated", "replayed"].includes(outcome))).toEqual([]);
        expect(await own.sessionsOf(user)).toHaveLength(1);
      },
      { lacksLocksAndChannel: true },
    ),
  );

  it("recovers without a reload when the server is restarted after a crash", () =>
    runAtOwnServer({ access, reuseInterval }, async ({ device, own, user }) => {
      const page = await openLoggedIn(device, own, user);
      await own.kill();
      await bannerOf(page).filter({ hasText: "You are still logged in" }).waitFor();
      await until(async () => (await page.locator(".figure").first().textContent()) === "0:00");
      await own.restart();
      await seeNoProblem(page);
      await until(async () => (await page.locator(".figure").first().textContent()) !== "0:00");
      expect(await callApi(page)).toBe("200 OK");
      expect(await own.sessionsOf(user)).toHaveLength(1);
    }));

  it.skipIf(!traits.goesOffline)("shows that the browser is offline, and refreshes when it is online again", () =>
    runScenario(async ({ device, user }) => {
      const page = await openLoggedIn(device, site, user);
      await device.setOffline?.(true);
      await bannerOf(page).filter({ hasText: "No connection" }).waitFor();
      expect(await callApi(page)).toBe("No response");
      await sleep(access * 1000 + 500);
      await seeAccount(page, user);
      await device.setOffline?.(false);
      await seeNoProblem(page);
      expect(await callApi(page)).toBe("200 OK");
    }),
  );

  it("keeps the user logged in after back and forward, although the access token has expired", () =>
    runScenario(async ({ device, user }) => {
      const page = await openLoggedIn(device, site, user);
      await page.goto(`${site.origin}${documentPath}`);
      await sleep(access * 1000 + 500);
      await page.goBack();
      await seeAccount(page, user);
      expect(await callApi(page)).toBe("200 OK");
      await page.goto(`${site.origin}${documentPath}`);
      await page.goBack();
      await seeAccount(page, user);
    }));

  it("shows the login form, not the account, when the user navigates back after a logout", () =>
    runScenario(async ({ device, user }) => {
      const page = await openLoggedIn(device, site, user);
      const other = await openTab(device, site);
      await page.goto(`${site.origin}${documentPath}`);
      await logOut(other);
      await page.goBack();
      expect(await seeLoginForm(page)).toBe("");
    }));
});

/** Waits until the page shows no problem with the connection. */
async function seeNoProblem(page: Tab): Promise<void> {
  await until(async () => (await bannerOf(page).textContent()) === "");
}

/** Runs in the page. Stops its timers, and ignores new ones of a second or more, so that it does nothing by itself. */
function stopTimers(): void {
  const start = window.setTimeout.bind(window);
  const newest = start(() => {}, 0);
  for (let id = 1; id <= newest; id++) window.clearTimeout(id);
  const startShort = (run: () => void, delay = 0) => (delay < 1_000 ? start(run, delay) : 0);
  Object.assign(window, { setTimeout: startShort });
}
