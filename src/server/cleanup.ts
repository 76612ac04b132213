import { createLoop } from "../core/runtime/loop.ts";
import { type Schedule, unrefSchedule } from "../core/runtime/schedule.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { DeletedCounts, Store } from "../core/store/index.ts";
import { deleteExpiredRows } from "../flows/cleanup.ts";

/** What a cleanup needs. */
export interface CleanupOptions extends Pick<Settings, "auditRetention"> {
  readonly store: Pick<Store, "deleteExpired">;
  /** Seconds between two runs, ±10 %. */
  readonly interval: number;
  /** Called after every successful run. */
  readonly onDone: (deleted: DeletedCounts) => void;
  /** Called after every run that failed. The next one comes at its usual time. */
  readonly onError: (error: unknown) => void;
  /** Returns a random number from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
  readonly schedule?: Schedule;
}

/** A cleanup that runs until it is stopped. */
export interface Cleanup {
  /** Stops after the batch in flight. */
  stop(): Promise<void>;
}

/**
 * Starts to delete expired rows again and again. The first run is at a random time within one interval, and later intervals
 * vary by 10 %, so that nodes that were started together don't clean up together.
 */
export function startCleanup(options: CleanupOptions): Cleanup {
  const { store, auditRetention, interval, onDone, onError } = options;
  const { random = Math.random, schedule = unrefSchedule } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const toDelay = () => interval * (0.9 + random() / 5) * 1_000;
  const loop = createLoop({
    async step() {
      onDone(await deleteExpiredRows(store, { auditRetention, signal }));
      return toDelay();
    },
    onError(error) {
      if (!signal.aborted) onError(error);
      return toDelay();
    },
    schedule,
  });
  loop.wake(interval * random() * 1_000);
  return {
    async stop() {
      stopping.abort();
      await loop.stop();
    },
  };
}
