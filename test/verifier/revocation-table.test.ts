import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createKnownRevocations } from "../../src/verifier/known-revocations.ts";
import { createRevocationTable } from "../../src/verifier/revocation-table.ts";
import { toBytes, vectors } from "./vectors-of-the-page.ts";

/** Few halves, so that many records share a place, or the half that decides it. */
const half = fc.constantFrom(0, 1, 2 ** 31 - 1, -(2 ** 31), -1, 0x12345678, 0x12345679);
const record = fc.record({
  high: half,
  low: half,
  until: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  value: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(2 ** 32 - 1)),
});

function toRecords(list: readonly { high: number; low: number; until: number; value: number }[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(list.length * 16));
  for (const [i, { high, low, until, value }] of list.entries()) {
    view.setInt32(i * 16, high);
    view.setInt32(i * 16 + 4, low);
    view.setUint32(i * 16 + 8, until);
    view.setUint32(i * 16 + 12, value);
  }
  return new Uint8Array(view.buffer);
}

describe("the table of records", () => {
  it("behaves like a Map that keeps the larger value and the later time", () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.array(record, { maxLength: 40 }).map((add) => ({ add })) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((sweep) => ({ sweep })) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const table = createRevocationTable();
        const model = new Map<string, { until: number; value: number }>();
        for (const one of steps) {
          if ("sweep" in one) {
            table.sweep(one.sweep, 10_000);
            for (const [key, { until }] of model) if (until <= one.sweep) model.delete(key);
            continue;
          }
          const before = JSON.stringify([...model]);
          const hasChanged = table.add(toRecords(one.add));
          for (const { high, low, until, value } of one.add) {
            const known = model.get(`${high} ${low}`) ?? { until: 0, value: 0 };
            if (value === 0) continue;
            const merged = { until: Math.max(until, known.until), value: Math.max(value, known.value) };
            model.set(`${high} ${low}`, merged);
          }
          expect(hasChanged).toBe(JSON.stringify([...model]) !== before);
        }
        expect(table.size).toBe(model.size);
        for (const [key, { value }] of model) {
          const [high = 0, low = 0] = key.split(" ").map(Number);
          expect(table.get({ high, low })).toBe(value);
        }
        expect(table.get({ high: 77, low: 77 })).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it.each(vectors.tables)("is that of the vector after its frames: $name", ({ frames, now, table: expected }) => {
    const known = createKnownRevocations({ now: () => now ?? 0, leeway: vectors.configuration.leeway });
    for (const frame of frames.map(toBytes)) known.apply(frame.subarray(64), (frame[7] ?? 0) % 2 === 1);
    known.sweep();
    const digits = expected.map(
      ({ fingerprint, until, value }) =>
        fingerprint + until.toString(16).padStart(8, "0") + value.toString(16).padStart(8, "0"),
    );
    expect(Buffer.from(known.toRecords()).toString("hex")).toBe(digits.join(""));
    expect(known.size).toBe(expected.length);
  });

  it("holds 215,000 records in less than 10 MB, and the same if they come one after the other", () => {
    const records = randomBytes(215_000 * 16);
    const before = process.memoryUsage().arrayBuffers;
    const whole = createRevocationTable();
    whole.add(records);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * 2 ** 20);
    const grown = createRevocationTable();
    for (let at = 0; at < records.length; at += 16 * 50) grown.add(records.subarray(at, at + 16 * 50));
    expect([whole.size, grown.size]).toEqual([215_000, 215_000]);
    expect(whole.toRecords()).toEqual(grown.toRecords());
  });

  it("gives its memory back when most records are gone", () => {
    const table = createRevocationTable();
    table.add(toRecords(Array.from({ length: 10_000 }, (_, i) => ({ high: i, low: i * 400_000, until: i, value: 1 }))));
    for (let i = 0; i < 20; i += 1) table.sweep(9_989, 2_000);
    expect(table.size).toBe(10);
    for (let i = 9_990; i < 10_000; i += 1) expect(table.get({ high: i, low: (i * 400_000) | 0 })).toBe(1);
  });
});
