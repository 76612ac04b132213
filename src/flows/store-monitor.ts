import { toUnavailableReason } from "../core/errors.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { createLoop } from "../core/runtime/loop.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import type { WriteProbe } from "../core/store/index.ts";
import type { EventListener } from "../events/events.ts";

/** Knows whether the store can be written to. */
export interface StoreMonitor {
  /** Returns whether the store can be written to. If a write has failed since, this waits for the first probe. */
  check(): Promise<boolean>;
  /** Returns what the last probe has found. */
  isWritable(): boolean;
  /** Stops for good. */
  stop(): Promise<void>;
}

/** What a monitor needs. */
export interface StoreMonitorOptions {
  /** Undefined: failed writes are not noticed, and the store always counts as writable. */
  readonly writes: WriteProbe | undefined;
  readonly clock: Clock;
  /** Called with `store_unwritable` and `store_recovered`. */
  readonly emit: EventListener;
  readonly schedule: Schedule;
}

/** Milliseconds from the end of a probe to the next one. */
const probeInterval = 1_000;

/**
 * Creates a monitor. It does nothing until a write fails, which may have many reasons. Then it writes a probe, which
 * decides: every second, until one succeeds.
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

  /** Returns why the probe could not be written, or `null`. A StoreUnavailableError's message has no stored value. */
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
