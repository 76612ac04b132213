import type { Clock } from "../../src/core/runtime/clock.ts";
import type { Schedule } from "../../src/core/runtime/schedule.ts";

/** Clocks and timers that only move when a test moves them. */
export interface ManualTime {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Moves both clocks forward and fires the timers that are due, in order. What a timer starts settles before the next fires. */
  advance(seconds: number): Promise<void>;
  /** Sets the wall clock forward or back. The monotonic clock and the timers don't move. */
  setWallClock(bySeconds: number): void;
  /** How many timers are pending. */
  readonly pending: number;
}

/** Fulfils when everything has run that waits for promises only. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Creates clocks that start at `start`, whole seconds since the epoch, and a schedule that follows them. */
export function createManualTime(start = 1_800_000_000): ManualTime {
  let elapsed = 0;
  let wallOffset = start;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    clock: {
      now: () => Math.floor(wallOffset + elapsed / 1000),
      wall: () => wallOffset * 1000 + elapsed,
      monotonic: () => elapsed,
    },
    schedule(callback, ms) {
      if (ms > 2 ** 31 - 1) throw new RangeError("longer than a timer can be");
      const timer = { at: elapsed + ms, callback };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    async advance(seconds) {
      const end = elapsed + seconds * 1000;
      for (;;) {
        const [next] = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        elapsed = next.at;
        next.callback();
        await settled();
      }
      elapsed = end;
    },
    setWallClock(bySeconds) {
      wallOffset += bySeconds;
    },
    get pending() {
      return timers.size;
    },
  };
}
