import {
  type BrowserContext,
  type BrowserContextOptions,
  type BrowserType,
  chromium,
  firefox,
  type LaunchOptions,
} from "playwright-core";
import { otherSite } from "./attacker.ts";
import { type BrowserOptions, type Device, type DeviceOptions, stepTimeout, type TestBrowser } from "./device.ts";
import { findChromium } from "./executable.ts";
import { stopForAWhile } from "./stop-for-a-while.ts";
import { withoutLocksAndChannel, withoutStorage } from "./without-locks.ts";

/** A browser that Playwright drives. */
export interface PlaywrightBrowser extends Pick<BrowserOptions, "cachesPages"> {
  readonly type: BrowserType;
  readonly toOptions: () => Promise<LaunchOptions>;
  readonly contextOptions?: BrowserContextOptions;
}

/**
 * Chromium from npm. The options have none of the arguments that its package recommends, some of which switch off what
 * the tests check (`--disable-web-security`).
 */
export function chromiumBrowser({ isDark }: BrowserOptions): PlaywrightBrowser {
  return {
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
        `--host-resolver-rules=MAP ${otherSite} 127.0.0.1`,
      ],
    }),
    contextOptions: { colorScheme: isDark ? "dark" : "light", reducedMotion: "reduce" },
  };
}

/** Firefox as its distributor builds it, by WebDriver BiDi. The preferences are those that `about:config` shows. */
export function firefoxBrowser(path: string, options: BrowserOptions): PlaywrightBrowser {
  const { blocksCookies, cachesPages = false, isDark } = options;
  const firefoxUserPrefs = {
    "network.dns.localDomains": otherSite,
    "layout.css.prefers-color-scheme.content-override": isDark ? 0 : 1,
    "ui.prefersReducedMotion": 1,
    ...(cachesPages ? {} : { "browser.sessionhistory.max_total_viewers": 0 }),
    // 2 is "block all cookies".
    ...(blocksCookies ? { "network.cookie.cookieBehavior": 2 } : {}),
  };
  return {
    type: firefox,
    cachesPages,
    toOptions: async () => ({ channel: "moz-firefox", executablePath: path, firefoxUserPrefs }),
  };
}

/** Starts a browser. Closing it deletes its devices. */
export async function openPlaywright(kind: PlaywrightBrowser): Promise<TestBrowser> {
  const server = await kind.type.launchServer(await kind.toOptions());
  const browser = await kind.type.connect(server.wsEndpoint());
  return {
    async device(options) {
      const context = await browser.newContext(kind.contextOptions);
      if (kind.cachesPages) await goBackToCachedPages(context);
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

async function toDevice(
  context: BrowserContext,
  { lacksLocksAndChannel, lacksStorage }: DeviceOptions = {},
): Promise<Device> {
  context.setDefaultTimeout(stepTimeout);
  if (lacksLocksAndChannel) await context.addInitScript(withoutLocksAndChannel);
  if (lacksStorage) await context.addInitScript(withoutStorage);
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
