/** A step in the life of a verifier's keys. `at` is in milliseconds on its monotonic clock. */
export type KeyStep = { readonly at: number } & (
  | {
      /** The JWKS was read: the version of its body, and the keys in it. */
      readonly event: "keys";
      readonly version: string;
      readonly kids: readonly string[];
    }
  /** The JWKS couldn't be read. */
  | { readonly event: "failed" }
  /** A frame has arrived. */
  | { readonly event: "frame"; readonly keyVersion: string }
  | {
      /** A token names `kid`, and is valid if the key is known. */
      readonly event: "check";
      readonly kid: string;
      readonly status: 200 | 401 | 503;
      /** Whether the verifier must read the JWKS. */
      readonly read: boolean;
    }
);

/** What a verifier says of tokens while its keys change. Its revocations are fresh all the time. */
export interface KeyVersionVector {
  readonly name: string;
  /** Milliseconds. */
  readonly maxStaleness: number;
  readonly steps: readonly KeyStep[];
}

const v1 = "11111111";
const v2 = "22222222";
const v3 = "33333333";
const keys = (at: number, version: string, ...kids: readonly string[]): KeyStep => ({
  at,
  event: "keys",
  version,
  kids,
});
const frame = (at: number, keyVersion: string): KeyStep => ({ at, event: "frame", keyVersion });
const failed = (at: number): KeyStep => ({ at, event: "failed" });

/** Checks tokens. `read` is the same for each of them. */
function check(at: number, read: boolean, statuses: Readonly<Record<string, 200 | 401 | 503>>): KeyStep[] {
  return Object.entries(statuses).map(([kid, status]) => ({ at, event: "check", kid, status, read }));
}

const vector = (name: string, ...steps: readonly (KeyStep | readonly KeyStep[])[]): KeyVersionVector => ({
  name,
  maxStaleness: 10_000,
  steps: steps.flat(),
});

/** Returns the sequences about the version of the keys. */
export function toKeyVersionVectors(): KeyVersionVector[] {
  return [
    vector(
      "no keys have been read",
      frame(100, v1),
      check(200, true, { a: 503 }),
      failed(300),
      check(400, true, { a: 503 }),
      keys(1_300, v1, "a"),
      check(1_400, false, { a: 200, b: 401 }),
    ),
    vector(
      "the keys were read before the first frame: they are used",
      keys(0, v1, "a"),
      check(50, false, { a: 200 }),
      frame(100, v1),
      check(200, false, { a: 200, b: 401 }),
    ),
    vector(
      "the keys are current: an unknown kid needs no request",
      keys(0, v1, "a"),
      frame(100, v1),
      check(200, false, { a: 200, b: 401 }),
    ),
    vector(
      "a new key",
      keys(0, v1, "a"),
      frame(100, v1),
      frame(5_000, v2),
      check(5_001, true, { a: 200, b: 503 }),
      keys(5_020, v2, "a", "b"),
      check(5_021, false, { a: 200, b: 200, c: 401 }),
    ),
    vector(
      "a retired key",
      keys(0, v1, "a", "b"),
      frame(100, v1),
      check(200, false, { a: 200 }),
      frame(5_000, v2),
      keys(5_020, v2, "b"),
      check(5_021, false, { a: 401, b: 200 }),
    ),
    vector(
      "the JWKS can't be read: the keys stay, and it is tried again",
      keys(0, v1, "a"),
      frame(5_000, v2),
      failed(5_020),
      check(6_000, true, { a: 200, b: 503 }),
      keys(6_020, v2, "a", "b"),
      check(6_021, false, { b: 200 }),
    ),
    vector(
      "the JWKS can't be read for longer than maxStaleness: a known key may have been retired",
      keys(0, v1, "a"),
      frame(5_000, v2),
      failed(5_020),
      failed(6_020),
      check(15_000, true, { a: 200, b: 503 }),
      check(15_001, true, { a: 503, b: 503 }),
      failed(18_000),
      check(18_001, true, { a: 503 }),
      keys(20_000, v2, "a"),
      check(20_001, false, { a: 200, b: 401 }),
    ),
    vector(
      "the frame returns to the version that is held: it doesn't matter that the JWKS can't be read",
      keys(0, v1, "a"),
      frame(5_000, v2),
      failed(5_020),
      frame(6_000, v1),
      check(30_000, false, { a: 200, b: 401 }),
    ),
    vector(
      "only the body that is held can be read, as from a cache: a known key may have been retired",
      keys(0, v1, "a", "b"),
      frame(5_000, v2),
      keys(5_020, v1, "a", "b"),
      keys(14_900, v1, "a", "b"),
      check(15_000, true, { a: 200, c: 503 }),
      check(15_001, true, { a: 503, c: 503 }),
      keys(16_000, v2, "b"),
      check(16_001, false, { a: 401, b: 200 }),
    ),
    vector(
      "the frames name a third version, or a third one is read: the time runs on",
      keys(0, v1, "a"),
      frame(5_000, v2),
      frame(9_000, v3),
      keys(9_020, v2, "a", "c"),
      check(15_000, true, { a: 200, c: 200 }),
      check(15_001, true, { a: 503, c: 503 }),
      keys(20_000, v3, "c"),
      check(20_001, false, { a: 401, c: 200 }),
    ),
    vector(
      "an hourly read meets a node that is behind: its keys aren't used",
      keys(0, v2, "b"),
      frame(100, v2),
      keys(3_600_000, v1, "a", "b"),
      check(3_600_001, false, { a: 401, b: 200 }),
    ),
    vector(
      "a failure before the version changed doesn't count",
      keys(0, v1, "a"),
      frame(100, v1),
      failed(1_000),
      frame(20_000, v2),
      failed(20_020),
      check(20_030, true, { a: 200, b: 503 }),
    ),
    vector(
      "a body of another version than the frame's is used, and read again",
      keys(0, v1, "a"),
      frame(5_000, v2),
      keys(5_020, v3, "a", "c"),
      check(5_021, true, { a: 200, b: 503, c: 200 }),
      frame(5_500, v3),
      check(5_501, false, { b: 401, c: 200 }),
    ),
    vector(
      "a node that is behind: the frame returns to an earlier version",
      keys(0, v2, "a", "b"),
      frame(100, v2),
      frame(5_000, v1),
      check(5_001, true, { b: 200, c: 503 }),
      frame(6_000, v2),
      check(6_001, false, { b: 200, c: 401 }),
    ),
  ];
}
