import { goodClaims } from "./forge.ts";
import {
  type FrameParts,
  fingerprintOf,
  headerOf,
  record,
  sort,
  toFrame,
  type VectorHeader,
  type VectorRecord,
} from "./frame-bytes.ts";

/** A text and its fingerprint. */
export interface FingerprintVector {
  readonly text: string;
  readonly fingerprint: string;
}

/** The bytes of a response, and what a reader finds in them. */
export interface FrameVector {
  readonly name: string;
  readonly hex: string;
  /** `incomplete`: more bytes must come. `invalid`: the connection must be dropped. */
  readonly result: "frame" | "incomplete" | "invalid";
  readonly header?: VectorHeader;
  readonly records?: readonly VectorRecord[];
}

/** Frames in the order in which they arrive, and the table that they leave. */
export interface TableVector {
  readonly name: string;
  readonly frames: readonly string[];
  /** Whole seconds: records that may be forgotten by then are not in the table. Default: before every `until`. */
  readonly now?: number;
  /** Sorted by fingerprint. */
  readonly table: readonly VectorRecord[];
}

const { sid, jti, user_id } = goodClaims;
const until = 1_796_000_000;
const full = { full: true, age: 12, t: 3_600_000 };

/** The frame of the page. */
export const example: FrameParts = {
  ...full,
  records: [
    record(`t:${jti}`, until + 60),
    record(`u:${user_id}`, until + 120, 3),
    record(`s:${sid}`, until),
    record("a:", until + 180, 2),
  ],
};

/** Returns the fingerprints of texts. */
export function toFingerprintVectors(): FingerprintVector[] {
  const texts = [`s:${sid}`, `t:${jti}`, `u:${user_id}`, `x:${sid}`, "a:", "u:auth0|Zoë ✓", "u:\u{1f600}"];
  return texts.map((text) => ({ text, fingerprint: fingerprintOf(text) }));
}

const frame = (name: string, parts: FrameParts): FrameVector => ({
  name,
  hex: toFrame(parts),
  result: "frame",
  header: headerOf(parts),
  records: sort(parts.records ?? [], parts.full ?? false),
});

/** Returns frames, whole and broken. */
export function toFrameVectors(): FrameVector[] {
  const whole = toFrame(example);
  return [
    frame("the example of the page", example),
    frame("a full frame without records", full),
    frame("a heartbeat", { t: 3_601_000 }),
    frame("a delta that a caller waits for", {
      confirm: true,
      age: 1,
      t: 3_601_500,
      held: 25_000,
      records: [record("s:a", until)],
    }),
    frame("unknown flags", { ...example, flags: 0xffff_fffc }),
    frame("the largest numbers", {
      age: 0xffff_ffff,
      t: Number.MAX_SAFE_INTEGER,
      held: 0xffff_ffff,
      keyVersion: "ffffffff",
      cursor: "f".repeat(64),
      records: [{ fingerprint: "ffffffffffffffff", until: 0xffff_ffff, value: 0xffff_ffff }],
    }),
    frame("the smallest numbers", {
      keyVersion: "00000000",
      cursor: "0".repeat(64),
      records: [{ fingerprint: "0000000000000000", until: 0, value: 1 }],
    }),
    { name: "no byte", hex: "", result: "incomplete" },
    { name: "a header without its last byte", hex: whole.slice(0, 126), result: "incomplete" },
    { name: "a frame without its last byte", hex: whole.slice(0, -2), result: "incomplete" },
    { name: "four bytes of another magic number", hex: "54505232", result: "invalid" },
    { name: "another magic number", hex: `54505232${whole.slice(8)}`, result: "invalid" },
    { name: "the start of a JSON answer", hex: Buffer.from('{"detail":').toString("hex"), result: "invalid" },
    { name: "more than 2^26 records", hex: toFrame({ count: 2 ** 26 + 1 }), result: "invalid" },
    { name: "a t of 2^53", hex: toFrame({ t: 2 ** 53 }), result: "invalid" },
    { name: "2^26 records, of which none has come", hex: toFrame({ count: 2 ** 26 }), result: "incomplete" },
  ];
}

const table = (
  name: string,
  frames: readonly FrameParts[],
  records: readonly VectorRecord[],
  now?: number,
): TableVector => ({
  name,
  frames: frames.map((parts, index) => toFrame({ ...parts, t: 3_600_000 + 1_000 * index })),
  ...(now === undefined ? {} : { now }),
  table: sort(records, true),
});

/** Returns sequences of frames. */
export function toTableVectors(): TableVector[] {
  const [a, b, c] = ["s:a", "s:b", "u:42"].map((text) => record(text, until)) as [
    VectorRecord,
    VectorRecord,
    VectorRecord,
  ];
  const start = { ...full, records: [a, b] };
  return [
    table("a full frame", [example], example.records ?? []),
    table("a heartbeat changes nothing", [start, {}], [a, b]),
    table("a delta adds", [start, { records: [c] }], [a, b, c]),
    table("a delta repeats what is known", [start, { records: [b, a, a] }], [a, b]),
    table(
      "of two records with one fingerprint, the larger value and the later until count",
      [
        { ...full, records: [{ ...c, value: 5 }] },
        {
          records: [
            { ...c, until: until + 60, value: 3 },
            { ...c, until: until - 60, value: 4 },
          ],
        },
      ],
      [{ ...c, until: until + 60, value: 5 }],
    ),
    table(
      "a record raises the epoch",
      [{ ...full, records: [c] }, { records: [{ ...c, value: 2 }] }],
      [{ ...c, value: 2 }],
    ),
    table("a full frame replaces everything", [start, { records: [c] }, { ...full, records: [c] }], [c]),
    table("a full frame without records", [start, full], []),
    table("records are kept until leeway and a minute after their until", [start], [a, b], until + 89),
    table(
      "records are forgotten from then on",
      [{ ...full, records: [a, { ...b, until: until + 1 }] }],
      [{ ...b, until: until + 1 }],
      until + 90,
    ),
  ];
}
