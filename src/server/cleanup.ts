import { createLoop } from "../core/runtime/loop.ts";
import { type Schedule, unrefSchedule } from "../core/runtime/schedule.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { DeletedCounts, Store } from "../core/store/index.ts";
import { deleteExpiredRows } from "../flows/cleanup.ts";

/** When `startCleanup` deletes which rows, and what it reports. */
export interface CleanupSchedule extends Pick<Settings, "auditRetention"> {
  readonly store: Pick<Store, "deleteExpired">;
  /** The number of seconds between two runs, ±10 %. */
  readonly interval: number;
  /** Called after every successful run. */
  readonly onDone: (deleted: DeletedCounts) => void;
  /** Called after every run that failed. The next run takes place at its usual time. */
  readonly onError: (error: unknown) => void;
  /** Returns a random number from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
  readonly schedule?: Schedule;
}

/** A cleanup that runs until it is stopped. */
export interface Cleanup {
  /** Stops the cleanup after the current batch. */
  stop(): Promise<void>;
}

/**
 * Starts to delete expired rows at regular intervals. The first run takes place at a random time within one interval, and
 * later intervals vary by 10 %. So nodes that were started together don't run their cleanups at the same time.
 */
export function startCleanup(options: CleanupSchedule): Cleanup {
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
