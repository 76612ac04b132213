/**
 * The clocks of a node. They are used to check `exp` and `iat` of access tokens and to measure staleness, while the times
 * of sessions come from the database's clock. The monotonic clock may stop while the machine is suspended. The wall clock
 * does not.
 */
export interface Clock {
  /** Returns the time of the wall clock, in whole seconds since the epoch. */
  readonly now: () => number;
  /** Returns the time of the wall clock, in milliseconds since the epoch. */
  readonly wall: () => number;
  /** Returns the number of milliseconds since a fixed moment. It never jumps, even if the wall clock is set. */
  readonly monotonic: () => number;
}

/** The machine's clocks. */
export const systemClock: Clock = Object.freeze({
  now: () => Math.floor(Date.now() / 1000),
  wall: () => Date.now(),
  monotonic: () => performance.now(),
});
