import { assembleBearerClient, type BearerClientOptions } from "../../src/client/bearer/bearer-client.ts";
import type { Client } from "../../src/client/client.ts";
import type { ClientOptions } from "../../src/client/cookie/client.ts";
import { assembleCookieClient } from "../../src/client/cookie/cookie-client.ts";
import type { Environment, KeyValueStorage, Locks, PageEvent } from "../../src/client/environment.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createFakeServer } from "./fake-server.ts";
import type { CookieJar, FakeServer } from "./fake-server-types.ts";

/** One tab with its client. */
export interface FakeTab {
  readonly client: Client;
  /** The changes of the state: status, reason and problem. */
  readonly states: string[];
  /** Dispatches an event of the page. */
  readonly wake: (event: PageEvent) => Promise<void>;
  /** Returns how many channels the tab has open. */
  readonly openChannels: () => number;
  /** Milliseconds by which the wall clock is wrong from now on. */
  readonly setWallClockError: (error: number) => void;
  /** Delivers no timers and messages to the tab any more, until it is thawed. */
  readonly freeze: () => void;
  readonly thaw: () => void;
}

/** The options of the client, which is a bearer client if there is a `storage`, and what is unusual about its tab. */
export type TabOptions = (ClientOptions | BearerClientOptions) & {
  /** What the tab's environment lacks. */
  readonly without?: readonly ("page" | "storage" | "openChannel" | "locks")[];
  /** Milliseconds by which the wall clock is wrong. */
  readonly wallClockError?: number;
  /** What the environment's `random` returns. */
  readonly random?: number;
  readonly href?: string;
  /** Whether the browser refuses to open a channel. */
  readonly blocksChannels?: boolean;
  /** Whether the browser never answers a request for a lock, as if the page had been in its back/forward cache. */
  readonly losesLocks?: boolean;
  /** Whether the browser keeps no cookies. */
  readonly blocksCookies?: boolean;
  /** Milliseconds between a response and the moment at which scripts see its cookies, which WebKit shows late. Default: 0. */
  readonly cookieDelay?: number;
  /** Whether a service worker answers every GET from its cache, if the URL is in it. */
  readonly cacheFirst?: boolean;
  /** Returns what `document.cookie` is, from the value of the server's CSRF cookie. Default: it is among others. */
  readonly toCookies?: (csrf: string) => string;
  /** Whether the environment has no random bytes. */
  readonly lacksRandomBytes?: boolean;
};

/** One browser. */
export interface FakeBrowser {
  readonly clock: FakeClock;
  readonly server: FakeServer;
  readonly jar: CookieJar;
  readonly storage: Map<string, string>;
  /** Every message that a tab has posted to a channel. */
  readonly messages: readonly unknown[];
  readonly openTab: (options?: TabOptions) => FakeTab;
  /** Logs a user in without a client, as another front end on the same server does. */
  readonly logInElsewhere: (username: string) => Promise<void>;
  /** Opens a tab in which alice has just logged in. */
  readonly openLoggedIn: (options?: TabOptions) => Promise<FakeTab>;
}

