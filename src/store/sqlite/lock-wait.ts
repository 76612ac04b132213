import { setTimeout } from "node:timers/promises";
import { toResultCode } from "./unavailable.ts";

/** The longest pause before the next try, in milliseconds; a random part of it, so that processes do not march in step. */
const longestPause = 20;

const busy = 5;

/** Runs `attempt` again and again while another process has the lock that it needs. */
export type Wait = <T>(attempt: () => T) => Promise<T>;

/**
 * A `Wait` of at most `busyTimeout` milliseconds, in which the event loop is free. The first try is made at once.
 *
 * @throws what the last attempt threw.
 */
export function createWait(busyTimeout: number): Wait {
  return (attempt) => retry(attempt, performance.now() + busyTimeout);
}

/**
 * The same for a lock that this process, too, takes once at a time: who comes later waits for those before, and tries
 * only when they are done. So however many wait, one of them knocks.
 */
export function createQueue(busyTimeout: number): Wait {
  let last: Promise<unknown> | null = null;

  return async (attempt) => {
    const deadline = performance.now() + busyTimeout;
    const turn = last === null ? retry(attempt, deadline) : last.then(() => retry(attempt, deadline));
    const done = turn.then(ignore, ignore);
    last = done;
    try {
      return await turn;
    } finally {
      if (last === done) last = null;
    }
  };
}

async function retry<T>(attempt: () => T, deadline: number): Promise<T> {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (toResultCode(error) !== busy || performance.now() >= deadline) throw error;
    }
    await setTimeout(Math.random() * longestPause);
  }
}

function ignore(): void {}
