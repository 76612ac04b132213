import type { Clock } from "../core/runtime/clock.ts";
import { type Instant, largestSetback, toInstant } from "./lease.ts";

/**
 * Detects steps of the wall clock. While the clock is ahead, the index drops entries that it will need when the clock is
 * set back.
 */
export interface ClockSteps {
  /**
   * Records both clocks before a read.
   *
   * @returns whether the wall clock was set back since an earlier read.
   */
  noteRead(readAt: Instant): boolean;
  /** Returns whether the wall clock was set forward since `readAt`. Default: since the last call of `noteRead`. */
  wasSetForward(readAt?: Instant): boolean;
}

/**
 * Creates the detector for a clock. Only a difference of more than `largestSetback` counts as a step. A suspension counts
 * as a step forward.
 */
export function createClockSteps(clock: Clock): ClockSteps {
  /** The largest lead of the wall clock over the monotonic clock, since the wall clock was last set back. */
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
