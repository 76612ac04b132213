import type { Schedule } from "../core/clock.ts";

/** The machine's timers; one that is pending does not keep the process alive. */
export const unrefSchedule: Schedule = (callback, ms) => {
  const timer = setTimeout(callback, ms).unref();
  return { cancel: () => clearTimeout(timer) };
};
