import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds: far more than any condition needs, even on a busy machine. */
const defaultTimeout = 60_000;

/**
 * Waits until a condition holds. For code that runs outside of a test, where `expect.poll` doesn't work.
 *
 * @param what names the condition in the error.
 * @throws Error if it doesn't hold within `timeout` milliseconds.
 */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeout = defaultTimeout,
): Promise<void> {
  const deadline = performance.now() + timeout;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeout} ms in vain until ${what}`);
    await sleep(20);
  }
}
