import type { Schedule } from "../core/runtime/schedule.ts";
import { within } from "../core/runtime/within.ts";
import type { Lease } from "./lease.ts";

/** The options of `createFreshWaits`. */
export interface FreshWaitsOptions {
  readonly lease: Lease;
  /** Joins the read in flight or, if there is none, starts one. */
  readonly read: () => Promise<void>;
  readonly schedule: Schedule;
}

/** How long requests wait for a read, in milliseconds, and how many at most. */
const wait = { longest: 500, most: 1_000 };

/** Creates the function that waits until the lease holds, and returns whether it does. */
export function createFreshWaits({ lease, read, schedule }: FreshWaitsOptions): () => Promise<boolean> {
  let waiting = 0;

  /** The read in flight may have begun before the machine was suspended: then it takes another one. */
  async function readUntilFresh(): Promise<void> {
    await read();
    if (!lease.holds()) await read();
  }

  return async () => {
    if (waiting >= wait.most) return lease.holds();
    waiting += 1;
    try {
      await within(readUntilFresh(), wait.longest, schedule);
    } catch {
      // Then the lease doesn't hold.
    } finally {
      waiting -= 1;
    }
    return lease.holds();
  };
}
