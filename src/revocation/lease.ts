import type { Clock } from "../core/runtime/clock.ts";

/** The time on both clocks, in milliseconds. */
export interface Instant {
  /** The monotonic clock, which may stop while the machine is suspended. */
  readonly monotonic: number;
  /** The wall clock, which may be set. */
  readonly wall: number;
}

/** How long this node may answer from memory: for `maxStaleness` from the start of its last complete read. */
export interface Lease {
  /** Starts the lease again, from the time before the read was sent. */
  extend(readAt: Instant): void;
  /**
   * Returns whether the lease is still valid. It also ends if the wall clock has been set back by more than 30 seconds
   * since the read, because the index may have dropped entries that are needed again.
   *
   * @param wall the time of the wall clock in milliseconds, if the caller has already read it.
   */
  holds(wall?: number): boolean;
  /**
   * Returns the number of seconds since the start of the last complete read. Returns `Infinity` before the first read and
   * after `end`.
   */
  staleness(): number;
  /** Ends the lease permanently. */
  end(): void;
}

/**
 * The number of milliseconds by which the wall clock may be set back. It is half of the margin for which entries are kept
 * longer.
 */
export const largestSetback = 30_000;

/** Creates a lease that isn't valid yet. */
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

/** Returns the current time on both clocks. */
export function toInstant(clock: Clock): Instant {
  return { monotonic: clock.monotonic(), wall: clock.wall() };
}
