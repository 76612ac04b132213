import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { findChromium } from "./executable.ts";

/** The Chromium of one test file. */
export interface TestBrowser {
  /** Returns a new device with its own cookies and storage. */
  device(): Promise<BrowserContext>;
  /** Stops all processes of the browser for so many milliseconds, as a sleeping laptop does. */
  sleep(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Returns the options without the arguments that the package recommends, some of which switch off what the tests check
 * (`--disable-web-security`). Names below `.example` resolve to this machine, so that it can serve pages of other
 * sites.
 */
async function toLaunchOptions() {
  return {
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
  };
}

/** How long a step of a test may take. Milliseconds. */
const stepTimeout = 60_000;

/** Starts a browser. Closing it deletes its devices. */
export async function openBrowser(): Promise<TestBrowser> {
  const server = await chromium.launchServer(await toLaunchOptions());
  const browser: Browser = await chromium.connect(server.wsEndpoint());
  const group = -(server.process().pid ?? Number.NaN);
  return {
    async device() {
      const context = await browser.newContext();
      context.setDefaultTimeout(stepTimeout);
      return context;
    },
    async sleep(milliseconds) {
      process.kill(group, "SIGSTOP");
      try {
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
      } finally {
        process.kill(group, "SIGCONT");
      }
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** Starts a new browser process with a profile directory, which the next process can open again. */
export async function openProfile(directory: string): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(directory, await toLaunchOptions());
  context.setDefaultTimeout(stepTimeout);
  return context;
}
