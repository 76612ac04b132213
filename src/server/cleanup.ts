import type { Settings } from "../core/settings/settings.ts";
import type { DeletedCounts, Store } from "../core/store/index.ts";
import { deleteExpiredRows } from "../flows/cleanup.ts";

export interface CleanupOptions extends Pick<Settings, "auditRetention"> {
  readonly store: Pick<Store, "deleteExpired">;
  /** Seconds between two runs, more or less. */
  readonly interval: number;
  readonly onDone: (deleted: DeletedCounts) => void;
  /** Told of a run that failed; the next one comes all the same. */
  readonly onError: (error: unknown) => void;
  /** From 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/** A cleanup that goes on until it is stopped. */
export interface Cleanup {
  /** Ends it after the batch that is under way. */
  stop(): Promise<void>;
}

/**
 * Cleans up again and again, one run after the other. Nodes that were started together spread out: the first run comes
 * within one interval, at random, and each later one a tenth of it sooner or later.
 */
export function startCleanup(options: CleanupOptions): Cleanup {
  const { store, auditRetention, interval, onDone, onError, random = Math.random } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> = Promise.resolve();
  let timer = startTimer(interval * random());

  function startTimer(seconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      running = run();
    }, seconds * 1_000).unref();
  }

  async function run(): Promise<void> {
    try {
      onDone(await deleteExpiredRows(store, { auditRetention, signal }));
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    if (!signal.aborted) timer = startTimer(interval * (0.9 + random() / 5));
  }

  return {
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
