import { setTimeout } from "node:timers/promises";
import { isBusy } from "./errors.ts";

/**
 * The longest pause between two attempts, in milliseconds. Pauses are random, so that processes don't retry in step.
 */
const longestPause = 20;

/** Runs `attempt` again for as long as another process has the lock that it needs. */
export type RetryWhileLocked = <T>(attempt: () => T) => Promise<T>;

/**
 * Creates a function that retries for at most `busyTimeout` milliseconds, then rejects with the error of the last
 * attempt. The first attempt runs at once. Between attempts the event loop is free.
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
