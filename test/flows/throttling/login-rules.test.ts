import { describe, expect, it } from "vitest";
import type { FailureCount } from "../../../src/core/store/throttle.ts";
import type { LoginSubject } from "../../../src/flows/throttling/login-counters.ts";
import { toCounters } from "../../../src/flows/throttling/login-counters.ts";
import { type Counter, countFailure, refund, settleFailure } from "../../../src/flows/throttling/login-rules.ts";

const limits = {
  maxLoginFailures: 20,
  loginFailuresBeforeDelay: 3,
  accountFailuresBeforeDelay: 7,
  addressFailuresBeforeDelay: 12,
};
const delays = { loginDelay: 5, maxLoginDelay: 900 };
const cleared = new Set(["account", "pair", "device"] as const);

/** Numbers from 0 to `below - 1` that are the same in every run. */
function createDice(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const toSubject = (account: number, address: number): LoginSubject => ({
  accountKey: `account:${account}`,
  username: `user${account}`,
  userId: String(account),
  mayBeUser: true,
  deviceId: null,
  client: { ip: `192.0.2.${address}` },
});

/**
 * Lets attempts at three accounts from three addresses begin and be settled in a random order, while the clock stands still.
 * Counts by itself how many attempts are under way, and how many passwords were wrong since the account's last success.
 */
function explore(seed: number, steps: number) {
  const roll = createDice(seed);
  const counts = new Map<string, FailureCount>();
  const underWay: { counters: readonly Counter[] }[] = [];
  const wrong = new Map<string, number>();
  const [now, seen] = [1_000, { admitted: 0, waiting: 0, refused: 0 }];
  const apply = (changes: ReadonlyMap<string, FailureCount | null>) => {
    for (const [key, count] of changes) {
      if (count === null) counts.delete(key);
      else counts.set(key, count);
    }
  };

  function begin(): void {
    const counters = toCounters(limits, toSubject(roll(3), roll(3)));
    const { result, changes } = countFailure(counters, delays, { counts, now });
    if (!result.admitted) seen[result.waitsFor === null ? "refused" : "waiting"] += 1;
    else {
      seen.admitted += 1;
      underWay.push({ counters });
    }
    apply(changes);
  }

  function settle(): void {
    const [attempt] = underWay.splice(roll(underWay.length), 1);
    if (attempt === undefined) return;
    const { counters } = attempt;
    const outcome = roll(10);
    if (outcome < 7) {
      for (const { key } of counters) wrong.set(key, (wrong.get(key) ?? 0) + 1);
      apply(settleFailure(counters, { counts, now }).changes);
    } else {
      const clears = outcome < 9;
      if (clears) for (const { key, scope } of counters) if (scope !== "address") wrong.delete(key);
      apply(refund(counters, clears ? cleared : new Set(), { counts, now }).changes);
    }
  }

  function check(): void {
    const inFlight = new Map<string, number>();
    for (const { counters } of underWay) {
      for (const { key } of counters) inFlight.set(key, (inFlight.get(key) ?? 0) + 1);
    }
    for (const account of [0, 1, 2]) {
      for (const address of [0, 1, 2]) {
        for (const { key, delayAfter, lockAfter } of toCounters(limits, toSubject(account, address))) {
          const total = (wrong.get(key) ?? 0) + (inFlight.get(key) ?? 0);
          const limit = Math.min(delayAfter, lockAfter);
          const counted = counts.get(key)?.failures ?? 0;
          // Calling `expect` a million times would take most of the time.
          if (total > limit || counted !== total)
            expect.fail(`seed ${seed}: ${key}: ${total} of ${limit}, ${counted} counted`);
        }
      }
    }
  }

  for (let step = 0; step < steps; step++) {
    if (roll(2) === 0) begin();
    else settle();
    check();
  }
  while (underWay.length > 0) settle();
  const pending = [...counts.keys()].filter((key) => key.endsWith("/pending"));
  expect(pending, `seed ${seed}`).toEqual([]);
  return seen;
}

describe("the counts of failed logins", () => {
  it("never let attempts under way and wrong passwords together exceed a limit, in whatever order they are settled", () => {
    const totals = { admitted: 0, waiting: 0, refused: 0 };
    for (let seed = 1; seed <= 150; seed++) {
      const seen = explore(seed, 120);
      for (const name of ["admitted", "waiting", "refused"] as const) totals[name] += seen[name];
    }
    expect(Object.values(totals).every((total) => total > 500)).toBe(true);
  });

  it("turn an attempt that is never settled into a failure after a minute", () => {
    const counters = toCounters({ ...limits, loginFailuresBeforeDelay: 1 }, toSubject(1, 1));
    const { changes } = countFailure(counters, delays, { counts: new Map(), now: 1_000 });
    const decideAt = (now: number) => {
      const counts = new Map<string, FailureCount>();
      for (const [key, count] of changes) {
        if (count !== null && (count.expiresAt === null || count.expiresAt > now)) counts.set(key, count);
      }
      return countFailure(counters, { loginDelay: 100, maxLoginDelay: 100 }, { counts, now }).result;
    };
    expect(decideAt(1_001)).toMatchObject({ admitted: false, waitsFor: expect.stringContaining("account:1/address:") });
    expect(decideAt(1_060)).toMatchObject({ admitted: false, waitsFor: null, retryAfter: 40, scope: "pair" });
  });
});
