import type { Clock } from "../../src/core/runtime/clock.ts";
import type { Schedule } from "../../src/core/runtime/schedule.ts";

/** Time that moves when a test says so: both clocks, and the timers that hang on them. */
export interface ManualTime {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Lets both clocks run on, firing timers in their order. Settles what they began before the next one fires. */
  advance(seconds: number): Promise<void>;
  /** Sets the wall clock forward or back; the monotonic clock and the timers do not notice. */
  setWallClock(bySeconds: number): void;
  /** How many timers are pending. */
  readonly pending: number;
}

/** Lets everything run that waits for promises only. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function createManualTime(start = 1_800_000_000): ManualTime {
  let elapsed = 0;
  let wallOffset = start;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    clock: { now: () => Math.floor(wallOffset + elapsed / 1000), monotonic: () => elapsed },
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
