import { type Client, type ClientOptions, createClientIn } from "../../src/client/client.ts";
import type { Environment, KeyValueStorage, Locks, PageEvent } from "../../src/client/environment.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { type CookieJar, createFakeServer, type FakeServer } from "./fake-server.ts";

export interface FakeTab {
  readonly client: Client;
  readonly states: string[];
  readonly wake: (event: PageEvent) => Promise<void>;
  readonly openChannels: () => number;
  /** Milliseconds by which the wall clock is wrong from now on. */
  readonly setWallClockError: (error: number) => void;
}

/** What a tab has to do without, and what is odd about it. */
export interface TabOptions extends ClientOptions {
  readonly without?: readonly ("storage" | "openChannel" | "locks")[];
  /** Milliseconds by which the wall clock is wrong. */
  readonly wallClockError?: number;
  readonly random?: number;
  readonly href?: string;
}

export interface FakeBrowser {
  readonly clock: FakeClock;
  readonly server: FakeServer;
  readonly jar: CookieJar;
  readonly storage: Map<string, string>;
  readonly openTab: (options?: TabOptions) => FakeTab;
  /** A tab in which alice has just logged in. */
  readonly openLoggedIn: (options?: TabOptions) => Promise<FakeTab>;
}

/** One browser at one server; its tabs share cookies, storage, channels and locks. */
export function createFakeBrowser(): FakeBrowser {
  const clock = createFakeClock();
  const server = createFakeServer(clock);
  const jar: CookieJar = new Map();
  const storage = new Map<string, string>();
  const channels = new Set<{ readonly name: string; readonly onMessage: (message: unknown) => void }>();
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
    ...options
  }: TabOptions = {}): FakeTab {
    const listeners = new Map<PageEvent, Set<() => void>>();
    let own = 0;
    let error = wallClockError;
    const env: Environment = {
      fetch: (input, init) => server.fetch(jar, input, init),
      wallClock: () => clock.time() + error,
      monotonic: clock.monotonic,
      random: () => random,
      randomBytes: (length) => new Uint8Array(length).fill(nextByte()),
      setTimeout: clock.setTimeout,
      clearTimeout: clock.clearTimeout,
      storage: toStorage(storage),
      openChannel(name, onMessage) {
        const channel = { name, onMessage };
        channels.add(channel);
        own += 1;
        return {
          postMessage(message) {
            const copy = structuredClone(message);
            for (const other of channels) {
              if (other !== channel && other.name === name) clock.setTimeout(() => other.onMessage(copy), 1);
            }
          },
          close() {
            own -= channels.delete(channel) ? 1 : 0;
          },
        };
      },
      locks,
      page: {
        href,
        base: href,
        cookies: () => (jar.has("csrftoken") ? `theme=dark; csrftoken=${jar.get("csrftoken")}` : "theme=dark"),
        listen(event, listener) {
          const set = listeners.get(event) ?? new Set();
          listeners.set(event, set.add(listener));
          return () => void set.delete(listener);
        },
      },
      ...Object.fromEntries(without.map((name) => [name, undefined])),
    };
    const client = createClientIn(env, options);
    const states: string[] = [];
    client.onChange(({ status, reason, problem }) => states.push([status, reason, problem].filter(Boolean).join(" ")));
    return {
      client,
      states,
      async wake(event) {
        for (const listener of listeners.get(event) ?? []) listener();
        await clock.advance(0);
      },
      openChannels: () => own,
      setWallClockError(next) {
        error = next;
      },
    };
  }

  return {
    clock,
    server,
    jar,
    storage,
    openTab,
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
