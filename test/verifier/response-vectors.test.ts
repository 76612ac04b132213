import { expect, it } from "vitest";
import { createFrameReader } from "../../src/verifier/frame-reader.ts";
import { createFreshness } from "../../src/verifier/freshness.ts";
import { createKnownRevocations } from "../../src/verifier/known-revocations.ts";
import { createManualTime } from "../support/manual-time.ts";
import { toBytes, vectors } from "./vectors-of-the-page.ts";

/** Returns a response in pieces of some bytes. */
function cut(hex: string, size: number): ReadableStream<Uint8Array> {
  const bytes = toBytes(hex);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.subarray(at, at + size));
      controller.close();
    },
  });
}

const sizes = [1, 17, 1_000_000];

it.each(vectors.responses)("a response leaves the table of the vector: $name", async (vector) => {
  for (const size of sizes) {
    const { clock, schedule } = createManualTime();
    const known = createKnownRevocations({ now: clock.now, leeway: 30 });
    const bodies = [vector.before, vector.hex].filter((hex) => hex !== null);
    const reader = createFrameReader({
      requests: { openFeed: async () => cut(bodies.shift() ?? "", size) },
      freshness: createFreshness({ clock, maxStaleness: 10 }),
      ...{ clock, schedule, longestSilence: 10_000, lease: 10_000, onFrame: () => {} },
      apply: ({ header, records }) => known.apply(records, header.isFull),
    });
    if (vector.before !== null) await reader.poll(0);
    const read = vector.request === "poll" ? reader.poll(0) : reader.stream();
    expect(
      await read.then(
        () => false,
        () => true,
      ),
    ).toBe(vector.failed);
    const table = vector.table.map(
      ({ fingerprint, until, value }) =>
        fingerprint + [until, value].map((number) => number.toString(16).padStart(8, "0")).join(""),
    );
    expect(Buffer.from(known.toRecords()).toString("hex")).toBe(table.join(""));
  }
});
