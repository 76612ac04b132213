import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, traits } from "./browsers.ts";
import type { Device, DeviceCookie, Locator, Tab, TestBrowser } from "./device.ts";
import { watchFaults } from "./faults.ts";
import {
  accountOf,
  callApi,
  changePassword,
  deviceRow,
  openLoggedIn,
  openTab,
  seeAccount,
  seeLoginForm,
} from "./person.ts";
import { openSite, password, type Site } from "./site.ts";
import { until } from "./until.ts";

const access = 6;
const newPassword = "another horse battery staple";

describe.concurrent("the page", () => {
  let site: Site;
  let browser: TestBrowser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite({ access }), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  /** Runs a test with its own device and user. Fails if the console shows an error. */
  async function runScenario(run: (device: Device, user: string) => Promise<void>): Promise<void> {
    const [device, user] = await Promise.all([browser.device(), site.newUser()]);
    const faults = watchFaults(device);
    try {
      await run(device, user);
    } finally {
      await device.close();
    }
    expect(faults).toEqual([]);
  }

  // Alone: in Firefox, Enter does nothing in a tab that another one has taken the focus from.
  it("works with the keyboard alone, from the login to the logout", { concurrent: false }, () =>
    runScenario(async (device, user) => {
      const page = await openTab(device, site);
      const { keyboard } = page;
      await seeLoginForm(page);
      expect(await focused(page)).toBe("Username");
      await keyboard.type(user);
      await tabTo(page, "Password");
      await keyboard.type("wrong");
      await keyboard.press("Enter");
      await page.getByText("Wrong username or password.").waitFor();
      expect(await focused(page)).toBe("Password");
      await keyboard.type(password);
      await keyboard.press("Enter");
      await seeAccount(page, user);
      expect(await focused(page)).toBe(user);

      await tabTo(page, "GET /api/auth/me/");
      await keyboard.press("Enter");
      await page.getByText(/^200 OK/).waitFor();
      await page.getByText(`"username": "${user}"`).waitFor();

      // Backwards: after its last element, the Tab key leaves the page for the buttons of the browser.
      await tabTo(page, `Rename ${traits.deviceName}`, "Shift+Tab");
      await keyboard.press("Enter");
      await keyboard.type("my laptop");
      await keyboard.press("Escape");
      expect(await focused(page)).toBe(`Rename ${traits.deviceName}`);
      await keyboard.press("Enter");
      await keyboard.type("my laptop");
      await keyboard.press("Enter");
      await page.getByText("Device renamed.").waitFor();
      // The page reloads the list before it closes the form.
      await until(async () => (await focused(page)) === "Rename my laptop");

      await tabTo(page, "Current password");
      await keyboard.type(password);
      await tabTo(page, "New password");
      await keyboard.type("short");
      await keyboard.press("Enter");
      await page.getByText("This password is too short.").waitFor();
      expect(await focused(page)).toBe("New password");
      await keyboard.type(newPassword);
      await keyboard.press("Enter");
      await page.getByText("Password changed. All other devices were logged out.").waitFor();

      await tabTo(page, "Log out", "Shift+Tab");
      await keyboard.press("Enter");
      expect(await seeLoginForm(page)).toBe("You are logged out.");
      expect(await focused(page)).toBe("Username");
      expect(await site.sessionsOf(user)).toEqual([]);
    }),
  );

  it("lists the devices of the user, and logs out one, all others and all of them", () =>
    runScenario(async (device, user) => {
      const others = await Promise.all([1, 2, 3].map(() => browser.device()));
      const pages = await Promise.all(others.map((other) => openLoggedIn(other, site, user)));
      const page = await openLoggedIn(device, site, user);
      const rows = page.locator(".devices li");
      await until(async () => (await rows.count()) === 4);
      expect(await deviceRow(page, "This device").count()).toBe(1);

      // Devices that logged in within the same second are listed in any order.
      await rows
        .filter({ hasNotText: "This device" })
        .last()
        .getByRole("button", { name: /^Log out/ })
        .click();
      await until(async () => (await rows.count()) === 3);
      await page.getByRole("button", { name: "Log out all other devices" }).click();
      await page.getByText("All other devices were logged out.").waitFor();
      await until(async () => (await rows.count()) === 1);
      // The button that had the focus is gone.
      await until(async () => (await page.locator("h2:focus").allTextContents()).join() === "Your devices");
      expect(await Promise.all(pages.map(callApi))).toEqual(["logged out", "logged out", "logged out"]);

      const again = await openLoggedIn(others[0] as Device, site, user);
      await page.getByRole("button", { name: "Log out everywhere" }).click();
      expect(await seeLoginForm(page)).toBe("You are logged out.");
      expect(await callApi(again)).toBe("logged out");
      expect(await site.sessionsOf(user)).toEqual([]);
      await Promise.all(others.map((other) => other.close()));
    }));

  it("counts down to the refresh, and refreshes for as long as the page is open", () =>
    runScenario(async (device, user) => {
      const page = await openLoggedIn(device, site, user);
      const [expiry, refresh] = [page.locator(".figure").first(), page.locator(".figure").last()];
      const see = (figure: Locator, text: RegExp) => until(async () => text.test((await figure.textContent()) ?? ""));
      await see(expiry, /^0:0[1-6]$/);
      for (let time = 1; time <= 2; time++) {
        await see(refresh, /^0:0[01]$/);
        await until(async () => (await site.refreshesOf(user)).length >= time);
        await see(refresh, /^0:0[234]$/);
      }
      // A response that is later than the client's timeout is requested again.
      const refused = (await site.refreshesOf(user)).filter((outcome) => !["rotated", "replayed"].includes(outcome));
      expect(refused).toEqual([]);
      expect(await accountOf(page, user).isVisible()).toBe(true);
    }));

  it("lets no script read a token from cookies, storage, responses or the document", () =>
    runScenario(async (device, user) => {
      const bodies: string[] = [];
      let unread = 0;
      device.on?.("response", async (response) => {
        unread += 1;
        bodies.push(await response.text().catch(() => ""));
        unread -= 1;
      });
      const page = await openLoggedIn(device, site, user);
      await callApi(page);
      await changePassword(page, newPassword);
      await until(async () => (await site.refreshesOf(user)).includes("rotated"));
      await callApi(page);
      await page.reload();
      await seeAccount(page, user);

      let cookies: readonly DeviceCookie[] = [];
      let everything = "";
      // A refresh replaces the cookies, so both must be from between the same two refreshes.
      await until(async () => {
        cookies = await device.cookies(`${site.origin}/api/auth`);
        everything = await page.evaluate(readAll);
        const csrfToken = cookies.find(({ httpOnly }) => !httpOnly)?.value;
        return cookies.length >= 4 && csrfToken !== undefined && everything.includes(csrfToken);
      });
      const hidden = cookies.filter(({ httpOnly }) => httpOnly);
      const tokens = hidden.filter(({ name }) => !name.endsWith("device")).map(({ value }) => value);
      expect([hidden.length, tokens.length]).toEqual([3, 2]);
      for (const token of tokens) expect(token).toMatch(tokenShape);
      // The streams of the session's events have no end, and the reload may have cut off another response.
      await until(async () => unread <= 3);
      const found = [everything, ...bodies].join("\n");
      expect(found).toContain(cookies.find(({ httpOnly }) => !httpOnly)?.value);
      expect(found).not.toContain("eyJ");
      for (const { value } of hidden) expect(found).not.toContain(value);
      expect(found).not.toMatch(tokenShape);

      // Proves that the search would find a token.
      await page.evaluate((token) => sessionStorage.setItem("planted", token), tokens[0] ?? "");
      expect(await page.evaluate(readAll)).toMatch(tokenShape);
    }));
});

