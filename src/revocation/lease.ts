import type { Clock } from "../core/runtime/clock.ts";

/** Both clocks at one time, in milliseconds. */
export interface Instant {
  /** The monotonic clock, which may stop while the machine is suspended. */
  readonly monotonic: number;
  /** The wall clock, which may be set. */
  readonly wall: number;
}

/** For how long this node may answer from memory: `maxStaleness` from the start of its last complete read. */
export interface Lease {
  /** Starts the lease again, from before the read was sent. */
  extend(readAt: Instant): void;
  /**
   * Returns whether the lease holds. It has ended also if the wall clock was set back by more than 30 seconds since the read:
   * the index may have dropped entries that this clock still needs.
   *
   * @param wall the wall clock in milliseconds, if the caller has read it already.
   */
  holds(wall?: number): boolean;
  /** Returns the seconds since the start of the last complete read; `Infinity` before the first and after `end`. */
  staleness(): number;
  /** Ends the lease for good. */
  end(): void;
}

/** By how many milliseconds the wall clock may be set back. Half of the margin for which entries are kept longer. */
export const largestSetback = 30_000;

/** Creates a lease that doesn't hold yet. */
export function createLease(clock: Clock, maxStaleness: number): Lease {
  const longest = maxStaleness * 1000;
  let monotonic = Number.NEGATIVE_INFINITY;
  let wall = Number.NEGATIVE_INFINITY;
  let isOver = false;

  return {
    extend(readAt) {
      if (isOver) return;
      monotonic = readAt.monotonic;
      wall = readAt.wall;
    },
    holds(now = clock.wall()) {
      const age = clock.monotonic() - monotonic;
      const wallAge = now - wall;
      return age <= longest && wallAge <= longest && wallAge >= age - largestSetback;
    },
    staleness: () => Math.max(clock.monotonic() - monotonic, clock.wall() - wall) / 1000,
    end() {
      isOver = true;
      monotonic = Number.NEGATIVE_INFINITY;
      wall = Number.NEGATIVE_INFINITY;
    },
  };
}

/** Returns both clocks now. */
export function toInstant(clock: Clock): Instant {
  return { monotonic: clock.monotonic(), wall: clock.wall() };
}
