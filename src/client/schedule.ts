import type { Environment, PageEvent } from "./environment.ts";

/** A moment on both clocks, in milliseconds. */
export interface Moment {
  readonly mono: number;
  readonly wall: number;
}

/** Seconds until the access token expires and until the client will refresh it; both may have passed. */
export interface Countdown {
  readonly accessExpiresIn: number;
  readonly refreshIn: number;
}

/** When to refresh, and when to try again. Durations are seconds. */
export interface Schedule {
  readonly now: () => Moment;
  /** Seconds since `moment`, by the clock that has gone further: one may have stood still in sleep. */
  readonly since: (moment: Moment) => number;
  /** An access token arrived at `wall` (milliseconds) and lives for `lifetime`. Ends any back-off. */
  readonly adopt: (wall: number, lifetime: number) => void;
  /** When the current access token arrived, if there is one. */
  readonly arrival: () => Moment | undefined;
  readonly isLive: () => boolean;
  readonly isDue: () => boolean;
  readonly countdown: () => Countdown | undefined;
  /** Backs off: exponentially, with full jitter, and never before `retryAfter`. `wanted` is what the next try is for. */
  readonly postpone: (wanted: number, retryAfter: number | undefined) => void;
  /** The most that was wanted since the back-off began; minus infinity outside of one. */
  readonly wanted: () => number;
  readonly isWaiting: () => boolean;
  /** Ends a back-off that the server did not ask for. */
  readonly hurry: () => void;
  /** What was wrong is right again. */
  readonly recover: () => void;
  /** Sets the timer for whatever comes next. */
  readonly arm: () => void;
  /** Forgets everything and stops the timer. */
  readonly clear: () => void;
  /** `clear`, for good. */
  readonly dispose: () => void;
}

/** The longest delay that `setTimeout` can take. */
const longestDelay = 2 ** 31 - 1;
const longestBackoff = 60;

/** Calls `onTimer` when a refresh or a new try may be due; it decides and arms again. */
export function createSchedule(env: Environment, onTimer: () => void): Schedule {
  let token: (Moment & { readonly lifetime: number; readonly due: number }) | undefined;
  let backoff: (Moment & { readonly delay: number; readonly firm: boolean; readonly wanted: number }) | undefined;
  let failures = 0;
  let timer: number | undefined;
  let disposed = false;

  const now = (): Moment => ({ mono: env.monotonic(), wall: env.wallClock() });
  const since = (moment: Moment) => Math.max(env.monotonic() - moment.mono, env.wallClock() - moment.wall) / 1000;
  const isWaiting = () => backoff !== undefined && since(backoff) < backoff.delay;
  const wanted = () => backoff?.wanted ?? Number.NEGATIVE_INFINITY;
  const recover = () => {
    failures = 0;
    backoff = undefined;
  };
  const clear = () => {
    env.clearTimeout(timer);
    token = undefined;
    recover();
  };

  return {
    now,
    since,
    adopt(wall, lifetime) {
      const { mono, wall: wallNow } = now();
      token = { mono: mono - Math.max(0, wallNow - wall), wall, lifetime, due: toRefreshDelay(lifetime, env.random()) };
      recover();
    },
    arrival: () => token,
    isLive: () => token !== undefined && since(token) < token.lifetime,
    isDue: () => token === undefined || since(token) >= token.due,
    countdown() {
      if (!token) return undefined;
      const age = since(token);
      return { accessExpiresIn: token.lifetime - age, refreshIn: token.due - age };
    },
    postpone(after, retryAfter) {
      const delay = (retryAfter ?? 0) + env.random() * Math.min(longestBackoff, 2 ** failures);
      failures += 1;
      backoff = { ...now(), delay, firm: retryAfter !== undefined, wanted: Math.max(after, wanted()) };
    },
    wanted,
    isWaiting,
    hurry() {
      if (backoff && !backoff.firm) backoff = { ...backoff, delay: 0 };
    },
    recover,
    arm() {
      env.clearTimeout(timer);
      const wait = backoff ? backoff.delay - since(backoff) : token ? token.due - since(token) : undefined;
      if (wait === undefined || disposed) return;
      timer = env.setTimeout(onTimer, Math.min(Math.max(0, Math.ceil(wait * 1000)), longestDelay));
    },
    clear,
    dispose() {
      disposed = true;
      clear();
    },
  };
}

/**
 * After how many seconds a token of this lifetime is refreshed: one minute before the end, or at two thirds of a life of
 * two minutes or less. `random` (0 to 1) moves it earlier, never later, so that clients and tabs do not come together.
 */
export function toRefreshDelay(lifetime: number, random: number): number {
  const latest = lifetime > 120 ? lifetime - 60 : (lifetime * 2) / 3;
  return latest - random * Math.min(30, latest / 10);
}

const wakeEvents: readonly PageEvent[] = ["visibilitychange", "resume", "pageshow", "online", "focus"];

/** Calls `wake` whenever timers may have been late. Returns the way to stop. */
export function onWake(env: Environment, wake: (event: PageEvent) => void): () => void {
  const stops = wakeEvents.map((event) => env.page?.listen(event, () => wake(event)));
  return () => {
    for (const stop of stops) stop?.();
  };
}
