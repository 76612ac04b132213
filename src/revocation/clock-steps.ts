import type { Clock } from "../core/runtime/clock.ts";
import { type Instant, largestSetback, toInstant } from "./lease.ts";

/** Notices steps of the wall clock: while it is ahead, the index drops entries that it needs when the clock is set back. */
export interface ClockSteps {
  /** Notes both clocks before a read. @returns whether the wall clock was set back since an earlier read. */
  noteRead(readAt: Instant): boolean;
  /** Returns whether the wall clock was set forward since `readAt`; by default, since the last call of `noteRead`. */
  wasSetForward(readAt?: Instant): boolean;
}

/** Creates the steps of a clock. A step is more than `largestSetback`; a suspension counts as a step forward. */
export function createClockSteps(clock: Clock): ClockSteps {
  /** The furthest that the wall clock was ahead of the monotonic one, since it was last set back. */
  let furthest = Number.NEGATIVE_INFINITY;
  return {
    noteRead(readAt) {
      const ahead = toAhead(readAt);
      const wasSetBack = ahead < furthest - largestSetback;
      furthest = wasSetBack ? ahead : Math.max(furthest, ahead);
      return wasSetBack;
    },
    wasSetForward: (readAt) =>
      toAhead(toInstant(clock)) > (readAt === undefined ? furthest : toAhead(readAt)) + largestSetback,
  };
}

const toAhead = ({ wall, monotonic }: Instant): number => wall - monotonic;
