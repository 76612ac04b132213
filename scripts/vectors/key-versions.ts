/** A step in the life of a verifier's keys. */
export type KeyStep =
  /** The JWKS was read: the version of its body, and the keys in it. */
  | { readonly event: "keys"; readonly version: string; readonly kids: readonly string[] }
  /** The JWKS couldn't be read. */
  | { readonly event: "failed" }
  /** A frame has arrived. */
  | { readonly event: "frame"; readonly keyVersion: string }
  /** A token names `kid`, and is valid if the key is known. `read`: whether the verifier must read the JWKS. */
  | { readonly event: "check"; readonly kid: string; readonly status: 200 | 401 | 503; readonly read: boolean };

/** What a verifier says of tokens while its keys change. Its revocations are fresh. */
export interface KeyVersionVector {
  readonly name: string;
  readonly steps: readonly KeyStep[];
}

const v1 = "11111111";
const v2 = "22222222";
const v3 = "33333333";
const keys = (version: string, ...kids: readonly string[]): KeyStep => ({ event: "keys", version, kids });
const frame = (keyVersion: string): KeyStep => ({ event: "frame", keyVersion });
const failed: KeyStep = { event: "failed" };

/** Checks tokens. `read` is the same for each of them. */
function check(read: boolean, statuses: Readonly<Record<string, 200 | 401 | 503>>): KeyStep[] {
  return Object.entries(statuses).map(([kid, status]) => ({ event: "check", kid, status, read }));
}

const vector = (name: string, ...steps: readonly (KeyStep | readonly KeyStep[])[]): KeyVersionVector => ({
  name,
  steps: steps.flat(),
});

/** Returns the sequences about the version of the keys. */
export function toKeyVersionVectors(): KeyVersionVector[] {
  return [
    vector("no keys have been read", frame(v1), check(true, { a: 503 }), failed, check(true, { a: 503 })),
    vector(
      "the keys are current: an unknown kid needs no request",
      keys(v1, "a"),
      frame(v1),
      check(false, { a: 200, b: 401 }),
    ),
    vector(
      "a new key",
      keys(v1, "a"),
      frame(v1),
      frame(v2),
      check(true, { a: 200, b: 503 }),
      keys(v2, "a", "b"),
      check(false, { a: 200, b: 200, c: 401 }),
    ),
    vector(
      "a retired key",
      keys(v1, "a", "b"),
      frame(v1),
      check(false, { a: 200 }),
      frame(v2),
      keys(v2, "b"),
      check(false, { a: 401, b: 200 }),
    ),
    vector(
      "the JWKS can't be read: the keys stay, and it is tried again",
      keys(v1, "a"),
      frame(v2),
      failed,
      check(true, { a: 200, b: 503 }),
      keys(v2, "a", "b"),
      check(false, { b: 200 }),
    ),
    vector(
      "a body of another version than the frame's is used, and read again",
      keys(v1, "a"),
      frame(v2),
      keys(v3, "a", "c"),
      check(true, { a: 200, b: 503, c: 200 }),
      frame(v3),
      check(false, { b: 401, c: 200 }),
    ),
    vector(
      "a node that is behind: the frame returns to an earlier version",
      keys(v2, "a", "b"),
      frame(v2),
      frame(v1),
      check(true, { b: 200, c: 503 }),
      frame(v2),
      check(false, { b: 200, c: 401 }),
    ),
  ];
}
