import type { ClientError } from "../client-error.ts";
import { type Environment, toTimerDelay } from "../environment.ts";
import type { SessionRecord } from "./records.ts";
import { type Stopwatch, startStopwatch } from "./stopwatch.ts";

/** The moment that is `delay` seconds after the start of a stopwatch. */
interface Deadline {
  readonly age: Stopwatch;
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
  /** Sets the times of the tokens, ends a back-off and starts the timer. */
  readonly set: (record: SessionRecord) => void;
  /** Returns the times of the current access token, as another object for each token, or `undefined` if no session is known. */
  readonly token: () => object | undefined;
  /** Returns whether there is an access token that was received at `notBefore` or later and hasn't expired. */
  readonly isLive: (notBefore: number) => boolean;
  /** Returns the `notBefore` of what is due: that of a retry, or now if it is time to refresh, or `anyToken`. */
  readonly due: () => number;
  readonly countdown: () => Countdown | undefined;
  /** Starts an exponential back-off with full jitter, which never ends before the error's `retryAfter`. */
  readonly backOff: (notBefore: number, error?: ClientError) => void;
  /**
   * Counts a refresh that the server refused. Returns whether to offer a login. This is the case after three refusals in a
   * minute or more, or if the refresh token has expired.
   */
  readonly refused: () => boolean;
  readonly waits: () => boolean;
  /** Returns the error that started the back-off. */
  readonly error: () => ClientError | undefined;
  /** Makes the retry due immediately, unless the server sent a `Retry-After` header. */
  readonly skip: () => void;
  /**
   * Does the same as `skip` if the server works again: this status says so, and the back-off began because the server
   * didn't work.
   */
  readonly answered: (status: number) => void;
  /** Ends the back-off after a success, unless a later `notBefore` has failed. Default: `newToken`. */
  readonly reset: (notBefore?: number) => void;
  /** Starts the timer for the next retry or refresh. */
  readonly start: () => void;
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

/** Creates a schedule. `check` is called when a refresh or a retry may be due. */
export function createSchedule(env: Environment, check: () => void): Schedule {
  let onTimer: typeof check | undefined = check;
  let token: (Deadline & Pick<SessionRecord, "lifetime" | "refreshLifetime">) | undefined;
  let backoff: (Deadline & { readonly error: ClientError | undefined; readonly notBefore: number }) | undefined;
  let failures = 0;
  let refusals = 0;
  let firstRefusal: Stopwatch | undefined;
  let timer: number | undefined;

  const secondsUntil = ({ age, delay }: Deadline) => delay - age();
  const retryTarget = () => backoff?.notBefore ?? anyToken;
  const reset = (notBefore = newToken) => {
    if (notBefore < retryTarget()) return;
    failures = 0;
    refusals = 0;
    firstRefusal = undefined;
    backoff = undefined;
  };
  const start = () => {
    env.clearTimeout(timer);
    const next = backoff ?? token;
    if (next && onTimer) timer = env.setTimeout(onTimer, toTimerDelay(secondsUntil(next) * 1000));
  };
  const skip = () => {
    if (backoff && backoff.error?.retryAfter === undefined) backoff = { ...backoff, delay: 0 };
    start();
  };
  const clear = () => {
    env.clearTimeout(timer);
    token = undefined;
    reset();
  };

  return {
    set({ at, lifetime, refreshLifetime }) {
      const delay = toRefreshDelay(lifetime, env.random());
      token = { age: startStopwatch(env, at), delay, lifetime, refreshLifetime };
      reset();
      start();
    },
    token: () => token,
    isLive: (notBefore) =>
      Boolean(token && token.age() < token.lifetime && token.age() <= (env.monotonic() - notBefore) / 1000),
    due: () => Math.max(retryTarget(), token && secondsUntil(token) > 0 ? anyToken : env.monotonic()),
    countdown: () => token && { accessExpiresIn: token.lifetime - token.age(), refreshIn: secondsUntil(token) },
    backOff(notBefore, error) {
      const delay = (error?.retryAfter ?? 0) + env.random() * Math.min(maxBackoff, 2 ** failures);
      failures += 1;
      backoff = { age: startStopwatch(env), delay, error, notBefore: Math.max(notBefore, retryTarget()) };
    },
    refused() {
      firstRefusal ??= startStopwatch(env);
      refusals += 1;
      const isExpired = token && token.age() >= (token.refreshLifetime ?? newToken);
      return isExpired || (refusals >= 3 && firstRefusal() >= 60);
    },
    waits: () => Boolean(backoff && secondsUntil(backoff) > 0),
    error: () => backoff?.error,
    skip,
    answered(status) {
      if (isWorking(status) && backoff?.error && !isWorking(backoff.error.status)) skip();
    },
    reset,
    start,
    clear,
    dispose() {
      onTimer = undefined;
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
export function isWorking(status: number): boolean {
  return status > 0 && status < 500;
}
