import { setTimeout as sleep } from "node:timers/promises";

/** Waits for a condition. Unlike `expect.poll`, it works in concurrent tests. @throws Error after 60 seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${condition}`);
    await sleep(50);
  }
}
