/** The page that refreshes, offline, without storage and with other settings; and the script that refreshes before a form is sent. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { AuthOptions } from "../../src/index.ts";
import { openBrowser, traits } from "./browsers.ts";
import type { DeviceOptions, TestBrowser } from "./device.ts";
import { openNetwork } from "./network.ts";
import { expire, logInByForm, openRenderedSite, type RenderedSite, seeNotes } from "./rendered-site.ts";
import { until } from "./until.ts";

let closings: (() => Promise<void>)[] = [];
afterEach(async () => {
  const all = closings.toReversed();
  closings = [];
  for (const close of all) await close();
});

async function open(options: Partial<AuthOptions> = {}, more?: DeviceOptions) {
  const [site, browser]: [RenderedSite, TestBrowser] = await Promise.all([
    openRenderedSite("express", options),
    openBrowser(),
  ]);
  closings.push(site.close, browser.close);
  const [device, user] = await Promise.all([browser.device(more), site.newUser()]);
  return { site, device, user };
}

describe("the page that refreshes", () => {
  it.skipIf(!traits.goesOffline)("waits while the browser is offline, and continues when it isn't", async () => {
    const { site, device, user } = await open();
    const tab = await logInByForm(device, site.origin, user);
    await expire(device, site.origin);
    site.fail(true);
    await tab.goto(`${site.origin}/notes?page=2`);
    await tab.getByRole("status").filter({ hasText: "Trying again" }).waitFor();
    await device.setOffline?.(true);
    // A refresh that was on its way is refused by then.
    await sleep(1_000);
    site.fail(false);
    // It tries, and nothing arrives.
    const since = site.answered.length;
    await sleep(3_000);
    expect(site.answered.slice(since)).toEqual([]);
    expect(await tab.getByRole("status").isVisible()).toBe(true);
    await device.setOffline?.(false);
    await seeNotes(tab);
    expect(await tab.evaluate(() => location.search)).toBe("?page=2");
    expect(site.refreshesOf(user)).toEqual(["rotated"]);
    expect(await site.sessionsOf(user)).toHaveLength(1);
  });

  it.skipIf(!traits.goesOffline)("keeps the session if it goes offline while the response was lost", async () => {
    const { site, device, user } = await open({ reuseInterval: 1 });
    const network = await openNetwork(site);
    closings.push(network.close);
    const tab = await logInByForm(device, network.origin, user);
    await expire(device, network.origin);
    network.drop("/api/auth/refresh/");
    await tab.goto(`${network.origin}/notes`);
    await until(() => site.refreshesOf(user).length > 0);
    await device.setOffline?.(true);
    // Beyond the grace period.
    await sleep(2_500);
    network.repair();
    await device.setOffline?.(false);
    await seeNotes(tab);
    const [first, ...others] = site.refreshesOf(user);
    expect(first).toBe("rotated");
    expect(new Set(others)).toEqual(new Set(["replayed"]));
    expect(await site.sessionsOf(user)).toHaveLength(1);
  });

  it("refreshes once if localStorage is blocked", async () => {
    const { site, device, user } = await open({}, { lacksStorage: true });
    const tab = await logInByForm(device, site.origin, user);
    expect(await tab.evaluate(hasStorage)).toBe(false);
    await expire(device, site.origin);
    await tab.goto(`${site.origin}/notes`);
    await seeNotes(tab);
    expect(site.refreshesOf(user)).toEqual(["rotated"]);
  });

  it("refreshes once for three tabs if localStorage is blocked, or gets the same tokens", async () => {
    const { site, device, user } = await open({}, { lacksStorage: true });
    await logInByForm(device, site.origin, user);
    await expire(device, site.origin);
    const tabs = await Promise.all([1, 2, 3].map(() => device.newPage()));
    await Promise.all(tabs.map((tab) => tab.goto(`${site.origin}/notes`)));
    await Promise.all(tabs.map(seeNotes));
    const outcomes = site.refreshesOf(user);
    expect(outcomes.filter((outcome) => outcome === "rotated")).toHaveLength(1);
    expect(outcomes.filter((outcome) => !["rotated", "replayed"].includes(outcome))).toEqual([]);
    expect(await site.sessionsOf(user)).toHaveLength(1);
  });

  it.skipIf(!traits.keepsSecureCookies)("finds renamed cookies, and sends the renamed CSRF header", async () => {
    const { site, device, user } = await open({
      accessCookieName: "__Host-Http-note-access",
      refreshCookieName: "__Secure-note-refresh",
      csrfCookieName: "__Host-note-csrf",
      csrfHeaderName: "X-Note-CSRF",
    });
    const tab = await logInByForm(device, site.origin, user);
    const names = (await device.cookies(`${site.origin}/api/auth/`)).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["__Host-Http-note-access", "__Secure-note-refresh", "__Host-note-csrf"]),
    );
    await expire(device, site.origin);
    await tab.goto(`${site.origin}/notes`);
    await seeNotes(tab);
    expect(site.refreshesOf(user)).toEqual(["rotated"]);
  });

  it("calls a moved authPath, and leads to the login page if the session has ended", async () => {
    const { site, device, user } = await open({ authPath: "/konto/auth" });
    const tab = await logInByForm(device, site.origin, user);
    await expire(device, site.origin);
    const since = site.answered.length;
    await tab.goto(`${site.origin}/notes`);
    await seeNotes(tab);
    expect(site.answered.slice(since).map(({ status, path }) => `${status} ${path}`)).toEqual([
      "401 /notes",
      "200 /konto/auth/refresh/",
      "200 /notes",
    ]);
    await site.revokeSessions(user);
    await expire(device, site.origin);
    await tab.goto(`${site.origin}/notes`);
    await tab.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
    expect(await tab.evaluate(() => location.search)).toBe("?next=%2Fnotes");
  });
});

describe("the script that calls ensure() before a form is sent", () => {
  const accessTokenLifetime = 5;

  it("lets a form arrive although the access token has expired", async () => {
    const { site, device, user } = await open({ accessTokenLifetime });
    const tab = await logInByForm(device, site.origin, user);
    await tab.goto(`${site.origin}/test/form`);
    await tab.getByLabel("Note").fill("buy milk");
    await sleep((accessTokenLifetime + 1) * 1_000);
    const since = site.answered.length;
    await tab.getByRole("button", { name: "Add" }).click();
    await tab.getByRole("listitem").filter({ hasText: "buy milk" }).waitFor();
    const posts = site.answered.slice(since).filter(({ method, path }) => method === "POST" && path === "/notes");
    expect(posts.map(({ status }) => status)).toEqual([303]);
    expect(new Set(site.refreshesOf(user))).toEqual(new Set(["rotated"]));
    expect(await tab.getByRole("listitem").count()).toBe(1);
  });

  it("sends one form after the other while the access token is valid", async () => {
    const { site, device, user } = await open();
    const tab = await logInByForm(device, site.origin, user);
    for (const note of ["buy milk", "buy bread"]) {
      await tab.goto(`${site.origin}/test/form`);
      await tab.getByLabel("Note").fill(note);
      await tab.getByRole("button", { name: "Add" }).click();
      await tab.getByRole("listitem").filter({ hasText: note }).waitFor();
    }
    expect(await tab.getByRole("listitem").allTextContents()).toEqual(["buy milk", "buy bread"]);
    expect(site.answered.filter(({ method, path }) => method === "POST" && path === "/notes")).toHaveLength(2);
  });

  it("sends the form if the server can't refresh, and the answer asks to send it again", async () => {
    const { site, device, user } = await open({ accessTokenLifetime });
    const tab = await logInByForm(device, site.origin, user);
    await tab.goto(`${site.origin}/test/form`);
    await tab.getByLabel("Note").fill("buy milk");
    site.fail(true);
    await sleep((accessTokenLifetime + 1) * 1_000);
    await tab.getByRole("button", { name: "Add" }).click();
    await tab.getByRole("status").filter({ hasText: "Trying again" }).waitFor();
    site.fail(false);
    await tab.getByRole("status").filter({ hasText: "the form was not sent" }).waitFor();
    expect(await site.sessionsOf(user)).toHaveLength(1);
  });
});

/** Runs in the page. */
function hasStorage(): boolean {
  try {
    localStorage.setItem("x", "x");
    return true;
  } catch {
    return false;
  }
}
