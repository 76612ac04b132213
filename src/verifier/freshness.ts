import type { Clock } from "../core/runtime/clock.ts";
import { createClockSteps } from "../revocation/clock-steps.ts";
import { createLease, type Instant, toInstant } from "../revocation/lease.ts";
import type { FrameHeader } from "../revocation/readers/frame.ts";

/** Knows how far a verifier may be behind the issuer's database. Compares no clock with another machine's. */
export interface Freshness {
  /** Begins a request for frames: notes when it is sent. */
  begin(): FrameTimes;
  /** Returns whether the revocations may be relied on. @param wall the wall clock in milliseconds, if it has been read already. */
  isFresh(wall?: number): boolean;
  /** Returns the seconds by which they may be behind; `Infinity` before the first frame and after `end`. */
  staleness(): number;
  /** Returns whether records may be dropped by the wall clock: not while it is ahead of where it was at the last request. */
  mayDrop(): boolean;
  /** Ends the freshness for good. */
  end(): void;
}

/** The times of the frames that answer one request. */
export interface FrameTimes {
  /**
   * Whether everything must be read again: the wall clock was set back, and records were dropped while it was ahead. Until then,
   * nothing is fresh.
   */
  readonly mustReload: boolean;
  /** Returns what a frame proves, when all of it has arrived. */
  measure(header: Pick<FrameHeader, "age" | "madeAt" | "held">): FrameFreshness;
  /** Returns whether one of the two clocks has been set, or has stopped, since the request: begin another one then. */
  hasDrifted(): boolean;
}

/** Up to which time a frame has everything. */
export interface FrameFreshness {
  /**
   * Whether it is as fresh as what is known. If not, it comes from a node that is behind the one before, or was overtaken: then a full
   * frame must not replace what is known.
   */
  readonly isNewest: boolean;
  /** Notes that the frame has been applied. */
  note(): void;
}

/** The options of `createFreshness`. */
export interface FreshnessOptions {
  readonly clock: Clock;
  /** Seconds. */
  readonly maxStaleness: number;
  /** Milliseconds by which everything counts as older, because the runtime's clock isn't exact. Default: 0. */
  readonly caution?: number;
}

/** By how many milliseconds the clocks may differ from each other, compared to the request; a quarter of `maxStaleness` at most. */
const largestDrift = 1_000;

/** Creates the freshness of a verifier that has read nothing. */
export function createFreshness({ clock, maxStaleness, caution = 0 }: FreshnessOptions): Freshness {
  const lease = createLease(clock, maxStaleness);
  const steps = createClockSteps(clock);
  const drift = Math.min(largestDrift, maxStaleness * 250);
  /** The latest time that a frame has proved. */
  let known: Instant = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };

  /** Whether one of the clocks was set or has stopped between two times, so that what was known at the first can't be compared. */
  const isDrift = (a: Instant, b: Instant) => Math.abs(toAhead(a) - toAhead(b)) > drift;

  function note(proved: Instant): void {
    known = proved;
    lease.extend(proved);
  }

  return {
    begin() {
      const start = toInstant(clock);
      const mustReload = steps.noteRead(start);
      if (mustReload) note({ monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY });
      /** What the first frame said. Its `held` covers the time before it; later frames are counted from it by the sender's clock. */
      let first: { readonly madeAt: number; readonly held: number } | null = null;
      return {
        mustReload,
        measure({ age, madeAt, held }) {
          first ??= { madeAt, held };
          const passed = first.held + (madeAt - first.madeAt);
          const arrival = toInstant(clock);
          const proved: Instant = {
            // The sender's clock may be faster, and this one may have stopped.
            monotonic: Math.min(start.monotonic + passed, arrival.monotonic) - age - caution,
            wall: Math.min(start.wall + passed, arrival.wall) - age - caution,
          };
          return {
            isNewest: proved.monotonic >= known.monotonic,
            note() {
              if (proved.monotonic > known.monotonic || isDrift(proved, known)) note(proved);
            },
          };
        },
        hasDrifted: () => isDrift(toInstant(clock), start),
      };
    },
    isFresh: lease.holds,
    staleness: () => Math.max(0, lease.staleness()),
    mayDrop: () => !steps.wasSetForward(),
    end: lease.end,
  };
}

const toAhead = ({ wall, monotonic }: Instant): number => wall - monotonic;
