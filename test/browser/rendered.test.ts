import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { browserName, openBrowser } from "./browsers.ts";
import type { Device, Tab, TestBrowser } from "./device.ts";
import { type Network, openNetwork } from "./network.ts";
import { apps, expire, logInByForm, openRenderedSite, type RenderedSite, seeNotes } from "./rendered-site.ts";
import { until } from "./until.ts";

const refreshPath = "/api/auth/refresh/";

/** How long a page waits for the refresh of another one, in milliseconds. */
const lockTimeout = 2_000;

const hrefOf = (tab: Tab) => tab.evaluate(() => location.href);

describe.each(apps)("pages that %s renders", (app) => {
  let site: RenderedSite;
  let network: Network;
  let browser: TestBrowser;
  let device: Device;
  let user: string;
  let tab: Tab;
  let origin: string;
  let faults: string[];

  beforeAll(async () => {
    [site, browser] = await Promise.all([openRenderedSite(app, { reuseInterval: 1 }), openBrowser()]);
    network = await openNetwork(site);
    origin = network.origin;
  });
  afterAll(async () => {
    await browser.close();
    await network.close();
    await site.close();
  });
  beforeEach(async () => {
    [device, user] = await Promise.all([browser.device(), site.newUser()]);
    faults = [];
    device.on?.("console", (message) => {
      const isFrame = message.text().startsWith("Framing");
      if (!isFrame && /Security|Trusted|policy/i.test(message.text())) faults.push(message.text());
    });
    tab = await logInByForm(device, origin, user);
  });
  afterEach(async () => {
    site.fail(false);
    network.repair();
    await device.close();
    expect(faults).toEqual([]);
  });

  it("shows the page at the same address after one refresh if the access token has expired", async () => {
    await expire(device, origin);
    const since = site.answered.length;
    const length = await tab.evaluate(() => history.length);
    await tab.goto(`${origin}/notes?page=2#last`);
    await seeNotes(tab);
    expect(await hrefOf(tab)).toBe(`${origin}/notes?page=2#last`);
    expect(await tab.evaluate(() => history.length)).toBe(length + 1);
    expect(site.answered.slice(since).map(({ path, status }) => `${status} ${path}`)).toEqual([
      "401 /notes?page=2",
      `200 ${refreshPath}`,
      "200 /notes?page=2",
    ]);
    expect(site.refreshesOf(user)).toEqual(["rotated"]);
  });

  it("refreshes once for five tabs that open at the same time", async () => {
    await expire(device, origin);
    const tabs = await Promise.all(Array.from({ length: 5 }, () => device.newPage()));
    const startedAt = Date.now();
    await Promise.all(tabs.map((other) => other.goto(`${origin}/notes`)));
    await Promise.all(tabs.map(seeNotes));
    const isQuick = Date.now() - startedAt < lockTimeout;
    const [first, ...others] = site.refreshesOf(user);
    expect(first).toBe("rotated");
    // A page that waits too long for another one repeats its refresh, with the same key.
    expect(isQuick ? others : others.filter((outcome) => outcome !== "replayed")).toEqual([]);
  });

  it("keeps the session if the response to a refresh was lost, and the grace period has passed", async () => {
    await expire(device, origin);
    network.drop(refreshPath);
    const first = await device.newPage();
    await first.goto(`${origin}/notes`);
    await until(() => site.refreshesOf(user).length === 1);
    await first.close();
    await sleep(1500);
    network.repair();
    await tab.goto(`${origin}/notes`);
    await seeNotes(tab);
    const outcomes = site.refreshesOf(user);
    expect(outcomes[0]).toBe("rotated");
    expect(new Set(outcomes.slice(1))).toEqual(new Set(["replayed"]));
    expect(await site.sessionsOf(user)).toHaveLength(1);
  });

  it("never answers a prefetch, a prerender or a frame with the page or the login form", async () => {
    await expire(device, origin);
    const since = site.answered.length;
    await tab.goto(`${origin}/test/prefetch`);
    const others = () => site.answered.slice(since).filter(({ path }) => path.startsWith("/notes?by="));
    await until(() => others().some(({ path }) => path === "/notes?by=frame"));
    // Firefox and WebKit may not prefetch at all; Chromium does both.
    if (browserName === "chromium") await until(() => others().some(({ path }) => path === "/notes?by=link"));
    expect(new Set(others().map(({ status }) => status))).toEqual(new Set([401]));
    expect(site.refreshesOf(user)).toEqual([]);
    await tab.goto(`${origin}/notes?by=link`);
    await seeNotes(tab);
  });

  it("follows a link from another site", async () => {
    await expire(device, origin);
    const other = await device.newPage();
    await other.goto(`http://127.0.0.1:${site.port}/test/link`);
    await other.evaluate(
      (href) => document.querySelector("a")?.setAttribute("href", href),
      `${origin}/notes?from=other`,
    );
    await other.locator("a").click();
    await seeNotes(other);
    expect(await hrefOf(other)).toBe(`${origin}/notes?from=other`);
  });

  it("leaves no entry in the history, so that going back and forward works", async () => {
    await tab.goto(`${origin}/test/blank`);
    await expire(device, origin);
    await tab.goto(`${origin}/notes?page=3`);
    await seeNotes(tab);
    await tab.goBack();
    expect(await hrefOf(tab)).toBe(`${origin}/test/blank`);
    await expire(device, origin);
    await tab.evaluate(() => history.forward());
    await seeNotes(tab);
    expect(await hrefOf(tab)).toBe(`${origin}/notes?page=3`);
  });

  it("leads to the login page once if the session has ended, with the page as next", async () => {
    await site.revokeSessions(user);
    await expire(device, origin);
    const since = site.answered.length;
    await tab.goto(`${origin}/notes?page=4#last`);
    await tab.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
    expect(await hrefOf(tab)).toBe(`${origin}/login?next=${encodeURIComponent("/notes?page=4#last")}`);
    expect(site.answered.slice(since).map(({ path, status }) => `${status} ${path.split("?")[0]}`)).toEqual([
      "401 /notes",
      `401 ${refreshPath}`,
      "200 /login",
    ]);
    // Without cookies, the server redirects.
    await tab.goto(`${origin}/notes`);
    expect(await hrefOf(tab)).toBe(`${origin}/login?next=%2Fnotes`);
  });

  it("tries again while the server answers 503, and keeps the cookies", async () => {
    await expire(device, origin);
    const refused = () => site.answered.filter(({ path, status }) => path === refreshPath && status === 503).length;
    site.fail(true);
    await tab.goto(`${origin}/notes`);
    await tab.getByRole("status").filter({ hasText: "Trying again" }).waitFor();
    await until(() => refused() >= 2);
    expect((await device.cookies(`${origin}${refreshPath}`)).map(({ name }) => name.replace(/^__\w+-/, ""))).toEqual(
      expect.arrayContaining(["refresh", "csrftoken"]),
    );
    site.fail(false);
    await seeNotes(tab);
    expect(await site.sessionsOf(user)).toHaveLength(1);
  });

  it("asks to send a form again if the access token had expired", async () => {
    await expire(device, origin);
    await tab.getByLabel("Note").fill("buy milk");
    await tab.getByRole("button", { name: "Add" }).click();
    await tab.getByRole("status").filter({ hasText: "the form was not sent" }).waitFor();
    expect(site.refreshesOf(user)).toEqual(["rotated"]);
    await tab.locator("a").last().click();
    await seeNotes(tab);
    await tab.getByLabel("Note").fill("buy milk");
    await tab.getByRole("button", { name: "Add" }).click();
    await tab.getByRole("listitem").filter({ hasText: "buy milk" }).waitFor();
    expect(site.answered.filter(({ method, path }) => method === "POST" && path === "/notes").slice(-2)).toMatchObject([
      { status: 401 },
      { status: 303 },
    ]);
  });

  it("stops after three reloads if the browser doesn't keep the access cookie", async () => {
    await expire(device, origin);
    // What the page of an access cookie that is never accepted goes through.
    const since = site.answered.length;
    await tab.goto(`${origin}/test/never`);
    await tab.getByRole("status").filter({ hasText: "could not be logged in automatically" }).waitFor();
    expect(site.answered.slice(since).filter(({ path }) => path === "/test/never")).toHaveLength(4);
    // The next page works.
    await tab.goto(`${origin}/notes`);
    await seeNotes(tab);
  });

  it("needs one more round trip at most for each of 50 navigations, and one refresh for each expiry", async () => {
    for (let page = 0; page < 50; page++) {
      if (page % 5 === 0) await expire(device, origin);
      const since = site.answered.length;
      await tab.goto(`${origin}/notes?page=${page}`);
      await seeNotes(tab);
      const loads = site.answered.slice(since).filter(({ path }) => path === `/notes?page=${page}`);
      expect(loads.map(({ status }) => status)).toEqual(page % 5 === 0 ? [401, 200] : [200]);
    }
    expect(site.refreshesOf(user)).toEqual(Array(10).fill("rotated"));
    expect(await site.sessionsOf(user)).toHaveLength(1);
  });

  it.each(["//evil.example/", "/%2Fevil.example", "/%5Cevil.example"])(
    "never names another site as the page after the login: %s",
    async (path) => {
      await site.revokeSessions(user);
      await expire(device, origin);
      await tab.goto(`${origin}${path}`);
      await tab.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
      expect(new URL(await hrefOf(tab)).search).toBe("");
    },
  );
});
