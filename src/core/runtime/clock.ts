/**
 * The clocks of a node. Session times come from the database's clock; this one judges `exp` and `iat` of access tokens
 * and measures staleness. The monotonic clock may stop while the machine is suspended; the wall clock does not.
 */
export interface Clock {
  /** Returns the wall clock: whole seconds since the epoch. */
  readonly now: () => number;
  /** Returns the wall clock: milliseconds since the epoch. */
  readonly wall: () => number;
  /** Returns milliseconds since a fixed point. Never steps, even if the wall clock is set. */
  readonly monotonic: () => number;
}

/** The machine's clocks. */
export const systemClock: Clock = Object.freeze({
  now: () => Math.floor(Date.now() / 1000),
  wall: () => Date.now(),
  monotonic: () => performance.now(),
});
