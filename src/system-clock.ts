import type { Clock } from "./core/clock.ts";

/** The machine's clocks. */
export const systemClock: Clock = Object.freeze({
  now: () => Math.floor(Date.now() / 1000),
  monotonic: () => performance.now(),
});
