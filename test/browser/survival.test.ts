import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, openProfile, type TestBrowser } from "./chromium.ts";
import { type Network, openNetwork } from "./network.ts";
import { bannerOf, callApi, logInAnew, logOut, openTab, seeAccount, seeLoginForm } from "./person.ts";
import { type Lifetimes, openSite, type Site } from "./site.ts";
import { until } from "./until.ts";
import { withoutLocksAndChannel } from "./without-locks.ts";

// Most of the time here is waiting for something to expire, so all of it runs side by side.

describe.concurrent("a browser that is closed and opened again", { timeout: 90_000 }, () => {
  const [access, refresh] = [3, 15];
  let site: Site;

  beforeAll(async () => {
    site = await openSite({ access, refresh });
  });
  afterAll(() => site.close());

  /** For a new user: one browser process after the other, on one new profile directory. */
  async function withProfile(run: (open: () => Promise<BrowserContext>, user: string) => Promise<void>): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), "tokenpair-profile-"));
    let current: BrowserContext | undefined;
    try {
      await run(
        async () => {
          await current?.close();
          current = await openProfile(directory);
          return current;
        },
        await site.newUser(),
      );
    } finally {
      await current?.close();
      rmSync(directory, { recursive: true, force: true });
    }
  }

  it("is still logged in after the access token has expired, without a password", () =>
    withProfile(async (open, user) => {
      const before = await open();
      await logInAnew(before, site, user);
      await before.close();
      await sleep(access * 1000 + 500);

      const after = await open();
      expect((await after.cookies(site.origin)).map(({ name }) => name)).not.toContain("__Host-Http-access");
      const page = await openTab(after, site);
      await seeAccount(page, user);
      expect(await callApi(page)).toBe("200 OK");
    }));

  it("shows the login form after the refresh token has expired, and says why", () =>
    withProfile(async (open, user) => {
      const before = await open();
      await logInAnew(before, site, user);
      await before.close();
      await sleep(refresh * 1000 + 500);

      const page = await openTab(await open(), site);
      expect(await seeLoginForm(page)).toMatch(/^You were away for long/);
      const left = await page.context().cookies(`${site.origin}/api/auth`);
      expect(left.map(({ name }) => name).sort()).toEqual(["__Host-csrftoken", "__Secure-device"]);
    }));

  it("shows the login form where the user did not want to stay logged in", () =>
    withProfile(async (open, user) => {
      const before = await open();
      const first = await logInAnew(before, site, user, { remember: false });
      await first.reload();
      await seeAccount(first, user);
      expect((await before.cookies(`${site.origin}/api/auth`)).map(({ expires }) => expires)).toEqual([-1, -1, -1, -1]);

      const after = await open();
      expect(await after.cookies(`${site.origin}/api/auth`)).toEqual([]);
      await seeLoginForm(await openTab(after, site));
    }));

  it("is the same session each time it is opened", () =>
    withProfile(async (open, user) => {
      await logInAnew(await open(), site, user);
      for (let time = 0; time < 2; time++) await seeAccount(await openTab(await open(), site), user);
      expect(await site.sessionsOf(user)).toHaveLength(1);
    }));
});

const refreshPath = "/api/auth/refresh/";

interface Scene {
  readonly device: BrowserContext;
  readonly network: Network;
  readonly user: string;
}

