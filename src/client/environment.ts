/** A storage for strings with the methods of `localStorage`. Each method may return a promise instead. */
export interface KeyValueStorage {
  /** Returns the value that is stored under `key`, or `null` if there is no value. */
  getItem(key: string): string | null | Promise<string | null>;
  /** Stores `value` under `key` and replaces an earlier value. */
  setItem(key: string, value: string): void | Promise<void>;
  /** Removes the value that is stored under `key`, if there is one. */
  removeItem(key: string): void | Promise<void>;
}

/** The part of a `BroadcastChannel` that the client needs. */
export interface Channel {
  postMessage(message: unknown): void;
  close(): void;
}

/** The part of `navigator.locks` that the client needs. */
export interface Locks {
  request<T>(name: string, options: { readonly signal: AbortSignal }, run: () => Promise<T>): Promise<T>;
}

/** The page that the client runs in. */
export interface Page {
  /** The page's URL. */
  readonly href: string;
  /** The URL that relative URLs are resolved against: `document.baseURI`. */
  readonly base: string;
  /** Calls `listener` each time one of `events` happens. Returns a function that removes the listener. */
  readonly listen: (events: readonly PageEvent[], listener: (event: PageEvent) => void) => () => void;
}

/** The events after which timers may be late. `pagehide` is included because the page may be suspended after it. */
export type PageEvent = "visibilitychange" | "resume" | "pageshow" | "pagehide" | "online" | "focus";

/**
 * Everything that the client takes from its environment. Clocks and timers use milliseconds. If a member is `undefined`,
 * the client works without it.
 */
export interface Environment {
  readonly fetch: (input: string | Request, init?: RequestInit) => Promise<Response>;
  readonly wall: () => number;
  /** Returns the time of a clock that is never set, but may stop while the machine sleeps. */
  readonly monotonic: () => number;
  /** Returns a random number from 0 to 1. Use it only for jitter. */
  readonly random: () => number;
  /** Returns random bytes, or `undefined` if the environment has no source of random bytes. */
  readonly randomBytes: (length: number) => Uint8Array | undefined;
  readonly setTimeout: (run: () => void, delay: number) => number;
  readonly clearTimeout: (timer: number | undefined) => void;
  /** Returns `document.cookie`. Only the cookie client needs it. */
  readonly cookies?: () => string;
  /** What the tabs of a page share. Only the cookie client needs it. */
  readonly storage?: KeyValueStorage | undefined;
  readonly openChannel?: ((name: string, onMessage: (message: unknown) => void) => Channel) | undefined;
  readonly locks?: Locks | undefined;
  readonly page?: Page | undefined;
}

/** Calls the global `fetch` of the moment. */
export const globalFetch: Environment["fetch"] = (...request) => fetch(...request);

/**
 * Returns the environment of this script: a web page, a server that renders pages, or a native app.
 *
 * @param customFetch A function that is used instead of the global `fetch`.
 */
export function toEnvironment(customFetch?: Environment["fetch"]): Environment {
  return {
    fetch: customFetch ?? globalFetch,
    wall: () => Date.now(),
    monotonic: () => performance.now(),
    random: Math.random,
    randomBytes: (length) => probe(() => crypto.getRandomValues(new Uint8Array(length))),
    setTimeout: (run, delay) => setTimeout(run, delay),
    clearTimeout: (timer) => clearTimeout(timer),
    ...(typeof document !== "undefined" && { openChannel, locks: probe(() => navigator.locks), page: toPage() }),
  };
}

/** Returns `milliseconds`, limited to a delay that `setTimeout` accepts. */
export function toTimerDelay(milliseconds: number): number {
  return Math.min(Math.max(0, Math.ceil(milliseconds)), 2 ** 31 - 1);
}

/**
 * Returns the result of `read`, or `undefined` if the browser blocks the feature, for example in a frame of another site.
 */
export function probe<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function openChannel(name: string, onMessage: (message: unknown) => void): Channel {
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => onMessage(data);
  return channel;
}

function toPage(): Page {
  return {
    href: window.location.href,
    base: document.baseURI,
    listen(events, listener) {
      const abort = new AbortController();
      // Events of the document are captured at the window on their way.
      const options = { capture: true, signal: abort.signal };
      for (const event of events) window.addEventListener(event, () => listener(event), options);
      return () => abort.abort();
    },
  };
}
