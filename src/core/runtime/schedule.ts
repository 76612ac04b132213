/** A pending call. */
export interface Timer {
  /** Cancels the call. Does nothing if it has run already. */
  cancel(): void;
}

/** Runs `callback` once, after `ms` milliseconds (at most 2^31 - 1), unless the timer is cancelled first. */
export type Schedule = (callback: () => void, ms: number) => Timer;

/** The machine's timers. A pending timer does not keep the process alive. */
export const unrefSchedule: Schedule = (callback, ms) => {
  const timer = setTimeout(callback, ms).unref();
  return { cancel: () => clearTimeout(timer) };
};
