import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findChromium } from "../browser/executable.ts";
import { countViolations } from "./barriers.ts";
import { type ConsoleSite, password } from "./console-site.ts";

/** How long a step may take, on a busy machine too. Milliseconds. */
const patience = 60_000;

/** Starts Chromium. */
export async function openChromium(): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"];
  return chromium.launch({ executablePath: await findChromium(), args });
}

/** Opens the console in a new browser context and logs in. */
export async function logInAs(
  browser: Browser,
  site: ConsoleSite,
  username: string,
  options: BrowserContextOptions & { readonly path?: string } = {},
): Promise<Page> {
  const { path = "", ...context } = options;
  const page = await openPage(browser, context);
  await page.goto(`${site.url}${path}`);
  await fillLogin(page, username);
  await page.getByRole("navigation", { name: "Console" }).waitFor();
  return page;
}

/** Opens a page that counts violations of the content security policy. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({
    reducedMotion: "reduce",
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  context.setDefaultTimeout(patience);
  await context.addInitScript(countViolations);
  return context.newPage();
}

/** Lets the confirmation of a login be over. The page doesn't know it yet, and the access token is gone. */
export async function endConfirmation(site: ConsoleSite, page: Page, username: string): Promise<void> {
  await site.makeLoginOld(username);
  await page.context().clearCookies({ name: /access/ });
}

/** Runs in the page. Counts what a person does: each Enter, each press of space outside of a text, each click of a mouse. */
export function countActions(): void {
  let actions = 0;
  const count = () => {
    actions += 1;
    Object.assign(globalThis, { actions });
  };
  addEventListener("pointerdown", count, true);
  addEventListener(
    "keydown",
    ({ key, target }) => {
      if (key === "Enter" || (key === " " && !(target instanceof HTMLInputElement))) count();
    },
    true,
  );
}

/** Fills in the form, with the keyboard. */
export async function fillLogin(page: Page, username: string): Promise<void> {
  await page.getByLabel("Username").waitFor();
  await page.keyboard.type(username);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
}

/** Waits until a page has its data. */
export async function seePage(page: Page, heading: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  await page.waitForFunction(() => document.querySelector(".waiting") === null);
}
