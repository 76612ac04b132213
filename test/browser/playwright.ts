import { type BrowserContext, type BrowserType, chromium, firefox, type LaunchOptions } from "playwright-core";
import { type BrowserOptions, type Device, type DeviceOptions, stepTimeout, type TestBrowser } from "./device.ts";
import { findChromium } from "./executable.ts";
import { stopForAWhile } from "./stop-for-a-while.ts";
import { withoutLocksAndChannel } from "./without-locks.ts";

/** A browser that Playwright drives. */
export interface PlaywrightBrowser {
  /** See `BrowserOptions`. */
  readonly cachesPages?: boolean;
  readonly type: BrowserType;
  readonly toOptions: () => Promise<LaunchOptions>;
}

/**
 * Chromium from npm. The options have none of the arguments that its package recommends, some of which switch off what
 * the tests check (`--disable-web-security`). Names below `.example` resolve to this machine, so that it can serve pages
 * of other sites.
 */
export const chromiumBrowser: PlaywrightBrowser = {
  type: chromium,
  toOptions: async () => ({
    executablePath: await findChromium(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
      "--font-render-hinting=none",
      "--host-resolver-rules=MAP *.example 127.0.0.1",
    ],
  }),
};

/** Firefox as its distributor builds it, by WebDriver BiDi. In the preferences, 2 is "block all cookies". */
export function firefoxBrowser(
  path: string,
  { blocksCookies, cachesPages = false }: BrowserOptions,
): PlaywrightBrowser {
  const firefoxUserPrefs = {
    ...(cachesPages ? {} : { "browser.sessionhistory.max_total_viewers": 0 }),
    ...(blocksCookies ? { "network.cookie.cookieBehavior": 2 } : {}),
  };
  return {
    type: firefox,
    cachesPages,
    toOptions: async () => ({ channel: "moz-firefox", executablePath: path, firefoxUserPrefs }),
  };
}

/** Starts a browser. Closing it deletes its devices. */
export async function openPlaywright({ type, cachesPages, toOptions }: PlaywrightBrowser): Promise<TestBrowser> {
  const server = await type.launchServer(await toOptions());
  const browser = await type.connect(server.wsEndpoint());
  return {
    async device(options) {
      const context = await browser.newContext();
      if (cachesPages) await goBackToCachedPages(context);
      return toDevice(context, options);
    },
    sleep: (milliseconds) => stopForAWhile(server.process(), milliseconds),
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** Starts a new browser process with a profile directory, which the next process can open again. */
export async function openPlaywrightProfile(
  { type, toOptions }: PlaywrightBrowser,
  directory: string,
): Promise<Device> {
  return toDevice(await type.launchPersistentContext(directory, await toOptions()));
}

async function toDevice(context: BrowserContext, { lacksLocksAndChannel }: DeviceOptions = {}): Promise<Device> {
  context.setDefaultTimeout(stepTimeout);
  if (lacksLocksAndChannel) await context.addInitScript(withoutLocksAndChannel);
  return context as Device;
}

/**
 * Replaces `goBack`, which would wait until the page is loaded. A page from the back/forward cache isn't, but says that it is
 * back. Until then Playwright must not look at it, or it never sees more than the page before.
 */
async function goBackToCachedPages(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    window.addEventListener("pageshow", ({ persisted }) => persisted && console.info("from the cache"));
  });
  context.on("page", (page) => {
    page.goBack = async () => {
      const isBack = page.waitForEvent("console", (message) => message.text() === "from the cache");
      await page.evaluate(() => history.back());
      await isBack;
      return null;
    };
  });
}
