import type { Schedule, Timer } from "./schedule.ts";

/** A step that is repeated in the background. Two runs never overlap. */
export interface Loop {
  /**
   * Schedules the step to run in `ms` milliseconds (default: 0), unless it is due earlier. If the step is running, it runs
   * once more: `ms` milliseconds after it has ended, or earlier if the step returns a smaller number. Does nothing after
   * `stop`.
   */
  wake(ms?: number): void;
  /**
   * Runs the step now. If it is already running, waits for that run.
   *
   * @returns a promise that fulfils when the run has ended.
   * @throws what the step throws; Error after `stop`.
   */
  run(): Promise<void>;
  /**
   * Cancels the next run and waits until the current run has ended. After that, the step never runs again. Never rejects.
   */
  stop(): Promise<void>;
}

/** The parts of a loop. */
export interface LoopOptions {
  /** Runs once. Returns the number of milliseconds until the next run, or `null` to wait for `wake`. */
  readonly step: () => Promise<number | null>;
  /**
   * Called with the error that the step throws. Returns the number of milliseconds until the next run, or `null`, like the
   * step. Must not throw. Default: runs again in a second.
   */
  readonly onError?: (error: unknown) => number | null;
  readonly schedule: Schedule;
}

/** The number of milliseconds before the next run after an error. */
const retryDelay = 1_000;

/** Creates a loop that does nothing until it is woken. */
export function createLoop({ step, onError = () => retryDelay, schedule }: LoopOptions): Loop {
  // Nothing tells which of two timers is due first, so both are kept: the first to fire cancels the others.
  const timers: Timer[] = [];
  /** The delay of the newest timer. During a run, the shortest delay that was passed to `wake`. */
  let delay = Number.POSITIVE_INFINITY;
  let running: Promise<void> = Promise.resolve();
  let isRunning = false;
  let isStopped = false;

  function wake(ms = 0): void {
    // A longer delay can only end later.
    if (isStopped || ms >= delay) return;
    delay = ms;
    if (!isRunning) timers.push(schedule(() => void run().catch(() => {}), ms));
  }

  function cancelTimers(): void {
    for (const timer of timers.splice(0)) timer.cancel();
    delay = Number.POSITIVE_INFINITY;
  }

  async function runStep(): Promise<void> {
    cancelTimers();
    isRunning = true;
    let next: number | null = null;
    try {
      next = await step();
    } catch (error) {
      next = onError(error);
      throw error;
    } finally {
      isRunning = false;
      const nearest = Math.min(delay, next ?? Number.POSITIVE_INFINITY);
      delay = Number.POSITIVE_INFINITY;
      wake(nearest);
    }
  }

  async function run(): Promise<void> {
    if (isStopped) throw new Error("the loop was stopped");
    if (!isRunning) running = runStep();
    await running;
  }

  return {
    wake,
    run,
    async stop() {
      isStopped = true;
      cancelTimers();
      await running.catch(() => {});
    },
  };
}
