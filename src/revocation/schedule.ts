/** Runs `callback` once, after `ms` milliseconds (at most 2^31 - 1) or not at all once cancelled. */
export type Schedule = (callback: () => void, ms: number) => { cancel(): void };

/** The machine's timers; one that is pending does not keep the process alive. */
export const unrefSchedule: Schedule = (callback, ms) => {
  const timer = setTimeout(callback, ms).unref();
  return { cancel: () => clearTimeout(timer) };
};
