import { setTimeout } from "node:timers/promises";
import { isBusy } from "./errors.ts";

/**
 * The longest pause between two attempts, in milliseconds. Pauses are random, so that processes don't retry at the same
 * time.
 */
const longestPause = 20;

/** Runs `attempt` again as long as another process holds the lock that it needs. */
export type RetryWhileLocked = <T>(attempt: () => T) => Promise<T>;

/**
 * Creates a function that retries for at most `busyTimeout` milliseconds, and then rejects with the error of the last
 * attempt. It makes the first attempt immediately. The event loop is not blocked between attempts.
 */
export function createLockRetry(busyTimeout: number): RetryWhileLocked {
  return (attempt) => retryUntil(performance.now() + busyTimeout, attempt);
}

async function retryUntil<T>(deadline: number, attempt: () => T): Promise<T> {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    await setTimeout(Math.random() * longestPause);
  }
}
