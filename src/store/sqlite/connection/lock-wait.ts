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
