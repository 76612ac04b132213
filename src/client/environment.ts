/** Strings under names, as `localStorage` keeps them; answers may also come as promises. */
export interface KeyValueStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): void | Promise<void>;
  removeItem(key: string): void | Promise<void>;
}

/** The part of a BroadcastChannel that the client needs. */
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
  readonly href: string;
  /** What relative URLs are resolved against: `document.baseURI`. */
  readonly base: string;
  /** `document.cookie`. */
  readonly cookies: () => string;
  /** Returns the way to stop listening. */
  readonly listen: (event: PageEvent, listener: () => void) => () => void;
}

/** What tells a page that time may have passed without it, or that it is about to. */
export type PageEvent = "visibilitychange" | "resume" | "pageshow" | "pagehide" | "online" | "focus";

/** Everything the client takes from its surroundings. Clocks and timers count milliseconds; what is missing is done without. */
export interface Environment {
  readonly fetch: (input: string | Request, init?: RequestInit) => Promise<Response>;
  readonly wallClock: () => number;
  /** Never steps, but may stand still while the machine sleeps. */
  readonly monotonic: () => number;
  /** From 0 to 1, for jitter only. */
  readonly random: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly setTimeout: (run: () => void, delay: number) => number;
  readonly clearTimeout: (timer: number | undefined) => void;
  readonly storage: KeyValueStorage | undefined;
  readonly openChannel: ((name: string, onMessage: (message: unknown) => void) => Channel) | undefined;
  readonly locks: Locks | undefined;
  readonly page: Page | undefined;
}

/**
 * The surroundings of this script: a page, a server that renders, a native app; `ownFetch` takes the place of the global
 * one. Touches nothing when imported.
 */
export function toEnvironment(ownFetch?: Environment["fetch"]): Environment {
  const isPage = typeof document !== "undefined";
  return {
    fetch: ownFetch ?? ((input, init) => fetch(input, init)),
    wallClock: () => Date.now(),
    monotonic: () => performance.now(),
    random: () => Math.random(),
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    setTimeout: (run, delay) => setTimeout(run, delay),
    clearTimeout: (timer) => clearTimeout(timer),
    storage: isPage ? toLocalStorage() : undefined,
    openChannel: isPage && "BroadcastChannel" in window ? openChannel : undefined,
    locks: isPage ? navigator.locks : undefined,
    page: isPage ? toPage(document, window) : undefined,
  };
}

/** Calls `listener` at each of `events`, where there is a page. Returns the way to stop. */
export function listenTo(
  page: Page | undefined,
  events: readonly PageEvent[],
  listener: (event: PageEvent) => void,
): () => void {
  const stops = events.map((event) => page?.listen(event, () => listener(event)));
  return () => {
    for (const stop of stops) stop?.();
  };
}

function openChannel(name: string, onMessage: (message: unknown) => void): Channel {
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => onMessage(data);
  return channel;
}

function toLocalStorage(): KeyValueStorage | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined; // blocked by the user's settings
  }
}

function toPage(document: Document, window: Window): Page {
  return {
    href: window.location.href,
    base: document.baseURI,
    cookies: () => document.cookie,
    listen(event, listener) {
      const target = event === "visibilitychange" || event === "resume" ? document : window;
      target.addEventListener(event, listener);
      return () => target.removeEventListener(event, listener);
    },
  };
}
