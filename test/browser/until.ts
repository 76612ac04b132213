import { setTimeout as sleep } from "node:timers/promises";

/** Waits for a condition; unlike `expect.poll` also in tests that run side by side. @throws Error after 30 seconds. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`has not come true: ${isSo}`);
    await sleep(50);
  }
}
