/** A clock whose timers run only while a test advances it. */
export interface FakeClock {
  /** Returns the correct time in milliseconds, which the server uses. */
  readonly time: () => number;
  readonly setTimeout: (run: () => void, delay: number) => number;
  readonly clearTimeout: (timer: number | undefined) => void;
  /** Advances by `delay` milliseconds and runs the timers that are due, in order. */
  readonly advance: (delay: number) => Promise<void>;
  /** Advances by `delay` milliseconds without running timers or advancing the monotonic clock, as a sleeping laptop. */
  readonly sleep: (delay: number) => void;
  readonly monotonic: () => number;
  readonly pendingTimers: () => number;
}

/** Creates a clock. */
export function createFakeClock(): FakeClock {
  let time = 1_700_000_000_000;
  let slept = 0;
  let lastTimer = 0;
  const timers = new Map<number, { readonly at: number; readonly run: () => void }>();
  return {
    time: () => time,
    setTimeout(run, delay) {
      if (!(delay >= 0)) throw new RangeError(`A timer must not have the delay ${delay}.`);
      lastTimer += 1;
      timers.set(lastTimer, { at: time + delay, run });
      return lastTimer;
    },
    clearTimeout: (timer) => void timers.delete(timer ?? 0),
    async advance(delay) {
      const end = time + delay;
      for (;;) {
        await settled();
        const next = [...timers].sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
        if (!next || next[1].at > end) break;
        timers.delete(next[0]);
        time = Math.max(time, next[1].at);
        next[1].run();
      }
      time = end;
      await settled();
    },
    sleep(delay) {
      time += delay;
      slept += delay;
    },
    monotonic: () => time - slept - 1_699_999_000_000,
    pendingTimers: () => timers.size,
  };
}

/** Waits until no promise can settle without a timer. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
