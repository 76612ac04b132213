import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { type ConsoleSite, type ConsoleSiteOptions, openConsoleSite } from "./console-site.ts";
import { logInAs, openChromium, seePage } from "./staff.ts";

/** A console and a browser, for the tests of one `describe`. */
export interface ConsoleScene {
  readonly site: ConsoleSite;
  readonly browser: Browser;
  /** Logs a member of the staff in at a page of the console, in a browser of their own. It is closed after the test. */
  open(username: string, path: string, heading: string, options?: BrowserContextOptions): Promise<Page>;
  /** Closes a page's browser after the test. What its developer console says about the security policy makes the test fail. */
  watch(page: Page): Page;
}

/** Starts a console before the tests, and stops it after them. */
export function useConsole(options?: ConsoleSiteOptions): ConsoleScene {
  let site: ConsoleSite | undefined;
  let browser: Browser | undefined;
  let pages: Page[] = [];
  const faults: string[] = [];
  function given<T>(part: T | undefined): T {
    if (part === undefined) throw new Error("the console is not started yet");
    return part;
  }

  beforeAll(async () => {
    [site, browser] = await Promise.all([openConsoleSite(options), openChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  afterEach(async () => {
    const open = pages;
    pages = [];
    for (const page of open) await page.context().close();
    expect(faults.splice(0)).toEqual([]);
  });

  const scene: ConsoleScene = {
    get site() {
      return given(site);
    },
    get browser() {
      return given(browser);
    },
    async open(username, path, heading, context) {
      const page = scene.watch(await logInAs(scene.browser, scene.site, username, { ...context, path }));
      await seePage(page, heading);
      return page;
    },
    watch(page) {
      pages.push(page);
      page.context().on("weberror", (error) => faults.push(String(error.error())));
      page.context().on("console", (message) => {
        if (/Content.Security.Policy|Trusted/i.test(message.text())) faults.push(message.text());
      });
      return page;
    },
  };
  return scene;
}
