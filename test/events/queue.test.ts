import { beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import type { AuditRow } from "../../src/core/store/audit.ts";
import { toAuditRow } from "../../src/events/audit-row.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { type AuditQueue, batchSize, createAuditQueue, maxWaiting } from "../../src/events/queue.ts";
import { createManualTime, type ManualTime, settled } from "../support/manual-time.ts";

const event = (n: number): AuthEvent => ({ type: "csrf_refused", time: n, reason: "r", client: {} });
const row = (n: number): AuditRow => toAuditRow(event(n));

let queue: AuditQueue;
let time: ManualTime;
let written: AuditRow[][];
let emitted: AuthEvent[];
let isAway: boolean;
/** Holds back every write while it is pending. */
let held: Promise<void> | null;

beforeEach(() => {
  [written, emitted, isAway, held] = [[], [], false, null];
  time = createManualTime();
  queue = createAuditQueue({
    store: {
      append: async (rows) => {
        await held;
        if (isAway) throw new StoreUnavailableError("audit.append");
        written.push([...rows]);
      },
    },
    clock: { now: () => 42 },
    emit: (dropped) => emitted.push(dropped),
    schedule: time.schedule,
  });
});

describe("the queue of the audit log", () => {
  it("gathers events for 250 ms and writes them in order, in batches of at most 100", async () => {
    for (let n = 0; n < batchSize + 1; n += 1) queue.add(event(n));
    await time.advance(0.249);
    expect(written).toEqual([]);
    await time.advance(0.001);
    expect(written.map((batch) => batch.length)).toEqual([batchSize]);
    await time.advance(0.249);
    expect(written).toHaveLength(1);
    await time.advance(0.001);
    expect(written.flat()).toEqual(Array.from({ length: batchSize + 1 }, (_, n) => row(n)));
    expect(time.pending).toBe(0);
  });

  it("gathers again after it was empty", async () => {
    queue.add(event(1));
    await time.advance(10);
    queue.add(event(2));
    await time.advance(0.2);
    queue.add(event(3));
    await time.advance(0.05);
    expect(written).toEqual([[row(1)], [row(2), row(3)]]);
  });

  it("writes an event that is added during a write, 250 ms after it", async () => {
    let release = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    queue.add(event(1));
    await time.advance(1);
    queue.add(event(2));
    await time.advance(1);
    release();
    await settled();
    expect(written).toEqual([[row(1)]]);
    await time.advance(0.25);
    expect(written).toEqual([[row(1)], [row(2)]]);
  });

  it("keeps events that the store refuses, and tries again after a second, in order", async () => {
    isAway = true;
    queue.add(event(1));
    await time.advance(0.25);
    queue.add(event(2));
    isAway = false;
    await time.advance(0.999);
    expect(written).toEqual([]);
    await time.advance(0.001);
    expect(written).toEqual([[row(1), row(2)]]);
    expect(emitted).toEqual([]);
  });

  it("drops events if a thousand wait, and reports once how many", async () => {
    for (let n = 0; n < maxWaiting + 3; n += 1) queue.add(event(n));
    await time.advance(0.25);
    expect(emitted).toEqual([{ type: "audit_dropped", time: 42, count: 3 }]);
    await time.advance(10);
    expect(emitted).toHaveLength(1);
    expect(written.flat()).toHaveLength(maxWaiting);
  });

  it("writes the events that wait when it is stopped, and reports later ones as dropped", async () => {
    for (let n = 0; n < batchSize * 2 + 1; n += 1) queue.add(event(n));
    await queue.stop();
    expect(written.map((batch) => batch.length)).toEqual([batchSize, batchSize, 1]);
    queue.add(event(0));
    await queue.stop();
    expect(written.flat()).toHaveLength(batchSize * 2 + 1);
    expect(emitted).toEqual([{ type: "audit_dropped", time: 42, count: 1 }]);
    expect(time.pending).toBe(0);
  });

  it("doesn't wait for an unavailable store when it is stopped, and reports once what was lost", async () => {
    isAway = true;
    queue.add(event(1));
    await queue.stop();
    await queue.stop();
    expect(emitted).toEqual([{ type: "audit_dropped", time: 42, count: 1 }]);
    expect(time.pending).toBe(0);
  });
});
