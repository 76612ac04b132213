/**
 * The clocks of a node. Session times come from the database's clock; this one judges `exp` and `iat` of access tokens
 * and measures staleness.
 */
export interface Clock {
  /** Returns the wall clock: whole seconds since the epoch. */
  readonly now: () => number;
  /** Returns milliseconds since a fixed point. Never steps, even if the wall clock is set. */
  readonly monotonic: () => number;
}

/** The machine's clocks. */
export const systemClock: Clock = Object.freeze({
  now: () => Math.floor(Date.now() / 1000),
  monotonic: () => performance.now(),
});
