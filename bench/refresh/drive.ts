import type { Contender, Figures } from "../harness/comparison.ts";
import { quantile } from "../harness/statistics.ts";

/** The columns of what `drive` measures. Ratios are of the first. */
export const rates = { columns: ["refreshes/s", "p50 ms", "p99 ms"], better: "higher" } as const;

/** Refreshes session `n` once. */
export type Refresh = (n: number) => unknown;

/**
 * A contender that keeps `inFlight` refreshes under way for `seconds`, each of another session of `lane`'s, a quarter of all:
 * in an order without a pattern, so that neighbours in time are no neighbours in the table.
 */
export function drive(refresh: Refresh, lane: Lane, inFlight: number, seconds: number): Contender {
  return async (): Promise<Figures> => {
    const latencies: number[] = [];
    const startedAt = performance.now();
    const endsAt = startedAt + seconds * 1_000;
    const work = async () => {
      for (let at = performance.now(); at < endsAt; ) {
        await refresh(lane.next());
        const now = performance.now();
        latencies.push(now - at);
        at = now;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, work));
    const elapsed = (performance.now() - startedAt) / 1_000;
    const sorted = latencies.sort((a, b) => a - b);
    return {
      "refreshes/s": sorted.length / elapsed,
      "p50 ms": quantile(sorted, 0.5),
      "p99 ms": quantile(sorted, 0.99),
    };
  };
}

/** A quarter of the sessions, in which one contender is alone. */
export interface Lane {
  next(): number;
}

/** Lane `lane`, of 0 to 3, of so many sessions. */
export function createLane(lane: number, sessions: number): Lane {
  const length = sessions / 4;
  let turn = 0;
  return {
    next() {
      // A prime, so that every session has its turn before one has its second.
      const n = (turn++ * 7_919) % length;
      return n * 4 + lane;
    },
  };
}
