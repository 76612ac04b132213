/** A call that is scheduled. */
export interface Timer {
  /** Cancels the call. Does nothing if the call has already been made. */
  cancel(): void;
}

/** Runs `callback` once, after `ms` milliseconds (at most 2^31 - 1), unless the timer is cancelled first. */
export type Schedule = (callback: () => void, ms: number) => Timer;

/** The machine's timers. A pending timer does not keep the process alive. */
export const unrefSchedule: Schedule = (callback, ms) => {
  const timer: Partial<NodeJS.Timeout> = setTimeout(callback, ms);
  // In workerd and Deno it may be a number.
  timer.unref?.();
  return { cancel: () => clearTimeout(timer as NodeJS.Timeout) };
};

/**
 * Keeps the process alive while a caller waits for something and only timers of `unrefSchedule` are pending.
 *
 * @returns a function that releases the process.
 */
export function keepProcessAlive(): () => void {
  const timer = setInterval(() => {}, 2 ** 30);
  return () => clearInterval(timer);
}
