import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** Stops all processes of a browser for so many milliseconds, as a sleeping laptop does. It leads its process group. */
export async function stopForAWhile({ pid = Number.NaN }: ChildProcess, milliseconds: number): Promise<void> {
  process.kill(-pid, "SIGSTOP");
  try {
    await sleep(milliseconds);
  } finally {
    process.kill(-pid, "SIGCONT");
  }
}
