import { days, hours } from "../../core/settings/durations.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { CountSnapshot, CountVerdict, FailureCount } from "../../core/store/throttle.ts";
import type { ThrottleScope } from "../../events/events.ts";

/** What one attempt to log in is counted under, and when that is too much. */
export interface Counter {
  readonly key: string;
  readonly scope: ThrottleScope;
  /** Failures after which delays begin. */
  readonly free: number;
  /** Failures after which there are no more attempts. */
  readonly end: number;
  /** When the failures are forgotten. */
  readonly toExpiry: (now: number, earlier: FailureCount | undefined) => number | null;
}

export type Delays = Pick<Settings, "loginDelay" | "maxLoginDelay">;

/** Whether an attempt may be made. Where it may, it has been counted as a failure already. */
export type AttemptDecision =
  | { readonly admitted: true; readonly failures: ReadonlyMap<ThrottleScope, number> }
  | {
      readonly admitted: false;
      readonly scope: ThrottleScope;
      readonly retryAfter: number;
      /** The store's time. */
      readonly time: number;
    };

/** What an attempt without an end is told: as long as nobody unlocks the account, no time would be right. */
const endless = days(1);

/** Failures from an address count for an hour from the first; from an address on one account, for a day from the last. */
export const expiries = {
  ofAddress: (now: number, earlier: FailureCount | undefined): number => earlier?.expiresAt ?? now + hours(1),
  ofPair: (now: number): number => now + days(1),
  ofUser: (): null => null,
  /** Long enough that a name which no user has looks like one that a user has. */
  ofNobody: (now: number): number => now + days(90),
};

/** Counts an attempt under all of `counters`, or refuses it and counts it under none. */
export function countFailure(
  counters: readonly Counter[],
  delays: Delays,
  { counts, now }: CountSnapshot,
): CountVerdict<AttemptDecision> {
  const waits = counters.map((counter) => ({
    scope: counter.scope,
    retryAfter: toWait(counter, delays, counts.get(counter.key), now),
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

/** Takes one failure back under each of `counters`; under those of `scopes` all of them. */
export function refund(
  counters: readonly Counter[],
  scopes: ReadonlySet<ThrottleScope>,
  { counts }: CountSnapshot,
): CountVerdict<null> {
  const changes = new Map<string, FailureCount | null>();
  for (const { key, scope } of counters) {
    const count = counts.get(key);
    if (count === undefined) continue;
    const isDone = scopes.has(scope) || count.failures <= 1;
    changes.set(key, isDone ? null : { ...count, failures: count.failures - 1 });
  }
  return { result: null, changes };
}

/** Seconds until the next attempt. A clock that was set back makes no delay longer than it is. */
function toWait({ free, end }: Counter, delays: Delays, count: FailureCount | undefined, now: number): number {
  const failures = count?.failures ?? 0;
  if (failures >= end) return endless;
  if (count === undefined || failures < free) return 0;
  const delay = Math.min(delays.maxLoginDelay, delays.loginDelay * 2 ** (failures - free));
  return Math.min(delay, Math.max(0, count.lastAt + delay - now));
}