const tokenShape = /[\w-]{16,}\.[\w-]{16,}\.[\w-]{16,}/;

/** Returns the accessible name of the focused element. */
function focused(page: Tab): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement | null;
    const label = element?.labels?.[0]?.textContent;
    return element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "";
  });
}

/** Presses a key until the element with this name is focused. */
async function tabTo(page: Tab, name: string, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  for (let steps = 0; steps < 40; steps++) {
    await page.keyboard.press(key);
    if ((await focused(page)) === name) return;
  }
  throw new Error(`${key} does not reach "${name}"`);
}

/** Runs in the page. Returns everything that a script of the page can read. */
async function readAll(): Promise<string> {
  const databases = await Promise.all(
    (await indexedDB.databases()).map(async ({ name = "" }) => {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open(name);
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
      });
      const stores = [...database.objectStoreNames].map(
        (store) =>
          new Promise((resolve) => {
            const reading = database.transaction(store).objectStore(store).getAll();
            reading.onsuccess = () => resolve(reading.result);
          }),
      );
      return JSON.stringify([name, await Promise.all(stores)]);
    }),
  );
  const cached = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
  const storages = [localStorage, sessionStorage].map((storage) => JSON.stringify({ ...storage }));
  const page = [document.cookie, document.documentElement.outerHTML, JSON.stringify(history.state), window.name];
  return [...page, ...storages, ...databases, ...cached.flat().map(({ url }) => url)].join("\n");
}
