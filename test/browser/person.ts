import type { Device, Locator, Tab } from "./device.ts";
import { password, type Site } from "./site.ts";
import { until } from "./until.ts";

/** Opens the page in a new tab. With `--demo`, the fragment leads to the account. */
export async function openTab(device: Device, { origin }: Pick<Site, "origin">): Promise<Tab> {
  const page = await device.newPage();
  await page.goto(`${origin}/#account`);
  return page;
}

/** Logs in with the form. */
export async function logIn(page: Tab, username: string, { remember = true } = {}): Promise<void> {
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByLabel("Stay logged in").setChecked(remember);
  await page.getByRole("button", { name: "Log in" }).click();
  await seeAccount(page, username);
}

/** Opens the page in a new tab and logs in. */
export async function openLoggedIn(
  device: Device,
  site: Pick<Site, "origin">,
  username: string,
  options?: { readonly remember: boolean },
): Promise<Tab> {
  const page = await openTab(device, site);
  await logIn(page, username, options);
  return page;
}

export const accountOf = (page: Tab, username: string): Locator =>
  page.getByRole("heading", { level: 1, name: username });

export const loginForm = (page: Tab): Locator => page.getByRole("heading", { level: 1, name: "Log in" });

/** Waits for an element. Playwright's `waitFor` would also wait for a page of the back/forward cache to load, in vain. */
async function see(page: Tab, element: Locator): Promise<void> {
  await until(() => element.isVisible()).catch(async (cause: unknown) => {
    const shown = await page.evaluate(() => `${location.href}: ${document.documentElement.textContent}`);
    throw new Error(`instead, the page shows ${shown}`, { cause });
  });
}

/** Waits for the account. */
export async function seeAccount(page: Tab, username: string): Promise<void> {
  await see(page, accountOf(page, username));
}

/** Waits for the login form. Returns the reason that the page shows. */
export async function seeLoginForm(page: Tab): Promise<string> {
  await see(page, loginForm(page));
  return (await page.locator(".notice").allTextContents()).join("");
}

/**
 * Presses the button that calls the API, if it still exists: the page may be about to learn that it is logged out.
 * Returns the status of the response, "No response", or "logged out".
 */
export async function callApi(page: Tab): Promise<string> {
  const panel = page.locator("section", { has: page.getByRole("heading", { name: "Call the API" }) });
  await panel.evaluateAll(([section]) => {
    section?.querySelector("[role=status]")?.replaceChildren();
    section?.querySelector("button")?.click();
  });
  const [status, form] = [panel.getByRole("status"), loginForm(page)];
  await see(page, status.filter({ hasText: /./ }).or(form));
  const [text = "logged out"] = await status.allTextContents();
  return text.replace(/ in \d+ ms$/, "");
}

/** Presses the first "Log out" button, which is in the header. */
export async function logOut(page: Tab): Promise<void> {
  await page.getByRole("button", { name: "Log out", exact: true }).first().click();
  await seeLoginForm(page);
}

/** Changes the password with the form. */
export async function changePassword(page: Tab, next = "another horse battery staple"): Promise<void> {
  await page.getByLabel("Current password", { exact: true }).fill(password);
  await page.getByLabel("New password", { exact: true }).fill(next);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByText("Password changed. All other devices were logged out.").waitFor();
}

/** Returns the row of a device in the list. */
export const deviceRow = (page: Tab, name: string | RegExp): Locator =>
  page.locator(".devices li").filter({ hasText: name });

/** Returns the banner, which is empty unless there is a problem with the connection. */
export const bannerOf = (page: Tab): Locator => page.locator(".banner");
