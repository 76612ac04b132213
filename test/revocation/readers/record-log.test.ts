import { describe, expect, it } from "vitest";
import { readRecord, recordLength } from "../../../src/revocation/readers/frame.ts";
import { createRecordLog, type NewRecord } from "../../../src/revocation/readers/record-log.ts";

const toFingerprints = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = (_: unknown, index: number) => Number(readRecord(view, index * recordLength).fingerprint);
  return Array.from({ length: bytes.length / recordLength }, at);
};

function createTestLog() {
  const clock = { time: 1_000, now: () => clock.time };
  const log = createRecordLog({ clock });
  const calls: boolean[] = [];
  log.subscribe((isAwaited) => void calls.push(isAwaited));
  const append = (fingerprint: number, more: Partial<NewRecord> = {}) =>
    log.append([
      { fingerprint: BigInt(fingerprint), until: 2_000, value: 1, position: null, isAwaited: false, ...more },
    ]);
  return { clock, log, calls, append };
}

describe("the log of records", () => {
  it("numbers records in their order, and tells its subscribers once for each call", () => {
    const { log, calls, append } = createTestLog();
    const record = { until: 2_000, value: 1, position: null, isAwaited: false };
    log.append([3n, 1n, 2n].map((fingerprint) => ({ fingerprint, ...record })));
    append(5, { isAwaited: true });
    expect([log.end, log.lastAwaited, log.size]).toEqual([4, 4, 4]);
    expect(calls).toEqual([false, true]);
    expect(toFingerprints(log.copyAfter(1))).toEqual([1, 2, 5]);
    expect(toFingerprints(log.copyAll())).toEqual([1, 2, 3, 5]);
  });

  it("appends nothing that it has, as when the feed is read again", () => {
    const { log, calls, append } = createTestLog();
    for (const _ of [1, 2]) for (const fingerprint of [1, 2, 3]) append(fingerprint, { position: 7n });
    expect(log.end).toBe(3);
    expect(calls).toHaveLength(3);
    append(2, { value: 2 });
    expect(log.end).toBe(4);
  });

  it("appends an awaited record although the clock was set so far forward that it looks expired", () => {
    const { clock, log, append } = createTestLog();
    clock.time += 10_000;
    append(1);
    expect(log.end).toBe(0);
    append(2, { isAwaited: true });
    expect([log.end, log.lastAwaited]).toEqual([1, 1]);
  });

  it("appends an awaited record once, although it is committed here and then read", () => {
    const { log, append } = createTestLog();
    append(1, { isAwaited: true });
    append(1, { isAwaited: true, position: 7n });
    expect([log.end, log.lastAwaited]).toEqual([1, 1]);
  });

  it("appends a record again that somebody waits for, if readers weren't asked to acknowledge it before", () => {
    const { log, calls, append } = createTestLog();
    append(1, { position: 6n });
    append(2, { position: 7n });
    append(1, { position: 8n, isAwaited: true });
    expect([log.end, log.lastAwaited]).toEqual([3, 3]);
    expect(calls.at(-1)).toBe(true);
    expect(toFingerprints(log.copyAfter(2))).toEqual([1]);
  });

  it("appends one record for all awaited ones that are read again", () => {
    const { log } = createTestLog();
    const records = Array.from(
      { length: 2_500 },
      (_, index): NewRecord => ({
        ...{ fingerprint: BigInt(index), until: 2_000, value: 1, position: BigInt(index), isAwaited: true },
      }),
    );
    log.append(records);
    log.append(records);
    expect(log.end).toBeLessThanOrEqual(2_501);
    log.append(records);
    expect(log.end).toBeLessThanOrEqual(2_502);
    expect(log.lastAwaited).toBe(log.end);
  });

  it("keeps records for six minutes after their time, for readers whose leeway is long", () => {
    const { log, clock, append } = createTestLog();
    append(1, { until: 1_500 });
    append(2, { until: 639 });
    append(3, { until: 640 });
    expect(toFingerprints(log.copyAll())).toEqual([1, 3]);
    clock.time = 1_860;
    for (let i = 0; i < 60; i++) log.sweep();
    expect(toFingerprints(log.copyAll())).toEqual([1]);
    clock.time = 1_861;
    for (let i = 0; i < 60; i++) log.sweep();
    expect(log.size).toBe(0);
  });

  it("keeps the latest records in their order, around the end of the memory for them", () => {
    const { log, append } = createTestLog();
    const kept = 2 ** 15;
    for (let i = 1; i <= kept + 100; i++) append(i);
    expect([log.isLatest(99), log.isLatest(100), log.isLatest(log.end)]).toEqual([false, true, true]);
    expect(toFingerprints(log.copyAfter(100))).toEqual(Array.from({ length: kept }, (_, index) => index + 101));
    expect(toFingerprints(log.copyAfter(kept - 2))).toEqual(
      Array.from({ length: 102 }, (_, index) => kept - 1 + index),
    );
    expect(log.copyAfter(log.end)).toHaveLength(0);
  });
});
