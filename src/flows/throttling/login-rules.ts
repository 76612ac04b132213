import { days, hours } from "../../core/settings/durations.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { CountSnapshot, CountVerdict, FailureCount } from "../../core/store/throttle.ts";
import type { ThrottleScope } from "../../events/events.ts";

/** A count of failed logins, and its limits. */
export interface Counter {
  /** The key under which the count is stored. */
  readonly key: string;
  readonly scope: ThrottleScope;
  /** The number of failures after which delays begin. */
  readonly delayAfter: number;
  /** The number of failures after which no further attempts are admitted. */
  readonly lockAfter: number;
  /** Returns when a count expires after a new failure, in whole seconds since the epoch. `null` means never. */
  readonly toExpiry: (now: number, earlier: FailureCount | undefined) => number | null;
}

/** The settings for the length of delays. */
export type Delays = Pick<Settings, "loginDelay" | "maxLoginDelay">;

/** Whether an attempt is admitted. If it is, it has been counted as a failure. */
export type AttemptDecision =
  | {
      readonly admitted: true;
      /** The number of failures by scope, including this attempt and other attempts that are not settled yet. */
      readonly failures: ReadonlyMap<ThrottleScope, number>;
      /** The number of settled failures by scope. */
      readonly settled: ReadonlyMap<ThrottleScope, number>;
    }
  | {
      readonly admitted: false;
      /** The scope with the longest delay. */
      readonly scope: ThrottleScope;
      /** The number of seconds to wait before the next attempt. */
      readonly retryAfter: number;
      /** The database's time, in whole seconds since the epoch. */
      readonly time: number;
      /**
       * The key of a count that is too high only because of attempts that are not settled yet. `null` if there is no such
       * count.
       */
      readonly waitsFor: string | null;
    };

/**
 * How long an attempt may take to be settled, in seconds. After that, it counts as an ordinary failure, because the process
 * that verified the password may have crashed.
 */
const pendingLifetime = 60;

/** Returns the key that counts the attempts under `key` that are not settled yet. */
const toPendingKey = (key: string) => `${key}/pending`;

/** Returns all keys that a decision about these counters reads or writes. */
export function toKeys(counters: readonly Counter[]): readonly string[] {
  return counters.flatMap(({ key }) => [key, toPendingKey(key)]);
}

/**
 * The `retryAfter` of a locked account, in seconds. The value is arbitrary, because only an operator can unlock the
 * account.
 */
const lockedRetryAfter = days(1);

/** When counts expire. */
export const expiries = {
  /** An hour after the first failure. */
  address: (now: number, earlier: FailureCount | undefined): number => earlier?.expiresAt ?? now + hours(1),
  /** A day after the last failure. */
  pair: (now: number): number => now + days(1),
  /** Never. */
  user: (): null => null,
  /** After 90 days. This is so long that an unknown name can't be distinguished from a user's name. */
  unknownName: (now: number): number => now + days(90),
};

/**
 * Counts an attempt with all of `counters`, or refuses it and counts it with none of them. A refusal says whether the
 * attempt can wait: other attempts that are not settled yet may turn out to be successful.
 */
export function countFailure(
  counters: readonly Counter[],
  delays: Delays,
  snapshot: CountSnapshot,
): CountVerdict<AttemptDecision> {
  const { now } = snapshot;
  const waits = counters.map((counter) => {
    const { settled, pending } = readCount(counter, snapshot);
    const mayEnd = pending > 0 && settled < counter.lockAfter;
    return { ...counter, retryAfter: toWait(counter, delays, snapshot), mayEnd };
  });
  const refusing = waits.filter(({ retryAfter }) => retryAfter > 0).sort((a, b) => b.retryAfter - a.retryAfter);
  const [longest] = refusing.some(({ mayEnd }) => !mayEnd) ? refusing.filter(({ mayEnd }) => !mayEnd) : refusing;
  if (longest !== undefined) {
    const { scope, mayEnd, key } = longest;
    const retryAfter = mayEnd ? Math.min(longest.retryAfter, delays.loginDelay) : longest.retryAfter;
    return {
      result: { admitted: false, time: now, scope, retryAfter, waitsFor: mayEnd ? key : null },
      changes: new Map(),
    };
  }
  const changes = new Map<string, FailureCount>();
  const failures = new Map<ThrottleScope, number>();
  const settledBefore = new Map<ThrottleScope, number>();
  for (const counter of counters) {
    const { key, scope, toExpiry } = counter;
    const { count, settled, pending } = readCount(counter, snapshot);
    failures.set(scope, settled + pending + 1);
    settledBefore.set(scope, settled);
    changes.set(key, { failures: settled + pending + 1, lastAt: now, expiresAt: toExpiry(now, count) });
    changes.set(toPendingKey(key), { failures: pending + 1, lastAt: now, expiresAt: now + pendingLifetime });
  }
  return { result: { admitted: true, failures, settled: settledBefore }, changes };
}