/** Creates a browser with a server. Its tabs share cookies, storage, channels and locks. */
export function createFakeBrowser(): FakeBrowser {
  const clock = createFakeClock();
  const server = createFakeServer(clock);
  const jar: CookieJar = new Map();
  const storage = new Map<string, string>();
  const channels = new Set<{ readonly name: string; readonly onMessage: (message: unknown) => void }>();
  const messages: unknown[] = [];
  const locks = createFakeLocks();
  let bytes = 0;
  const nextByte = () => {
    bytes += 1;
    return bytes;
  };

  function openTab({
    without = [],
    wallClockError = 0,
    random = 0,
    href = "https://app.example/page/",
    blocksChannels = false,
    losesLocks = false,
    blocksCookies = false,
    cookieDelay = 0,
    cacheFirst = false,
    lacksRandomBytes = false,
    toCookies = (csrf) => `theme=dark; csrftoken=${csrf}`,
    ...options
  }: TabOptions = {}): FakeTab {
    const listeners = new Map<PageEvent, Set<() => void>>();
    let openChannels = 0;
    let error = wallClockError;
    /** What a frozen tab has missed. */
    let missed: (() => void)[] | undefined;
    const deliver = (run: () => void) => (missed ? missed.push(run) : run());
    const cache = new Map<string, Response>();
    /** The CSRF cookie that scripts see if it comes late. */
    let lateCookie = jar.get("csrftoken");
    const getCookie = () => (cookieDelay > 0 ? lateCookie : jar.get("csrftoken"));
    async function send(input: string | Request, init?: RequestInit): Promise<Response> {
      const url = typeof input === "string" ? input : input.url;
      const cached = cacheFirst && (init?.method ?? "GET") === "GET" ? cache.get(url) : undefined;
      if (cached) return cached.clone();
      const response = await server.fetch(blocksCookies ? new Map() : jar, input, init);
      const cookie = jar.get("csrftoken");
      clock.setTimeout(() => {
        lateCookie = cookie;
      }, cookieDelay);
      cache.set(url, response.clone());
      return response;
    }
    const env: Environment = {
      fetch: send,
      wall: () => clock.time() + error,
      monotonic: clock.monotonic,
      random: () => random,
      randomBytes: (length) => (lacksRandomBytes ? undefined : new Uint8Array(length).fill(nextByte())),
      setTimeout: (run, delay) => clock.setTimeout(() => deliver(run), delay),
      clearTimeout: clock.clearTimeout,
      storage: toStorage(storage),
      openChannel(name, onMessage) {
        if (blocksChannels) throw new DOMException("blocked", "SecurityError");
        const channel = { name, onMessage: (message: unknown) => void deliver(() => onMessage(message)) };
        channels.add(channel);
        openChannels += 1;
        return {
          postMessage(message) {
            const copy = structuredClone(message);
            messages.push(copy);
            for (const other of channels) {
              if (other !== channel && other.name === name) clock.setTimeout(() => other.onMessage(copy), 1);
            }
          },
          close() {
            openChannels -= channels.delete(channel) ? 1 : 0;
          },
        };
      },
      locks: losesLocks ? { request: () => new Promise(() => undefined) } : locks,
      cookies() {
        const cookie = getCookie();
        return cookie !== undefined && !blocksCookies ? toCookies(cookie) : "theme=dark";
      },
      page: {
        href,
        base: href,
        listen(events, listener) {
          const stops = events.map((event) => {
            const set = listeners.get(event) ?? new Set();
            const call = () => listener(event);
            listeners.set(event, set.add(call));
            return () => set.delete(call);
          });
          return () => {
            for (const stop of stops) stop();
          };
        },
      },
      ...Object.fromEntries(without.map((name) => [name, undefined])),
    };
    const client = "storage" in options ? assembleBearerClient(env, options) : assembleCookieClient(env, options);
    const states: string[] = [];
    client.onChange(({ status, reason, problem }) => states.push([status, reason, problem].filter(Boolean).join(" ")));
    return {
      client,
      states,
      async wake(event) {
        for (const listener of listeners.get(event) ?? []) listener();
        await clock.advance(0);
      },
      openChannels: () => openChannels,
      setWallClockError(next) {
        error = next;
      },
      freeze() {
        missed = [];
      },
      thaw() {
        const late = missed ?? [];
        missed = undefined;
        for (const run of late) run();
      },
    };
  }

  return {
    clock,
    server,
    jar,
    storage,
    messages,
    openTab,
    async logInElsewhere(username) {
      const { csrf_token } = await (await server.fetch(jar, "https://app.example/api/auth/csrf/")).json();
      await server.fetch(jar, "https://app.example/api/auth/login/", {
        method: "POST",
        headers: { [server.csrfHeader]: csrf_token },
        body: JSON.stringify({ username, password: "secret" }),
      });
      server.requests.length = 0;
    },
    async openLoggedIn(options) {
      const tab = openTab(options);
      await clock.advance(100);
      const login = tab.client.login({ username: "alice", password: "secret" });
      await clock.advance(100);
      await login;
      tab.states.length = 0;
      server.requests.length = 0;
      return tab;
    },
  };
}

/** Returns a storage on top of a map. */
export function toStorage(map: Map<string, string>): KeyValueStorage {
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
  };
}

function createFakeLocks(): Locks {
  const held = new Map<string, Promise<unknown>>();
  return {
    async request(name, { signal }, run) {
      const before = held.get(name) ?? Promise.resolve();
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
      const turn = Promise.race([before, aborted]).then(run);
      held.set(name, Promise.allSettled([before, turn]));
      return turn;
    },
  };
}
