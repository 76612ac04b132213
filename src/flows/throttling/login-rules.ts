import { days, hours } from "../../core/settings/durations.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { CountSnapshot, CountVerdict, FailureCount } from "../../core/store/throttle.ts";
import type { ThrottleScope } from "../../events/events.ts";

/** One count of failed logins, and the limits on it. */
export interface Counter {
  /** The key under which the store keeps the count. */
  readonly key: string;
  readonly scope: ThrottleScope;
  /** Failures after which delays begin. */
  readonly delayAfter: number;
  /** Failures after which no more attempts are admitted. */
  readonly lockAfter: number;
  /** Returns when a count with a new failure expires: whole seconds since the epoch; `null` for never. */
  readonly toExpiry: (now: number, earlier: FailureCount | undefined) => number | null;
}

/** How long delays are. */
export type Delays = Pick<Settings, "loginDelay" | "maxLoginDelay">;

/** Whether an attempt is admitted. An admitted attempt has been counted as a failure. */
export type AttemptDecision =
  | {
      readonly admitted: true;
      /** Failures by scope, this attempt included. */
      readonly failures: ReadonlyMap<ThrottleScope, number>;
    }
  | {
      readonly admitted: false;
      /** The scope with the longest delay. */
      readonly scope: ThrottleScope;
      /** Seconds. */
      readonly retryAfter: number;
      /** The database's time: whole seconds since the epoch. */
      readonly time: number;
    };

/** The `retryAfter` of a locked account, in seconds: only an operator can unlock it, so no time would be right. */
const lockedRetryAfter = days(1);

/** When counts expire. */
export const expiries = {
  /** An hour after the first failure. */
  address: (now: number, earlier: FailureCount | undefined): number => earlier?.expiresAt ?? now + hours(1),
  /** A day after the last failure. */
  pair: (now: number): number => now + days(1),
  /** Never. */
  user: (): null => null,
  /** After a time so long that an unknown name looks like a user's. */
  unknownName: (now: number): number => now + days(90),
};

/** Counts an attempt under all of `counters`, or refuses it and counts it under none. */
export function countFailure(
  counters: readonly Counter[],
  delays: Delays,
  snapshot: CountSnapshot,
): CountVerdict<AttemptDecision> {
  const { counts, now } = snapshot;
  const waits = counters.map((counter) => ({
    scope: counter.scope,
    retryAfter: toWait(counter, delays, snapshot),
  }));
  const [longest] = waits.sort((a, b) => b.retryAfter - a.retryAfter);
  if (longest !== undefined && longest.retryAfter > 0) {
    return { result: { admitted: false, time: now, ...longest }, changes: new Map() };
  }
  const counted = counters.map(({ key, scope, toExpiry }) => {
    const earlier = counts.get(key);
    const failures = (earlier?.failures ?? 0) + 1;
    return { key, scope, count: { failures, lastAt: now, expiresAt: toExpiry(now, earlier) } };
  });
  return {
    result: { admitted: true, failures: new Map(counted.map(({ scope, count }) => [scope, count.failures])) },
    changes: new Map(counted.map(({ key, count }) => [key, count])),
  };
}

/** Takes one failure back under each of `counters`, and clears the counts whose scope is in `cleared`. */
export function refund(
  counters: readonly Counter[],
  cleared: ReadonlySet<ThrottleScope>,
  { counts }: CountSnapshot,
): CountVerdict<null> {
  const changes = new Map<string, FailureCount | null>();
  for (const { key, scope } of counters) {
    const count = counts.get(key);
    if (count === undefined) continue;
    const isCleared = cleared.has(scope) || count.failures <= 1;
    changes.set(key, isCleared ? null : { ...count, failures: count.failures - 1 });
  }
  return { result: null, changes };
}

/** Returns the seconds until the next attempt: never more than the whole delay, even if the clock was set back. */
function toWait(counter: Counter, delays: Delays, { counts, now }: CountSnapshot): number {
  const count = counts.get(counter.key);
  const failures = count?.failures ?? 0;
  if (failures >= counter.lockAfter) return lockedRetryAfter;
  if (count === undefined || failures < counter.delayAfter) return 0;
  const delay = Math.min(delays.maxLoginDelay, delays.loginDelay * 2 ** (failures - counter.delayAfter));
  return Math.min(delay, Math.max(0, count.lastAt + delay - now));
}
