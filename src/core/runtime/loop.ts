import type { Schedule, Timer } from "./schedule.ts";

/** A step that runs again and again in the background, never twice at once. */
export interface Loop {
  /**
   * Lets the step run `ms` milliseconds from now (default: 0), unless it is due earlier anyway. During a run it causes one
   * more: `ms` after the run has ended, or earlier if the step returns less. Does nothing after `stop`.
   */
  wake(ms?: number): void;
  /**
   * Runs the step now instead of later, or joins the run in flight.
   *
   * @returns a promise that fulfils when the run has ended.
   * @throws what the step throws; Error after `stop`.
   */
  run(): Promise<void>;
  /** Cancels the next run and waits for the one in flight. The step never runs again. Never rejects. */
  stop(): Promise<void>;
}

/** What a loop consists of. */
export interface LoopOptions {
  /** Returns the milliseconds until the next run; `null`: the loop waits until it is woken. */
  readonly step: () => Promise<number | null>;
  /** Called with what the step throws. Returns what the step would have. Must not throw. Default: runs again in a second. */
  readonly onError?: (error: unknown) => number | null;
  readonly schedule: Schedule;
}

/** Milliseconds before the next run after an error. */
const retryDelay = 1_000;

/** Creates a loop that does nothing until it is woken. */
export function createLoop({ step, onError = () => retryDelay, schedule }: LoopOptions): Loop {
  // Nothing tells which of two timers is due first, so both are kept: the first to fire cancels the others.
  const timers: Timer[] = [];
  /** The delay of the newest timer; during a run, the shortest delay that a wake has asked for. */
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
