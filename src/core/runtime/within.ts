import type { Schedule, Timer } from "./schedule.ts";
import { unrefSchedule } from "./schedule.ts";

/**
 * Waits for `work`, but for at most `ms` milliseconds. Doesn't stop `work` after that time.
 *
 * @returns whether `work` fulfilled in time.
 * @throws the error with which `work` rejects in time. A later rejection is ignored.
 */
export async function within(work: Promise<unknown>, ms: number, schedule: Schedule = unrefSchedule): Promise<boolean> {
  let timer: Timer | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = schedule(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    timer?.cancel();
  }
}
