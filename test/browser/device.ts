import type { BrowserContext } from "playwright-core";

/** A text, or a pattern, that an element is found by. Texts match parts, in any case. */
export type Text = string | RegExp;

/** Finds elements, as Playwright's locators do. It has the part that the tests use, so that other drivers can have it. */
export interface Locator {
  readonly first: () => Locator;
  readonly last: () => Locator;
  or(other: Locator): Locator;
  readonly filter: (options: { readonly hasText?: Text; readonly hasNotText?: Text }) => Locator;
  readonly getByRole: Finders["getByRole"];
  readonly count: () => Promise<number>;
  readonly isVisible: () => Promise<boolean>;
  /** Waits until the element is visible. */
  readonly waitFor: () => Promise<void>;
  readonly textContent: () => Promise<string | null>;
  readonly allTextContents: () => Promise<string[]>;
  readonly getAttribute: (name: string) => Promise<string | null>;
  readonly evaluateAll: <R>(run: (elements: HTMLElement[]) => R) => Promise<R>;
  readonly click: () => Promise<void>;
  readonly fill: (text: string) => Promise<void>;
  readonly setChecked: (checked: boolean) => Promise<void>;
}

/** Ways to find elements. */
export interface Finders {
  readonly getByRole: (
    role: "heading" | "button" | "listitem" | "status",
    options?: { readonly name?: Text; readonly exact?: boolean; readonly level?: number },
  ) => Locator;
  readonly getByLabel: (text: string, options?: { readonly exact?: boolean }) => Locator;
  readonly getByText: (text: Text) => Locator;
  locator(selector: string, options?: { readonly has?: Locator }): Locator;
}

/** A tab. */
export interface Tab extends Finders {
  readonly goto: (url: string) => Promise<unknown>;
  readonly reload: () => Promise<unknown>;
  readonly goBack: () => Promise<unknown>;
  /** Runs a function in the page. It can't use anything outside of itself. */
  readonly evaluate: {
    <R>(run: () => R | Promise<R>): Promise<R>;
    <R, A>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  };
  readonly keyboard: {
    readonly type: (text: string) => Promise<void>;
    readonly press: (key: "Tab" | "Shift+Tab" | "Enter" | "Escape") => Promise<void>;
  };
  /** Absent if the driver can't move it. */
  readonly mouse?: { readonly move: (x: number, y: number) => Promise<void> };
  readonly setViewportSize: (size: { readonly width: number; readonly height: number }) => Promise<void>;
  readonly bringToFront: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A cookie, with what the tests need. */
export interface DeviceCookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly httpOnly: boolean;
  /** Seconds since the epoch, or -1 for a session cookie. */
  readonly expires: number;
}

/** A browser with its own cookies and storage. */
export interface Device {
  readonly newPage: () => Promise<Tab>;
  /** Returns all cookies for a URL, those that scripts can't read too. */
  readonly cookies: (url: string) => Promise<readonly DeviceCookie[]>;
  /** Absent if the driver reports neither the console nor the responses. */
  readonly on?: BrowserContext["on"];
  /** Absent if the driver can't take the browser offline. */
  readonly setOffline?: (offline: boolean) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What is unusual about a device. */
export interface DeviceOptions {
  /** Whether its pages have neither Web Locks nor BroadcastChannel. */
  readonly lacksLocksAndChannel?: boolean;
  /** Whether its pages may not use `localStorage`. */
  readonly lacksStorage?: boolean;
}

/** What is unusual about all devices of a browser. */
export interface BrowserOptions {
  /** Whether it blocks all cookies. */
  readonly blocksCookies?: boolean;
  /** Whether it prefers dark pages. */
  readonly isDark?: boolean;
  /** Whether each page is in a window of its own, so that WebKit says that it is visible. Others always say so. */
  readonly hasWindows?: boolean;
  /** Whether pages that the user leaves stay in the back/forward cache. `goBack` then requires one from there. */
  readonly cachesPages?: boolean;
}

/** The browser of one test file. */
export interface TestBrowser {
  /** Returns a new device. */
  device(options?: DeviceOptions): Promise<Device>;
  /** Stops all processes of the browser for so many milliseconds, as a sleeping laptop does. */
  sleep(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

/** How long a step of a test may take, on a busy machine too. Milliseconds. */
export const stepTimeout = 60_000;
