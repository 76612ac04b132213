import type { Schedule, Timer } from "./schedule.ts";
import { unrefSchedule } from "./schedule.ts";

/**
 * Waits for `work`, but at most `ms` milliseconds. Doesn't stop it.
 *
 * @returns whether it was done in time.
 * @throws what `work` throws in time. What it throws later is ignored.
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
