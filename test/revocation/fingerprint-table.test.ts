import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFingerprintTable } from "../../src/revocation/fingerprint-table.ts";

const everything = 2 ** 31;

describe("the fingerprint table", () => {
  it.each([true, false])("finds each of 50,000 entries and nothing else, with values: %s", (values) => {
    const table = createFingerprintTable({ now: () => 0, values });
    for (let i = 0; i < 50_000; i++) table.set(`id-${i}`, i + 1, 10);
    expect(table.size).toBe(50_000);
    const wrong = Array.from({ length: 100_000 }, (_, i) => i).filter(
      (i) => table.get(`id-${i}`) !== (i >= 50_000 ? 0 : values ? i + 1 : 1),
    );
    expect(wrong).toEqual([]);
  });

  it("drops every expired entry when it is swept", () => {
    let time = 0;
    const table = createFingerprintTable({ now: () => time, values: false });
    for (let i = 0; i < 10_000; i++) table.set(`id-${i}`, 1, 10 + (i % 2) * 10);
    time = 10;
    table.sweep(everything);
    expect(table.size).toBe(5_000);
    expect([table.get("id-0"), table.get("id-1")]).toEqual([0, 1]);
    time = 20;
    table.sweep(everything);
    expect(table.size).toBe(0);
    expect(table.get("id-1")).toBe(0);
  });

  it("sweeps in bounded parts that together cover the whole table", () => {
    let time = 0;
    const table = createFingerprintTable({ now: () => time, values: false });
    for (let i = 0; i < 20_000; i++) table.set(`id-${i}`, 1, 10);
    time = 10;
    const sizes = [table.size];
    while (table.size > 0 && sizes.length < 100) {
      table.sweep(1_000);
      sizes.push(table.size);
    }
    expect(table.size).toBe(0);
    const freed = sizes.slice(1).map((size, i) => (sizes[i] ?? 0) - size);
    expect(Math.max(...freed)).toBeLessThan(1_200);
  });

  it("reuses the room of expired entries before it grows, without a sweep", () => {
    let time = 0;
    const table = createFingerprintTable({ now: () => time, values: false });
    for (; time < 1_000; time++) {
      for (let i = 0; i < 100; i++) table.set(`id-${time}-${i}`, 1, time + 10);
    }
    // 1,000 are alive at any time and 100,000 were added.
    expect(table.size).toBeLessThan(3_000);
  });

  it("forgets the value of an entry that expired before it was set again", () => {
    let time = 0;
    const table = createFingerprintTable({ now: () => time, values: true });
    table.set("alice", 5, 10);
    time = 10;
    table.set("alice", 2, 20);
    expect(table.get("alice")).toBe(2);
    expect(table.size).toBe(1);
  });

  it("finds by a fingerprint what it holds for the id at that time", () => {
    const table = createFingerprintTable({ now: () => 0, values: true });
    const fingerprint = table.toFingerprint("alice");
    expect(table.find(fingerprint)).toBe(0);
    table.set("alice", 2, 10);
    for (let i = 0; i < 10_000; i++) table.set(`id-${i}`, 1, 10);
    table.set("alice", 5, 10);
    expect(table.find(fingerprint)).toBe(5);
  });

  it("holds values up to 2^32 - 1 and times past 2038", () => {
    const table = createFingerprintTable({ now: () => 2 ** 31, values: true });
    table.set("alice", 2 ** 32 - 1, 2 ** 31 + 1);
    table.sweep(everything);
    expect(table.get("alice")).toBe(2 ** 32 - 1);
  });

  it("behaves like a Map that keeps the highest value and the latest time", () => {
    const command = fc.oneof(
      fc.record({
        id: fc.integer({ min: 0, max: 400 }),
        value: fc.integer({ min: 1, max: 5 }),
        for: fc.integer({ min: -5, max: 50 }),
      }),
      fc.record({ wait: fc.integer({ min: 1, max: 20 }) }),
    );
    fc.assert(
      fc.property(fc.array(command, { minLength: 50, maxLength: 600 }), (commands) => {
        let time = 100;
        const table = createFingerprintTable({ now: () => time, values: true });
        const model = new Map<string, { value: number; until: number }>();
        for (const step of commands) {
          if ("wait" in step) {
            time += step.wait;
            for (const [id, { until }] of model) if (until <= time) model.delete(id);
            table.sweep(everything);
          } else if (step.for > 0) {
            const id = `id-${step.id}`;
            const held = model.get(id) ?? { value: 0, until: 0 };
            model.set(id, { value: Math.max(held.value, step.value), until: Math.max(held.until, time + step.for) });
            table.set(id, step.value, time + step.for);
          } else {
            table.set(`id-${step.id}`, step.value, time + step.for);
          }
          expect(table.size).toBe(model.size);
        }
        for (let i = 0; i <= 400; i++) expect(table.get(`id-${i}`)).toBe(model.get(`id-${i}`)?.value ?? 0);
      }),
      { numRuns: 60 },
    );
  });
});
