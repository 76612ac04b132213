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
      /** Failures by scope, this attempt and those that are not settled yet included. */
      readonly failures: ReadonlyMap<ThrottleScope, number>;
      /** Settled failures by scope. */
      readonly settled: ReadonlyMap<ThrottleScope, number>;
    }
  | {
      readonly admitted: false;
      /** The scope with the longest delay. */
      readonly scope: ThrottleScope;
      /** Seconds. */
      readonly retryAfter: number;
      /** The database's time: whole seconds since the epoch. */
      readonly time: number;
      /** The key of a count that is only too high because of attempts that are not settled yet; `null` for none. */
      readonly waitsFor: string | null;
    };

/**
 * How long an attempt may take to be settled, in seconds. After that it is an ordinary failure: the process that verified
 * the password may have crashed.
 */
const pendingLifetime = 60;

/** The key under which the attempts are counted that are counted under `key` and not settled yet. */
const toPendingKey = (key: string) => `${key}/pending`;

/** Returns all keys that a decision about these counters reads and writes. */
export function toKeys(counters: readonly Counter[]): readonly string[] {
  return counters.flatMap(({ key }) => [key, toPendingKey(key)]);
}

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

/**
 * Counts an attempt under all of `counters`, or refuses it and counts it under none. A refusal says if other attempts, which
 * are counted but not settled, may make room: then the attempt can wait for them.
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

/** Settles an attempt whose password was wrong: it becomes an ordinary failure. */
export function settleFailure(counters: readonly Counter[], snapshot: CountSnapshot): CountVerdict<null> {
  return { result: null, changes: new Map(counters.flatMap((counter) => toSettled(counter, snapshot))) };
}

/**
 * Settles an attempt and takes its failure back under each of `counters`. Of the counts whose scope is in `cleared`, only
 * other attempts stay that are not settled yet.
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

/** Returns the failures under a key: those that are settled, and attempts of which that is not known yet. */
function readCount({ key }: Counter, { counts }: CountSnapshot) {
  const count = counts.get(key);
  const failures = count?.failures ?? 0;
  const pending = Math.min(failures, counts.get(toPendingKey(key))?.failures ?? 0);
  return { count, settled: failures - pending, pending };
}

/** Returns the seconds until the next attempt: never more than the whole delay, even if the clock was set back. */
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
