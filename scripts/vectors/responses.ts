import { record, sort, toFrame, type VectorRecord } from "./frame-bytes.ts";

/** All bytes of one response of the feed, which then ends, and what a reader does with them. */
export interface ResponseVector {
  readonly name: string;
  readonly request: "stream" | "poll";
  /** A full frame: what the reader has read before. `null`: nothing, so it sends no cursor. */
  readonly before: string | null;
  readonly hex: string;
  /** Whether that is an error: log it, and count it as a failure. */
  readonly failed: boolean;
  /** Sorted by fingerprint. */
  readonly table: readonly VectorRecord[];
}

const [a, b, c] = ["s:a", "s:b", "s:c"].map((text) => record(text, 1_796_000_000)) as [
  VectorRecord,
  VectorRecord,
  VectorRecord,
];
const before = toFrame({ full: true, t: 3_600_000, records: [a] });
const delta = (t: number, ...records: readonly VectorRecord[]) => toFrame({ t, records });
const full = (t: number, ...records: readonly VectorRecord[]) => toFrame({ full: true, t, records });

const stream = (name: string, hex: string, failed: boolean, ...table: readonly VectorRecord[]): ResponseVector => ({
  ...{ name, request: "stream", before, hex, failed },
  table: sort(table, true),
});

/** Returns whole responses. */
export function toResponseVectors(): ResponseVector[] {
  const next = delta(3_601_000, b);
  const polled = (vector: ResponseVector): ResponseVector => ({ ...vector, request: "poll" });
  const first = (vector: ResponseVector): ResponseVector => ({ ...vector, before: null });
  return [
    stream("a stream that ends after a frame", next, false, a, b),
    stream("a stream with two frames that come at once", next + delta(3_602_000, c), false, a, b, c),
    stream("a stream that ends within a frame", next + delta(3_602_000, c).slice(0, -2), true, a, b),
    stream("a stream that isn't one", Buffer.from('{"detail":""}').toString("hex"), true, a),
    stream("a stream without a frame", "", true, a),
    stream("a frame with unsorted and repeated records", delta(3_601_000, c, b, c, b), false, a, b, c),
    first(stream("the first stream, which begins with a full frame", full(1_000, b) + delta(2_000, c), false, b, c)),
    first(stream("the first stream, which begins in the middle", delta(1_000, b) + full(2_000, b), true)),
    polled(stream("a poll", next, false, a, b)),
    polled(stream("a poll that brings a full frame", full(3_601_000, b), false, b)),
    polled(stream("a poll with two frames", next + delta(3_602_000, c), true, a)),
    polled(stream("a poll with a byte after its frame", `${next}54`, true, a)),
    polled(stream("a poll that ends within its frame", next.slice(0, -2), true, a)),
    polled(stream("a poll without a frame", "", true, a)),
    first(polled(stream("the first poll, which brings a frame that isn't full", delta(1_000, b), true))),
  ];
}
