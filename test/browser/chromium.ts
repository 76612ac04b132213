import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { findChromium } from "./executable.ts";

/** A Chromium of one test file. */
export interface TestBrowser {
  /** A new device: cookies and storage of its own. */
  device(): Promise<BrowserContext>;
  /** All of it stands still for so many milliseconds, as a laptop does that sleeps; `meanwhile` is run on the side. */
  sleep(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Without the arguments that the package recommends: they switch off what the tests are about (`--disable-web-security`).
 * Names below `.example` lead to this machine, so that a page of another site can be served from it.
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

/** How long a step of a test waits for what it expects. Milliseconds. */
const patience = 15_000;

/** Starts a browser; its devices are gone when it closes. */
export async function openBrowser(): Promise<TestBrowser> {
  const server = await chromium.launchServer(await toLaunchOptions());
  const browser: Browser = await chromium.connect(server.wsEndpoint());
  const group = -(server.process().pid ?? Number.NaN);
  return {
    async device() {
      const context = await browser.newContext();
      context.setDefaultTimeout(patience);
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

/** Starts a browser process of its own on a profile directory: what a person has on disk and opens again. */
export async function openProfile(directory: string): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(directory, await toLaunchOptions());
  context.setDefaultTimeout(patience);
  return context;
}