/** Settles an attempt whose password was wrong. It becomes an ordinary failure. */
export function settleFailure(counters: readonly Counter[], snapshot: CountSnapshot): CountVerdict<null> {
  return { result: null, changes: new Map(counters.flatMap((counter) => toSettled(counter, snapshot))) };
}

/**
 * Settles an attempt and removes its failure from each of `counters`. If a counter's scope is in `cleared`, all settled
 * failures are removed too, so that only attempts that are not settled yet still count.
 */
export function refund(
  counters: readonly Counter[],
  cleared: ReadonlySet<ThrottleScope>,
  snapshot: CountSnapshot,
): CountVerdict<null> {
  const changes = new Map<string, FailureCount | null>();
  for (const counter of counters) {
    for (const [key, count] of toSettled(counter, snapshot)) changes.set(key, count);
    const { count, settled, pending } = readCount(counter, snapshot);
    if (count === undefined) continue;
    const others = Math.max(0, pending - 1);
    const left = cleared.has(counter.scope) ? others : Math.max(0, settled + pending - 1);
    changes.set(counter.key, left === 0 ? null : { ...count, failures: left });
  }
  return { result: null, changes };
}

/**
 * Settles an attempt that has passed the first of two steps: takes its failure back, and ends the delay that it has waited for. The
 * second step counts as another attempt, which would otherwise have to wait again.
 */
export function passFirstStep(
  counters: readonly Counter[],
  delays: Delays,
  snapshot: CountSnapshot,
): CountVerdict<null> {
  const { changes } = refund(counters, new Set(), snapshot);
  const passed = new Map(changes);
  for (const counter of counters) {
    const count = changes.get(counter.key);
    if (count === undefined || count === null) continue;
    passed.set(counter.key, { ...count, lastAt: snapshot.now - toDelay(counter, delays, count.failures) });
  }
  return { result: null, changes: passed };
}

/** Returns the change that says that one more attempt is settled. */
function toSettled({ key }: Counter, { counts }: CountSnapshot): readonly (readonly [string, FailureCount | null])[] {
  const pending = counts.get(toPendingKey(key));
  if (pending === undefined) return [];
  const left = pending.failures - 1;
  return [[toPendingKey(key), left <= 0 ? null : { ...pending, failures: left }]];
}

/** Returns the failures under a key: the settled ones, and the attempts that are not settled yet. */
function readCount({ key }: Counter, { counts }: CountSnapshot) {
  const count = counts.get(key);
  const failures = count?.failures ?? 0;
  const pending = Math.min(failures, counts.get(toPendingKey(key))?.failures ?? 0);
  return { count, settled: failures - pending, pending };
}

/**
 * Returns the number of seconds until the next attempt. It is never more than the whole delay, even if the clock was set
 * back.
 */
function toWait(counter: Counter, delays: Delays, { counts, now }: CountSnapshot): number {
  const count = counts.get(counter.key);
  const failures = count?.failures ?? 0;
  if (failures >= counter.lockAfter) return lockedRetryAfter;
  if (count === undefined) return 0;
  const delay = toDelay(counter, delays, failures);
  return Math.min(delay, Math.max(0, count.lastAt + delay - now));
}

/** Returns the delay after this many failures, in seconds. */
function toDelay({ delayAfter }: Counter, { loginDelay, maxLoginDelay }: Delays, failures: number): number {
  return failures < delayAfter ? 0 : Math.min(maxLoginDelay, loginDelay * 2 ** (failures - delayAfter));
}
