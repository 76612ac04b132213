import type { ClientError } from "../client-error.ts";
import { type Environment, toTimerDelay } from "../environment.ts";
import type { SessionRecord } from "./records.ts";

/** A moment on both clocks. Both times are in milliseconds. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** The moment that is `delay` seconds after another moment. */
interface Deadline extends Moment {
  readonly delay: number;
}

/**
 * The times until the access token expires and is refreshed. Both are in seconds, not rounded, and negative if the time has
 * passed.
 */
export interface Countdown {
  /** The number of seconds until the access token expires. */
  readonly accessExpiresIn: number;
  /** The number of seconds until the client refreshes the access token. */
  readonly refreshIn: number;
}

/**
 * Decides when to refresh and when to retry. Durations are in seconds. `notBefore` is a time on the monotonic clock, in
 * milliseconds. An access token that was received before this time is not accepted.
 */
export interface Schedule {
  readonly now: () => Moment;
  /**
   * Returns the number of seconds since `moment`, on the clock that has advanced more. The other clock may have stopped
   * while the machine was asleep.
   */
  readonly secondsSince: (moment: Moment) => number;
  /** Sets the times of the tokens, ends a back-off and starts the timer. */
  readonly setToken: (record: SessionRecord) => void;
  /** Returns when the current access token was received, or `undefined` if there is none. */
  readonly receivedAt: () => Moment | undefined;
  /** Returns whether there is an access token that was received at `notBefore` or later and hasn't expired. */
  readonly isLive: (notBefore: number) => boolean;
  /** Returns whether it is time to refresh. */
  readonly isRefreshDue: () => boolean;
  readonly countdown: () => Countdown | undefined;
  /** Starts an exponential back-off with full jitter, which never ends before the error's `retryAfter`. */
  readonly backOff: (notBefore: number, error?: ClientError) => void;
  /**
   * Counts a refresh that the server refused. Returns whether to offer a login. This is the case after three refusals in a
   * minute or more, or if the refresh token has expired.
   */
  readonly countRefusal: () => boolean;
  /** Returns the latest `notBefore` of the attempts that failed since the back-off began, or `anyToken`. */
  readonly retryTarget: () => number;
  readonly isBackingOff: () => boolean;
  /** Returns the error that started the back-off. */
  readonly getError: () => ClientError | undefined;
  /** Makes the retry due immediately, unless the server sent a `Retry-After` header. */
  readonly skipBackoff: () => void;
  /**
   * Does the same as `skipBackoff` if the server works again: this status says so, and the back-off began because the
   * server didn't work.
   */
  readonly serverAnswered: (status: number) => void;
  /** Ends the back-off after a success. */
  readonly resetBackoff: () => void;
  /** Starts the timer for the next retry or refresh. */
  readonly startTimer: () => void;
  /** Forgets the token and the back-off, and stops the timer. */
  readonly clear: () => void;
  /** Clears the schedule. After that, no timer is started. */
  readonly dispose: () => void;
}

/** A value for `notBefore` with which every access token that hasn't expired is accepted. */
export const anyToken: number = -Infinity;
/** A value for `notBefore` with which only an access token that is received in the future is accepted. */
export const newToken: number = Infinity;

/** The longest back-off, in seconds. */
const maxBackoff = 60;

/** Creates a schedule. `onTimer` is called when a refresh or a retry may be due. */
export function createSchedule(env: Environment, onTimer: () => void): Schedule {
  let token: (Deadline & Pick<SessionRecord, "lifetime" | "refreshLifetime">) | undefined;
  let backoff: (Deadline & { readonly error: ClientError | undefined; readonly notBefore: number }) | undefined;
  let failures = 0;
  let refusals = 0;
  let firstRefusal: Moment;
  let timer: number | undefined;
  let disposed = false;

  const now = (): Moment => ({ monotonic: env.monotonic(), wall: env.wallClock() });
  const secondsSince = ({ monotonic, wall }: Moment) =>
    Math.max(env.monotonic() - monotonic, env.wallClock() - wall) / 1000;
  const secondsUntil = (deadline: Deadline) => deadline.delay - secondsSince(deadline);
  const retryTarget = () => backoff?.notBefore ?? anyToken;
  const resetBackoff = () => {
    failures = 0;
    refusals = 0;
    backoff = undefined;
  };
  const skipBackoff = () => {
    if (backoff && backoff.error?.retryAfter === undefined) backoff = { ...backoff, delay: 0 };
  };
  const startTimer = () => {
    env.clearTimeout(timer);
    const next = backoff ?? token;
    if (next && !disposed) timer = env.setTimeout(onTimer, toTimerDelay(secondsUntil(next) * 1000));
  };
  const clear = () => {
    env.clearTimeout(timer);
    token = undefined;
    resetBackoff();
  };

  return {
    now,
    secondsSince,
    setToken({ at: wall, lifetime, refreshLifetime }) {
      const current = now();
      const monotonic = current.monotonic - Math.max(0, current.wall - wall);
      token = { monotonic, wall, lifetime, refreshLifetime, delay: toRefreshDelay(lifetime, env.random()) };
      resetBackoff();
      startTimer();
    },
    receivedAt: () => token,
    isLive: (notBefore) => token !== undefined && token.monotonic >= notBefore && secondsSince(token) < token.lifetime,
    isRefreshDue: () => token === undefined || secondsUntil(token) <= 0,
    countdown: () => token && { accessExpiresIn: token.lifetime - secondsSince(token), refreshIn: secondsUntil(token) },
    backOff(notBefore, error) {
      const delay = (error?.retryAfter ?? 0) + env.random() * Math.min(maxBackoff, 2 ** failures);
      failures += 1;
      backoff = { ...now(), delay, error, notBefore: Math.max(notBefore, retryTarget()) };
    },
    countRefusal() {
      if (refusals === 0) firstRefusal = now();
      refusals += 1;
      const isExpired = token !== undefined && secondsSince(token) >= (token.refreshLifetime ?? newToken);
      return isExpired || (refusals >= 3 && secondsSince(firstRefusal) >= 60);
    },
    retryTarget,
    isBackingOff: () => backoff !== undefined && secondsUntil(backoff) > 0,
    getError: () => backoff?.error,
    skipBackoff,
    serverAnswered(status) {
      if (!isWorking(status) || !backoff?.error || isWorking(backoff.error.status)) return;
      skipBackoff();
      startTimer();
    },
    resetBackoff,
    startTimer,
    clear,
    dispose() {
      disposed = true;
      clear();
    },
  };
}

/**
 * Returns the number of seconds after which an access token is refreshed: one minute before it expires or, if its lifetime
 * is two minutes or less, after two thirds of its lifetime. `random` (0 to 1) makes this time earlier, never later, so that
 * clients and tabs don't refresh at the same moment.
 */
export function toRefreshDelay(lifetime: number, random: number): number {
  const latest = lifetime > 120 ? lifetime - 60 : (lifetime * 2) / 3;
  return latest - random * Math.min(30, latest / 10);
}

/** Returns whether the status proves that the server works. Gateways answer 5xx if the server is down. */
function isWorking(status: number): boolean {
  return status > 0 && status < 500;
}
