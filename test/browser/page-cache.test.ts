import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openBrowser, traits } from "./browsers.ts";
import type { Device, Tab, TestBrowser } from "./device.ts";
import { deviceRow, logOut, openLoggedIn, openTab, seeAccount, seeLoginForm } from "./person.ts";
import { documentPath, openSite, password, type Site } from "./site.ts";
import { until } from "./until.ts";

// The access tokens last so long that no refresh tells a page about a logout.
describe("a page that comes back from the back/forward cache", () => {
  let site: Site;
  let browser: TestBrowser;
  let device: Device;
  let page: Tab;

  beforeAll(async () => {
    [site, browser] = await Promise.all([
      openSite({ access: 600, maxSessionStreams: 0 }),
      openBrowser({ cachesPages: true }),
    ]);
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });
  beforeEach(async () => {
    device = await browser.device();
    page = await openLoggedIn(device, site, await site.newUser());
    // The page's last request. Firefox doesn't keep a page that waits for a response.
    await deviceRow(page, "This device").waitFor();
  });
  afterEach(() => device.close());

  /** Opens a document without a client, as another front end. */
  async function openFrontEnd(): Promise<Tab> {
    const tab = await device.newPage();
    await tab.goto(`${site.origin}${documentPath}`);
    return tab;
  }

  /**
   * Leaves the page, calls `meanwhile`, and goes back. Without a cache, dispatches the events that the page would receive.
   * Returns the paths of the requests since then, once `isDone`.
   */
  async function leave(meanwhile: () => Promise<unknown>, isDone: () => Promise<unknown>): Promise<readonly unknown[]> {
    await page.evaluate(markIfCached);
    if (traits.hasBackForwardCache) await page.goto(`${site.origin}${documentPath}`);
    else await page.evaluate(dispatch, "pagehide");
    await meanwhile();
    const since = (await site.log()).length;
    if (traits.hasBackForwardCache) await page.goBack();
    else await page.evaluate(dispatch, "pageshow");
    // `persisted` was true. A page that is loaded again has no such mark.
    await until(async () => (await page.locator("body.cached").count()) === 1);
    await isDone();
    const requests = (await site.log()).slice(since);
    return requests.filter(({ msg }) => msg === "request").map(({ path }) => path);
  }

  it("shows the login form after a logout in another tab", async () => {
    const other = await openTab(device, site);
    await leave(
      () => logOut(other),
      async () => expect(await seeLoginForm(page)).toBe("You are logged out."),
    );
  });

  it("asks the server, and shows the login form after a logout by another front end", async () => {
    const other = await openFrontEnd();
    const asked = await leave(
      () => other.evaluate(post, { path: "logout/", body: {} }),
      () => seeLoginForm(page),
    );
    expect(asked).toContain("/api/auth/csrf/");
  });

  it("asks the server, and shows the other user after a login by another front end", async () => {
    const other = await openFrontEnd();
    const username = await site.newUser();
    const asked = await leave(
      () => other.evaluate(post, { path: "login/", body: { username, password } }),
      () => seeAccount(page, username),
    );
    expect(asked).toContain("/api/auth/me/");
  });
});

/** Runs in the page. Marks the page when it comes back from the cache. */
function markIfCached(): void {
  window.addEventListener("pageshow", ({ persisted }) => document.body.classList.toggle("cached", persisted));
}

/** Runs in the page. */
function dispatch(type: string): void {
  window.dispatchEvent(new PageTransitionEvent(type, { persisted: true }));
}

/** Runs in a document of the server's origin. Sends a request without the client. */
async function post({ path, body }: { readonly path: string; readonly body: object }): Promise<void> {
  const { csrf_token } = await (await fetch("/api/auth/csrf/")).json();
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf_token };
  const response = await fetch(`/api/auth/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
}
