import { existsSync } from "node:fs";
import type { BrowserOptions, Device, TestBrowser } from "./device.ts";
import { chromiumBrowser, firefoxBrowser, openPlaywright, openPlaywrightProfile } from "./playwright.ts";
import { openWebKit, webKitPaths } from "./webkit/webkit.ts";

/** What the tests need to know about a browser. */
export interface BrowserTraits {
  /** How the page names a device with this browser. */
  readonly deviceName: string;
  /** Whether it keeps a cookie with Secure of http://localhost. */
  readonly keepsSecureCookies: boolean;
  /**
   * Whether the driver can restart it with the same profile. WebKit's MiniBrowser keeps nothing on disk if WebDriver drives
   * it: it ignores `--cookies-file` then.
   */
  readonly hasProfiles: boolean;
  /** Whether the driver can take it offline. WebDriver has no such command, and WebKitGTK asks the operating system. */
  readonly goesOffline: boolean;
  /** Whether it has a back/forward cache. The headless shell of Chromium, which is the package from npm, has none. */
  readonly hasBackForwardCache: boolean;
  /** Whether it can block all cookies. The headless shell of Chromium has no such setting. */
  readonly canBlockCookies: boolean;
}

/** The browsers that the tests can run in. */
export const browsers = {
  chromium: {
    deviceName: "Chrome on Linux",
    keepsSecureCookies: true,
    hasProfiles: true,
    goesOffline: true,
    hasBackForwardCache: false,
    canBlockCookies: false,
  },
  firefox: {
    deviceName: "Firefox on Linux",
    keepsSecureCookies: true,
    hasProfiles: true,
    goesOffline: true,
    hasBackForwardCache: true,
    canBlockCookies: true,
  },
  webkit: {
    deviceName: "Safari on Linux",
    keepsSecureCookies: false,
    hasProfiles: false,
    goesOffline: false,
    hasBackForwardCache: true,
    canBlockCookies: true,
  },
} as const satisfies Readonly<Record<string, BrowserTraits>>;

/** The name of a browser. */
export type BrowserName = keyof typeof browsers;

/** Where Debian installs Firefox. */
const firefoxPath = "/usr/bin/firefox-esr";

/** Returns the name of the Debian package that this browser needs and that isn't installed. */
export function findMissing(name: BrowserName): string | undefined {
  if (name === "chromium") return undefined;
  return name === "firefox" ? findMissingPackage({ "firefox-esr": firefoxPath }) : findMissingPackage(webKitPaths);
}

function findMissingPackage(paths: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(paths).find((name) => !existsSync(paths[name] ?? ""));
}

/** The browser that the tests run in: the environment variable `TOKENPAIR_TEST_BROWSER`. Default: chromium. */
export const browserName = toBrowserName(process.env["TOKENPAIR_TEST_BROWSER"] ?? "chromium");

/** What the tests need to know about it. */
export const traits: BrowserTraits = browsers[browserName];

function toBrowserName(name: string): BrowserName {
  if (Object.hasOwn(browsers, name)) return name as BrowserName;
  throw new TypeError(`TOKENPAIR_TEST_BROWSER must be one of ${Object.keys(browsers).join(", ")}, got ${name}`);
}

/** Starts the browser that the tests run in. */
export function openBrowser(options: BrowserOptions = {}): Promise<TestBrowser> {
  return browserName === "webkit" ? openWebKit(options) : openPlaywright(toPlaywrightBrowser(options));
}

/** Starts a new process of it with a profile directory, which the next process can open again. */
export function openProfile(directory: string): Promise<Device> {
  return openPlaywrightProfile(toPlaywrightBrowser(), directory);
}

const toPlaywrightBrowser = (options: BrowserOptions = {}) =>
  browserName === "firefox" ? firefoxBrowser(firefoxPath, options) : chromiumBrowser(options);
