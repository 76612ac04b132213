import { describe, expect, it } from "vitest";
import { type FeedRecord, readRecord, recordLength } from "../../../src/revocation/readers/frame.ts";
import { createRecordTable, unknownPosition } from "../../../src/revocation/readers/record-table.ts";

const toRecords = (bytes: Uint8Array): FeedRecord[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / recordLength }, (_, index) => readRecord(view, index * recordLength));
};
const toFingerprints = (bytes: Uint8Array) => toRecords(bytes).map(({ fingerprint }) => Number(fingerprint));

const record = (fingerprint: number | bigint, until = 100, value = 1): FeedRecord => ({
  fingerprint: BigInt(fingerprint),
  until,
  value,
});

/** Returns the same numbers for the same seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

describe("the table of records", () => {
  it("is sorted, holds each fingerprint once, with the larger value and the later time, as a Map does", () => {
    const random = createRandom(1);
    const table = createRecordTable();
    const expected = new Map<bigint, FeedRecord>();
    for (let i = 0; i < 20_000; i++) {
      // Many with the same upper half, and from both ends of the range.
      const fingerprint = (BigInt(random(3) * 2_000_000_000 + random(50)) << 32n) | BigInt(random(100) * 42_949_672);
      const next = record(fingerprint, 100 + random(50), 1 + random(5));
      const held = expected.get(fingerprint);
      const until = Math.max(next.until, held?.until ?? 0);
      const value = Math.max(next.value, held?.value ?? 0);
      const isNew = until !== held?.until || value !== held?.value;
      expect(table.merge(next, i)).toEqual(isNew ? { fingerprint, until, value } : null);
      expected.set(fingerprint, { fingerprint, until, value });
    }
    expect(table.size).toBe(expected.size);
    const sorted = [...expected.values()].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
    expect(toRecords(table.copyAll())).toEqual(sorted);
  });

  it("removes records in sixty sweeps whose time has passed, and no other", () => {
    const random = createRandom(2);
    const table = createRecordTable();
    for (let i = 0; i < 5_000; i++) table.merge(record(BigInt(i) << 50n, random(200)), i);
    const kept = toRecords(table.copyAll()).filter(({ until }) => until >= 120);
    for (let i = 0; i < 60; i++) table.sweep(120);
    expect(toRecords(table.copyAll())).toEqual(kept);
    expect(table.size).toBe(kept.length);
    for (const { fingerprint } of kept) expect(table.merge(record(fingerprint, 1), 0)).toBeNull();
  });

  it("returns the records at a position and above, and those whose position isn't known", () => {
    const table = createRecordTable();
    table.merge(record(1), 10);
    table.merge(record(2), 11);
    table.merge(record(3), unknownPosition);
    table.merge(record(4n << 60n), 12);
    expect(toFingerprints(table.copySince(11))).toEqual([2, 3, Number(4n << 60n)]);
    expect(toFingerprints(table.copySince(13))).toEqual([3]);
  });

  it("learns a position when the same record is read", () => {
    const table = createRecordTable();
    table.merge(record(1), unknownPosition);
    expect(table.merge(record(1), 10)).toBeNull();
    expect(toFingerprints(table.copySince(11))).toEqual([]);
    expect(toFingerprints(table.copySince(10))).toEqual([1]);
    // The process may commit it only after it has read it.
    table.merge(record(1), unknownPosition);
    expect(toFingerprints(table.copySince(11))).toEqual([]);
    // A restored database has given it another position.
    table.merge(record(1), 20);
    expect(toFingerprints(table.copySince(20))).toEqual([1]);
  });

  it("gives a merged record to everyone who may lack a part of it", () => {
    const table = createRecordTable();
    // Its later time is at an unknown position, its larger value at 50.
    table.merge(record(1, 100, 1), unknownPosition);
    table.merge(record(1, 90, 2), 50);
    table.merge(record(1, 100, 1), 40);
    expect(toRecords(table.copySince(45))).toEqual([record(1, 100, 2)]);
    // The later time is at 60, the larger value at 50: a reader that has read up to 55 lacks the time.
    table.merge(record(2, 90, 2), 50);
    table.merge(record(2, 100, 1), 60);
    expect(toFingerprints(table.copySince(55))).toContain(2);
    expect(toFingerprints(table.copySince(61))).not.toContain(2);
    // What is less than the record that is held says nothing.
    table.merge(record(3, 100, 2), 50);
    table.merge(record(3, 90, 1), 70);
    expect(toFingerprints(table.copySince(51))).not.toContain(3);
    // What is more than all that is held is enough.
    table.merge(record(3, 200, 3), 80);
    expect(toFingerprints(table.copySince(80))).toContain(3);
    expect(toFingerprints(table.copySince(81))).not.toContain(3);
  });
});
