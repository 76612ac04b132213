import type { Schedule } from "../core/runtime/schedule.ts";

/** Wakes requests that wait until something has been read. */
export interface ReadSignal {
  /** Wakes everything that waits. */
  notify(): void;
  /**
   * Waits for the next call of `notify`, for `ms` milliseconds at most.
   *
   * @param ms `null`: as long as it takes.
   * @returns whether it came. `false` at once if too many wait already.
   * @throws the reason of `signal`, when it aborts.
   */
  next(ms: number | null, signal?: AbortSignal): Promise<boolean>;
}

/** How many requests may wait. */
const mostWaiting = 1_000;

/** Creates a signal for which nothing waits. */
export function createReadSignal(schedule: Schedule): ReadSignal {
  const waiting = new Set<() => void>();
  return {
    notify() {
      for (const wake of [...waiting]) wake();
    },
    async next(ms, signal) {
      signal?.throwIfAborted();
      if (ms !== null && waiting.size >= mostWaiting) return false;
      let end = () => {};
      try {
        return await new Promise<boolean>((resolve, reject) => {
          const wake = () => resolve(true);
          const onAbort = () => reject(signal?.reason);
          const timer = ms === null ? null : schedule(() => resolve(false), ms);
          waiting.add(wake);
          signal?.addEventListener("abort", onAbort);
          end = () => {
            waiting.delete(wake);
            timer?.cancel();
            signal?.removeEventListener("abort", onAbort);
          };
        });
      } finally {
        end();
      }
    },
  };
}
