/**
 * A step in the life of a connection. `at` is in milliseconds on the reader's monotonic clock, and `wall` on its wall clock: the same
 * by default.
 */
export type FreshnessStep = { readonly at: number; readonly wall?: number } & (
  | {
      readonly event: "request";
      /** Whether the cursor must be left out: everything is read again. Default: false. */
      readonly withoutCursor?: boolean;
    }
  | {
      /** The last byte of a frame has arrived. */
      readonly event: "frame";
      readonly t: number;
      readonly age: number;
      readonly held: number;
      readonly full: boolean;
      /** What the reader knows after it. */
      readonly freshAt: number;
      /** Whether its records replace the table; otherwise they are added to it. */
      readonly replaces: boolean;
      /** Whether its keyVersion counts. */
      readonly namesKeys: boolean;
    }
  | { readonly event: "check"; readonly stale: boolean }
);

/** Requests, the frames that answer them, and whether the table may be used. */
export interface FreshnessVector {
  readonly name: string;
  /** Milliseconds. */
  readonly maxStaleness: number;
  readonly steps: readonly FreshnessStep[];
}

interface FrameStep {
  readonly t: number;
  readonly freshAt: number;
  readonly age?: number;
  readonly held?: number;
  readonly full?: boolean;
  readonly replaces?: boolean;
  readonly namesKeys?: boolean;
}

const request = (at: number): FreshnessStep => ({ event: "request", at });
const fresh = (at: number): FreshnessStep => ({ event: "check", at, stale: false });
const stale = (at: number): FreshnessStep => ({ event: "check", at, stale: true });

function frame(at: number, step: FrameStep): FreshnessStep {
  const { t, freshAt, age = 0, held = 0, full = false, replaces = full, namesKeys = true } = step;
  return { event: "frame", at, t, age, held, full, freshAt, replaces, namesKeys };
}

/** Returns a step while the wall clock is ahead of the monotonic one. */
const ahead = (by: number, step: FreshnessStep): FreshnessStep => ({ ...step, wall: step.at + by });

const hour = 3_600_000;

const vector = (name: string, ...steps: readonly FreshnessStep[]): FreshnessVector => ({
  name,
  maxStaleness: 10_000,
  steps,
});

