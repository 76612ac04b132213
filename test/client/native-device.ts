import { assembleBearerClient, type BearerClient } from "../../src/client/bearer/bearer-client.ts";
import { followAppState, toSecureStorage } from "../../src/client/bearer/native.ts";
import type { Environment } from "../../src/client/environment.ts";
import type { TestAuth } from "../support/auth.ts";

/** What a simulated device does wrong, besides that the app is killed. */
export interface DeviceOptions {
  /** Returns a number from 0 to 1, always the same numbers. */
  readonly random: () => number;
  /** Whether a write of this key is lost although the storage says that it was stored. Default: none is. */
  readonly forgets?: (key: string) => boolean;
  /** Whether the device is locked, and its storage can't be used. Default: it isn't. */
  readonly isLocked?: () => boolean;
}

/** A phone with one app. Its storage survives the app's processes. */
export interface Device {
  /** Starts the app. It is killed at the step `fuel`: before or after one of its storage accesses or requests. */
  readonly start: (fuel?: number) => App;
}

/** One process of the app. */
export interface App {
  readonly client: BearerClient;
  /** Whether it was killed. Nothing that it waits for then ever settles. */
  readonly isDead: () => boolean;
  readonly kill: () => void;
  /** Lets seconds pass in the foreground: timers run, and late responses arrive. */
  readonly advance: (seconds: number) => Promise<void>;
  /** Lets seconds pass in the background, where no timer runs, and brings the app back. */
  readonly suspend: (seconds: number) => Promise<void>;
  /** Lets time pass until a promise settles, and returns its value. */
  readonly finish: <T>(promise: Promise<T>) => Promise<T>;
  /** Waits until the app has nothing to do, or is dead. */
  readonly settle: () => Promise<void>;
  /** Whether requests and responses may be lost. */
  isOnline: boolean;
}

const keyRule = /^[A-Za-z0-9._-]+$/;

/** Creates a device whose app uses the server `auth`. */
export function createDevice(
  auth: TestAuth,
  { random, forgets = () => false, isLocked = () => false }: DeviceOptions,
): Device {
  const stored = new Map<string, string>();

  function start(fuel = Number.POSITIVE_INFINITY): App {
    let left = fuel;
    let isDead = false;
    let running = 0;
    let slept = 0;
    let lastTimer = 0;
    const timers = new Map<number, { readonly at: number; readonly run: () => void }>();
    const late = new Set<() => void>();
    const listeners = new Set<(state: string) => void>();

    /** A point at which the process may be killed. */
    async function step(): Promise<void> {
      left -= 1;
      if (left <= 0) isDead = true;
      if (isDead) await new Promise(() => undefined);
    }

    /** Does something outside of the process: it is killed before, after, or not at all. */
    async function outside<T>(run: () => T | Promise<T>): Promise<T> {
      running += 1;
      try {
        await step();
        const result = await run();
        await step();
        return result;
      } finally {
        running -= 1;
      }
    }

    function requireKey(key: string): void {
      if (isLocked()) throw new Error("User interaction is not allowed.");
      if (!keyRule.test(key)) throw new Error(`SecureStore refuses the key ${key}`);
    }

    const secureStore = {
      getItemAsync: (key: string) =>
        outside(() => {
          requireKey(key);
          return stored.get(key) ?? null;
        }),
      setItemAsync: (key: string, value: string) =>
        outside(() => {
          requireKey(key);
          if (value.length > 2048) throw new Error("SecureStore refuses the value");
          if (!forgets(key)) stored.set(key, value);
        }),
      deleteItemAsync: (key: string) => outside(() => void stored.delete(key)),
    };

    const app: App = {
      client: undefined as never,
      isOnline: false,
      isDead: () => isDead,
      kill() {
        isDead = true;
      },
      async advance(seconds) {
        auth.clock.advance(seconds);
        await app.settle();
        for (;;) {
          const [id, timer] = [...timers].sort((a, b) => a[1].at - b[1].at)[0] ?? [];
          if (isDead || id === undefined || timer === undefined || timer.at > auth.clock.wall()) break;
          timers.delete(id);
          timer.run();
          await app.settle();
        }
        for (const arrive of late) arrive();
        late.clear();
        await app.settle();
      },
      async suspend(seconds) {
        for (const listener of listeners) listener("background");
        slept += seconds * 1_000;
        auth.clock.advance(seconds);
        for (const listener of listeners) listener("active");
        await app.advance(0);
      },
      async finish(promise) {
        let isSettled = false;
        const settled = () => {
          isSettled = true;
        };
        promise.then(settled, settled);
        for (let second = 0; second < 600; second += 1) {
          await app.settle();
          if (isSettled) return promise;
          await app.advance(1);
        }
        throw new Error("the app waits for more than ten minutes");
      },
      async settle() {
        for (let calm = 0; calm < 4 && !isDead; calm = running > late.size ? 0 : calm + 1) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    };

    const env: Environment = {
      fetch: (input, init) =>
        outside(async () => {
          const fate = app.isOnline ? 1 : random();
          if (fate < 0.1) throw new TypeError("Network request failed");
          const { pathname } = new URL(String(input));
          const response = await auth.send(init?.method ?? "GET", pathname, {
            headers: new Headers(init?.headers),
            body: init?.body ?? undefined,
          });
          if (fate < 0.2) throw new TypeError("Network request failed");
          if (fate < 0.3) await new Promise<void>((resolve) => late.add(resolve));
          return response;
        }),
      wall: auth.clock.wall,
      monotonic: () => auth.clock.wall() - slept,
      random,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      setTimeout(run, delay) {
        lastTimer += 1;
        timers.set(lastTimer, { at: auth.clock.wall() + delay, run });
        return lastTimer;
      },
      clearTimeout: (timer) => void timers.delete(timer ?? 0),
      storage: undefined,
    };
    const client = assembleBearerClient(env, {
      baseUrl: "https://auth.example",
      storage: toSecureStorage(secureStore),
    });
    followAppState(client, {
      addEventListener(_type, listener) {
        listeners.add(listener);
        return { remove: () => void listeners.delete(listener) };
      },
    });
    return Object.assign(app, { client });
  }

  return { start };
}
