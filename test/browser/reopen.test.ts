import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openProfile } from "./chromium.ts";
import { callApi, logInAnew, openTab, seeAccount, seeLoginForm } from "./person.ts";
import { openSite, type Site } from "./site.ts";

const lifetimes = { access: 3, refresh: 15 };

describe.concurrent("a browser that is closed and opened again", { timeout: 90_000 }, () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite(lifetimes);
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
      await sleep(lifetimes.access * 1000 + 500);

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
      await sleep(lifetimes.refresh * 1000 + 500);

      const page = await openTab(await open(), site);
      expect(await seeLoginForm(page)).toMatch(/^You were away for long/);
      const left = await page.context().cookies(`${site.origin}/api/auth`);
      expect(left.map(({ name }) => name)).toEqual(["__Host-csrftoken"]);
    }));

  it("shows the login form where the user did not want to stay logged in", () =>
    withProfile(async (open, user) => {
      const before = await open();
      const first = await logInAnew(before, site, user, { remember: false });
      await first.reload();
      await seeAccount(first, user);
      expect((await before.cookies(`${site.origin}/api/auth`)).map(({ expires }) => expires)).toEqual([-1, -1, -1]);

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
