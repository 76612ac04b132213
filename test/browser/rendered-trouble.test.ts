import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openBrowser } from "./browsers.ts";
import type { Device, TestBrowser } from "./device.ts";
import { expire, logInByForm, openRenderedSite, type RenderedSite, seeNotes } from "./rendered-site.ts";
import { until } from "./until.ts";

describe("the page that refreshes, in a browser that lacks something", () => {
  let site: RenderedSite;
  let browser: TestBrowser;
  let device: Device;
  let user: string;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openRenderedSite("express"), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });
  beforeEach(async () => {
    user = await site.newUser();
  });
  afterEach(() => device.close());

  const count = (since: number, status: number, path: string) =>
    site.answered.slice(since).filter((answer) => answer.status === status && answer.path === path).length;

  it("refreshes an access token that has really expired", async () => {
    const brief = await openRenderedSite("express", { accessTokenLifetime: 5 });
    onTestFinished(brief.close);
    const other = await brief.newUser();
    device = await browser.device();
    const tab = await logInByForm(device, brief.origin, other);
    await until(async () => {
      await tab.goto(`${brief.origin}/notes`);
      await seeNotes(tab);
      return brief.refreshesOf(other).length > 0;
    });
    expect(new Set(brief.refreshesOf(other))).toEqual(new Set(["rotated"]));
    expect(await brief.sessionsOf(other)).toHaveLength(1);
  });

  it("refreshes without Web Locks", async () => {
    device = await browser.device({ lacksLocksAndChannel: true });
    const tab = await logInByForm(device, site.origin, user);
    await expire(device, site.origin);
    await tab.goto(`${site.origin}/notes`);
    await seeNotes(tab);
    expect(site.refreshesOf(user)).toEqual(["rotated"]);
  });

  it("leads to the login page if the browser has lost the refresh cookie", async () => {
    device = await browser.device();
    const tab = await logInByForm(device, site.origin, user);
    await expire(device, site.origin);
    const lost = await device.newPage();
    await lost.goto(`${site.origin}/test/lose`);
    await lost.close();
    const since = site.answered.length;
    await tab.goto(`${site.origin}/notes`);
    await tab.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
    expect(count(since, 401, "/api/auth/refresh/")).toBe(3);
    expect(await tab.evaluate(() => location.search)).toBe("?next=%2Fnotes");
  });
});
