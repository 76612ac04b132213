import type { Environment } from "../environment.ts";

/** Returns the number of seconds since its start. */
export type Stopwatch = () => number;

/**
 * Starts a stopwatch. It trusts the clock that has advanced more: the monotonic one may have stopped while the machine was
 * asleep, and the wall clock may have been set back.
 *
 * @param start The start on the wall clock, in milliseconds. A start in the future counts as now. Default: now.
 */
export function startStopwatch(env: Environment, start: number = env.wall()): Stopwatch {
  const monotonic = env.monotonic() - Math.max(0, env.wall() - start);
  return () => Math.max(env.monotonic() - monotonic, env.wall() - start) / 1000;
}
