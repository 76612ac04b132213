import { toUnavailableReason } from "../core/errors.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { createLoop } from "../core/runtime/loop.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import type { WriteProbe } from "../core/store/index.ts";
import type { EventListener } from "../events/events.ts";

/** Finds out whether the store can be written to. */
export interface StoreMonitor {
  /** Returns whether the store can be written to. If a write has just failed, it waits for the first test write. */
  check(): Promise<boolean>;
  /** Returns the result of the last test write. */
  isWritable(): boolean;
  /** Stops the monitor. It can't be started again. */
  stop(): Promise<void>;
}

/** The options of `createStoreMonitor`. */
export interface StoreMonitorOptions {
  /**
   * Reports failed writes, and makes test writes. If it is undefined, failed writes are not noticed, and the store always
   * counts as writable.
   */
  readonly writes: WriteProbe | undefined;
  readonly clock: Clock;
  /** Called with `store_unwritable` and `store_recovered` events. */
  readonly emit: EventListener;
  readonly schedule: Schedule;
}

/** The number of milliseconds between the end of a test write and the next one. */
const probeInterval = 1_000;

/**
 * Creates a monitor. It does nothing until a write fails. A write can fail for many reasons, so the monitor then makes a
 * test write every second until one succeeds. The test writes decide whether the store can be written to.
 */
export function createStoreMonitor({ writes, clock, emit, schedule }: StoreMonitorOptions): StoreMonitor {
  let hasFailed = false;
  let isUnwritable = false;
  let probedAt = Number.NEGATIVE_INFINITY;
  const loop = createLoop({ step: probe, schedule });
  const ignoreFailures = writes?.onFailure(mark);

  function mark(): void {
    if (hasFailed) return;
    hasFailed = true;
    loop.wake(Math.max(0, probedAt + probeInterval - clock.monotonic()));
  }

  async function probe(): Promise<number | null> {
    const failure = await findFailure();
    probedAt = clock.monotonic();
    hasFailed = failure !== null;
    if (hasFailed !== isUnwritable) {
      isUnwritable = hasFailed;
      const time = clock.now();
      emit(failure === null ? { type: "store_recovered", time } : { type: "store_unwritable", time, reason: failure });
    }
    return hasFailed ? probeInterval : null;
  }

  /**
   * Makes a test write. Returns why it failed, or `null`. The message of a StoreUnavailableError contains no stored value.
   */
  async function findFailure(): Promise<string | null> {
    try {
      await writes?.probe();
      return null;
    } catch (error) {
      return toUnavailableReason(error);
    }
  }

  return {
    async check() {
      if (hasFailed && !isUnwritable) await loop.run().catch(() => {});
      return !isUnwritable;
    },
    isWritable: () => !isUnwritable,
    async stop() {
      ignoreFailures?.();
      await loop.stop();
    },
  };
}