/** Returns the sequences about freshness. */
export function toFreshnessVectors(): FreshnessVector[] {
  return [
    vector(
      "nothing has been read",
      stale(0),
      request(1_000),
      stale(1_010),
      frame(1_030, { t: 500_000, full: true, freshAt: 1_000 }),
      fresh(1_030),
    ),
    vector(
      "the time of the request counts, not of the arrival, and the limit itself is fresh",
      request(1_000),
      frame(4_000, { t: 500_000, full: true, freshAt: 1_000 }),
      fresh(11_000),
      stale(11_001),
    ),
    vector(
      "the node's age is taken off",
      request(1_000),
      frame(1_030, { t: 500_000, age: 800, full: true, freshAt: 200 }),
      fresh(10_200),
      stale(10_201),
    ),
    vector(
      "a stream: later frames count from its first one",
      request(1_000),
      frame(1_030, { t: 500_000, age: 5, full: true, freshAt: 995 }),
      frame(2_031, { t: 501_000, age: 5, freshAt: 1_995 }),
      frame(3_050, { t: 502_010, age: 250, freshAt: 2_760 }),
      fresh(12_760),
      stale(12_761),
    ),
    vector(
      "a link that holds the frames back and then delivers all of them",
      request(1_000),
      frame(1_030, { t: 500_000, full: true, freshAt: 1_000 }),
      frame(2_030, { t: 501_000, freshAt: 2_000 }),
      stale(12_001),
      frame(19_000, { t: 502_000, freshAt: 3_000 }),
      stale(19_001),
      frame(19_002, { t: 517_500, freshAt: 18_500 }),
      fresh(19_003),
    ),
    vector(
      "a poll that the node held: held is added",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      request(1_021),
      frame(4_040, { t: 503_010, held: 3_000, freshAt: 4_021 }),
      request(4_041),
      frame(4_060, { t: 503_030, held: 5, age: 10, freshAt: 4_036 }),
    ),
    vector(
      "a stream whose first frame was held",
      request(1_000),
      frame(1_420, { t: 500_400, held: 400, full: true, freshAt: 1_400 }),
      frame(2_425, { t: 501_400, freshAt: 2_400 }),
    ),
    vector(
      "a node that is behind: an older frame doesn't take freshness away",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      request(2_000),
      frame(2_020, { t: 90_000, age: 3_000, freshAt: 1_000, namesKeys: false }),
      frame(3_020, { t: 91_000, age: 0, freshAt: 3_000 }),
    ),
    vector(
      "a full frame of a node that is behind is added to the table and doesn't replace it",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      request(2_000),
      frame(2_020, { t: 90_000, age: 3_000, full: true, replaces: false, freshAt: 1_000, namesKeys: false }),
      frame(5_020, { t: 93_000, age: 0, full: true, freshAt: 5_000 }),
    ),
    vector(
      "a full frame that is as fresh as the table replaces it",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      request(1_500),
      frame(1_520, { t: 500_500, age: 500, full: true, freshAt: 1_000 }),
    ),
    vector(
      "the node's clock is faster: a frame is never fresher than its arrival",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      frame(901_000, { t: 1_400_900, age: 20, freshAt: 900_980 }),
    ),
    vector(
      "a reader that stops to read keeps what it knows until it is stale",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      fresh(11_000),
      request(11_000),
      stale(11_001),
      frame(11_040, { t: 510_030, freshAt: 11_000 }),
      fresh(11_041),
    ),
    vector(
      "the machine is suspended, and its monotonic clock stops",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      ahead(hour, stale(1_100)),
      ahead(hour, request(1_200)),
      ahead(hour, stale(1_210)),
      ahead(hour, frame(1_230, { t: 4_100_200, freshAt: 1_200 })),
      ahead(hour, fresh(11_200)),
      ahead(hour, stale(11_201)),
    ),
    vector(
      "a frame lay in the socket while the machine was suspended",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      ahead(hour, frame(2_020, { t: 501_000, freshAt: 2_000 })),
      ahead(hour, stale(2_021)),
    ),
    vector(
      "the wall clock is set back by 20 s, which is allowed for",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      ahead(-20_000, fresh(2_000)),
      ahead(-20_000, stale(11_001)),
      ahead(-20_000, request(11_100)),
      ahead(-20_000, frame(11_120, { t: 510_100, freshAt: 11_100 })),
      ahead(-20_000, fresh(11_121)),
    ),
    vector(
      "the wall clock is set back by more than 30 s: everything is read again",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      fresh(1_900),
      ahead(-30_001, stale(2_000)),
      ahead(-30_001, { event: "request", at: 2_100, withoutCursor: true }),
      ahead(-30_001, stale(2_110)),
      ahead(-30_001, frame(2_120, { t: 501_100, age: 3_000, full: true, freshAt: -900 })),
      ahead(-30_001, fresh(2_121)),
      ahead(-30_001, stale(9_101)),
    ),
    vector(
      "the wall clock is set back by 20 s twice",
      request(1_000),
      frame(1_020, { t: 500_000, full: true, freshAt: 1_000 }),
      ahead(-20_000, request(2_000)),
      ahead(-20_000, frame(2_020, { t: 501_000, freshAt: 2_000 })),
      ahead(-40_000, { event: "request", at: 3_000, withoutCursor: true }),
      ahead(-40_000, stale(3_010)),
      ahead(-40_000, frame(3_020, { t: 502_000, full: true, freshAt: 3_000 })),
      ahead(-40_000, fresh(3_021)),
    ),
  ];
}
