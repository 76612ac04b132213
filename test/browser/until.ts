import { setTimeout as sleep } from "node:timers/promises";
import { stepTimeout } from "./device.ts";

/** Waits for a condition. Unlike `expect.poll`, it works in concurrent tests. @throws Error after `stepTimeout`. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + stepTimeout;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${condition}`);
    await sleep(50);
  }
}