describe.concurrent("a session whose connection fails", { timeout: 90_000 }, () => {
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

  /** A device, a user and a network of the test's own. */
  async function play(run: (scene: Scene) => Promise<void>): Promise<void> {
    const [device, network, user] = await Promise.all([browser.device(), openNetwork(site), site.newUser()]);
    try {
      await run({ device, network, user });
    } finally {
      await device.close();
      await network.close();
    }
  }

  /** As `play`, at a server of the test's own. */
  async function playAt(
    lifetimes: Lifetimes,
    run: (scene: Pick<Scene, "device" | "user"> & { readonly own: Site }) => Promise<void>,
  ): Promise<void> {
    const [device, own] = await Promise.all([browser.device(), openSite(lifetimes)]);
    try {
      await run({ device, own, user: await own.newUser() });
    } finally {
      await device.close();
      await own.close();
    }
  }

  /** Lets the answers to refreshes get lost until the first of them is older than the reuse interval. */
  async function loseRefreshes({ network, user }: Scene): Promise<void> {
    network.lose(refreshPath);
    await until(() => site.refreshesOf(user).includes("rotated"));
    await sleep((reuseInterval + 1) * 1000);
  }

  it("survives the loss of the answer to a refresh, repeated after the reuse interval", () =>
    play(async (scene) => {
      const { device, network, user } = scene;
      const page = await logInAnew(device, network, user);
      await loseRefreshes(scene);
      await bannerOf(page).filter({ hasText: "You stay logged in" }).waitFor();
      network.repair();
      await seeNoTrouble(page);
      expect(new Set(site.refreshesOf(user).slice(1))).toEqual(new Set(["replayed"]));
      expect(await callApi(page)).toBe("200 OK");
      expect(await site.sessionsOf(user)).toHaveLength(1);
    }));

  it("survives the loss of the answer together with the tab that asked", () =>
    play(async (scene) => {
      const { device, network, user } = scene;
      const page = await logInAnew(device, network, user);
      await loseRefreshes(scene);
      await page.close();
      const lost = site.refreshesOf(user).length;
      network.repair();
      const next = await openTab(device, network);
      await seeAccount(next, user);
      expect(site.refreshesOf(user)[lost]).toBe("replayed");
      expect(await callApi(next)).toBe("200 OK");
    }));

  /** Two tabs that refresh at the same time, each for itself. */
  async function openTwoTabs({ device, network, user }: Scene): Promise<readonly [Page, Page]> {
    await device.addInitScript(withoutLocksAndChannel);
    const tabs = [await logInAnew(device, network, user), await openTab(device, network)] as const;
    await seeAccount(tabs[1], user);
    return tabs;
  }

  const countRotations = (user: string) => site.refreshesOf(user).filter((outcome) => outcome === "rotated").length;

  it.each([
    ["to a repetition of the same refresh", 0],
    ["to the refresh after it, by more than the reuse interval", 1],
  ])("survives an answer that arrives after the answer %s", (_, overtaking) =>
    play(async (scene) => {
      const { network, user } = scene;
      const tabs = await openTwoTabs(scene);
      const [rotations, delivered] = [countRotations(user) + 1, network.delivered(refreshPath)];
      const release = await network.hold(refreshPath);
      await until(() => countRotations(user) >= rotations + overtaking);
      await until(() => network.delivered(refreshPath) > delivered + overtaking);
      if (overtaking > 0) await sleep((reuseInterval + 1) * 1000);
      release();
      expect(await Promise.all(tabs.map(callApi))).toEqual(["200 OK", "200 OK"]);
      await until(() => countRotations(user) >= rotations + overtaking + 2);
      expect(await Promise.all(tabs.map(callApi))).toEqual(["200 OK", "200 OK"]);
      expect(site.refreshesOf(user).filter((outcome) => !["rotated", "replayed"].includes(outcome))).toEqual([]);
    }),
  );

  it("recovers by itself when the server was killed and is started again under an open page", () =>
    playAt({ access, reuseInterval }, async ({ device, own, user }) => {
      const page = await logInAnew(device, own, user);
      await own.kill();
      await bannerOf(page).filter({ hasText: "You stay logged in" }).waitFor();
      await until(async () => (await page.locator(".figure").first().textContent()) === "0:00");
      await own.restart();
      await seeNoTrouble(page);
      await until(async () => (await page.locator(".figure").first().textContent()) !== "0:00");
      expect(await callApi(page)).toBe("200 OK");
      expect(await own.sessionsOf(user)).toHaveLength(1);
    }));

  it("says that it is offline, and refreshes when it is online again", () =>
    play(async ({ device, user }) => {
      const page = await logInAnew(device, site, user);
      await device.setOffline(true);
      await bannerOf(page).filter({ hasText: "No connection" }).waitFor();
      expect(await callApi(page)).toBe("No answer");
      await sleep(access * 1000 + 500);
      await seeAccount(page, user);
      await device.setOffline(false);
      await seeNoTrouble(page);
      expect(await callApi(page)).toBe("200 OK");
    }));

  it("goes on after back and forward, past expiry", () =>
    play(async ({ device, user }) => {
      const page = await logInAnew(device, site, user);
      await page.goto(`${site.origin}/api/schema/`);
      await sleep(access * 1000 + 500);
      await page.goBack();
      await seeAccount(page, user);
      expect(await callApi(page)).toBe("200 OK");
      await page.goForward();
      await page.goBack();
      await seeAccount(page, user);
    }));

  it("shows nothing of the account on the way back to it after a logout", () =>
    play(async ({ device, user }) => {
      const page = await logInAnew(device, site, user);
      const other = await openTab(device, site);
      await page.goto(`${site.origin}/api/schema/`);
      await logOut(other);
      await page.goBack();
      expect(await seeLoginForm(page)).toBe("");
    }));

  // The headless shell keeps no page in a back/forward cache, so the page is told what it would hear there. Its timers
  // go on, which they would not there; with a long life they have nothing to do.
  it("learns of a logout when it comes out of the back/forward cache", () =>
    playAt({ access: 600 }, async ({ device, own, user }) => {
      const page = await logInAnew(device, own, user);
      const other = await openTab(device, own);
      await tell(page, "pagehide");
      await logOut(other);
      await seeAccount(page, user);
      await tell(page, "pageshow");
      expect(await seeLoginForm(page)).toBe("You are logged out.");
    }));
});

/** Waits until the page has nothing to say about the connection. */
async function seeNoTrouble(page: Page): Promise<void> {
  await until(async () => (await bannerOf(page).textContent()) === "");
}

async function tell(page: Page, event: "pagehide" | "pageshow"): Promise<void> {
  await page.evaluate((type) => window.dispatchEvent(new PageTransitionEvent(type, { persisted: true })), event);
}
