import type { Environment } from "./environment.ts";

/** A moment on both clocks, in milliseconds. */
export interface Moment {
  readonly mono: number;
  readonly wall: number;
}

/** Something to do `due` seconds after a moment. */
interface Appointment extends Moment {
  readonly due: number;
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
  /** Whether there is a live access token that arrived at `after` (milliseconds, monotonic) or later. */
  readonly isLive: (after: number) => boolean;
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

/** Before every moment of the monotonic clock. */
export const never: number = Number.NEGATIVE_INFINITY;

/** The longest delay that `setTimeout` can take. */
const longestDelay = 2 ** 31 - 1;
const longestBackoff = 60;

/** Calls `onTimer` when a refresh or a new try may be due; it decides and arms again. */
export function createSchedule(env: Environment, onTimer: () => void): Schedule {
  let token: (Appointment & { readonly lifetime: number }) | undefined;
  let backoff: (Appointment & { readonly firm: boolean; readonly wanted: number }) | undefined;
  let failures = 0;
  let timer: number | undefined;
  let disposed = false;

  const now = (): Moment => ({ mono: env.monotonic(), wall: env.wallClock() });
  const since = (moment: Moment) => Math.max(env.monotonic() - moment.mono, env.wallClock() - moment.wall) / 1000;
  const untilDue = (appointment: Appointment) => appointment.due - since(appointment);
  const wanted = () => backoff?.wanted ?? never;
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
    isLive: (after) => token !== undefined && token.mono >= after && since(token) < token.lifetime,
    isDue: () => token === undefined || untilDue(token) <= 0,
    countdown: () => token && { accessExpiresIn: token.lifetime - since(token), refreshIn: untilDue(token) },
    postpone(after, retryAfter) {
      const due = (retryAfter ?? 0) + env.random() * Math.min(longestBackoff, 2 ** failures);
      failures += 1;
      backoff = { ...now(), due, firm: retryAfter !== undefined, wanted: Math.max(after, wanted()) };
    },
    wanted,
    isWaiting: () => backoff !== undefined && untilDue(backoff) > 0,
    hurry() {
      if (backoff && !backoff.firm) backoff = { ...backoff, due: 0 };
    },
    recover,
    arm() {
      env.clearTimeout(timer);
      const next = backoff ?? token;
      if (!next || disposed) return;
      timer = env.setTimeout(onTimer, Math.min(Math.ceil(untilDue(next) * 1000), longestDelay));
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
