/**
 * The two clocks a node reads. Session times come from the store's own clock; this one judges `exp` and `iat` of
 * access tokens and measures how stale the revocations are.
 */
export interface Clock {
  /** Wall clock, whole seconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds since some fixed point; never steps, whatever happens to the wall clock. */
  readonly monotonic: () => number;
}

/** Runs `callback` once, after `ms` milliseconds (at most 2^31 - 1) or not at all once cancelled. */
export type Schedule = (callback: () => void, ms: number) => { cancel(): void };
