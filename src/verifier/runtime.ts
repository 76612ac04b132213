import { type Clock, systemClock } from "../core/runtime/clock.ts";
import { type Schedule, unrefSchedule } from "../core/runtime/schedule.ts";

/** What differs between the runtimes in which a verifier works. */
export interface Runtime {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Milliseconds by which the clock may be wrong. */
  readonly caution: number;
  /** Whether the runtime works between requests, with timers and open connections. */
  readonly hasBackground: boolean;
}

/**
 * Returns the runtime of this process: Node, Deno or Bun; or workerd, which only works during a request, and whose clocks don't
 * move while it computes.
 */
export function findRuntime(): Runtime {
  const { navigator } = globalThis as { readonly navigator?: { readonly userAgent?: string } };
  if (navigator?.userAgent !== "Cloudflare-Workers") {
    return { clock: systemClock, schedule: unrefSchedule, caution: 0, hasBackground: true };
  }
  const wall = () => Date.now();
  const clock = { now: () => Math.floor(wall() / 1000), wall, monotonic: wall };
  return { clock, schedule: unrefSchedule, caution: 1_000, hasBackground: false };
}
