import { describe, expect, it } from "vitest";
import { createReaderLeases } from "../../../src/revocation/readers/reader-leases.ts";
import { toWait } from "../../../src/revocation/registry-trust.ts";
import { createManualTime, settled } from "../../support/manual-time.ts";

const lease = 10_000;
const span = toWait(lease) / 1000;

function createTestLeases() {
  const time = createManualTime();
  const leases = createReaderLeases(time);
  const now = time.clock.monotonic;
  /** A frame for a reader, made now in answer to a request of now. */
  const extend = (reader: string | undefined, more: { lease?: number; known?: number; arrivedAt?: number } = {}) =>
    leases.extend(reader, { lease, madeAt: now(), arrivedAt: now(), ...more });
  /** Waits for a record. `isOver` becomes true when the wait is over. */
  function wait(number: number) {
    const state = { isOver: false, wasKnown: false };
    const known = leases.whenKnown(number);
    if (known === null) Object.assign(state, { isOver: true, wasKnown: true });
    else known.then(() => Object.assign(state, { isOver: true }));
    return state;
  }
  return { time, leases, extend, wait };
}

describe("the wait for readers", () => {
  it("is over at once without readers, and if all of them have acknowledged the record", () => {
    const { wait, extend, leases } = createTestLeases();
    expect(wait(1).wasKnown).toBe(true);
    extend("a");
    extend("b", { known: 4 });
    leases.acknowledge("a", 3);
    expect(wait(3).wasKnown).toBe(true);
    expect(wait(4).wasKnown).toBe(false);
  });

  it("is over when the last reader has acknowledged the record or a later one", async () => {
    const { wait, extend, leases, time } = createTestLeases();
    for (const reader of ["a", "b", "c"]) extend(reader);
    const waiting = wait(5);
    await time.advance(1);
    leases.acknowledge("b", 5);
    leases.acknowledge("a", 9);
    leases.acknowledge("c", 4);
    await settled();
    expect(waiting.isOver).toBe(false);
    leases.acknowledge("c", 5);
    await settled();
    expect(waiting.isOver).toBe(true);
    expect(time.pending).toBe(0);
  });

  it("lasts for the lease of a frame that was made before, to the millisecond, if the reader has gone", async () => {
    const { wait, extend, time } = createTestLeases();
    extend("gone");
    await time.advance(4);
    const waiting = wait(5);
    await time.advance(span - 4);
    expect(waiting.isOver).toBe(false);
    await time.advance(0.001);
    expect(waiting.isOver).toBe(true);
  });

  it("isn't prolonged by frames that were made after it began, for those have the record", async () => {
    const { wait, extend, time } = createTestLeases();
    extend("silent");
    extend(undefined);
    await time.advance(4);
    const waiting = wait(5);
    for (let i = 0; i < 10; i++) {
      extend("silent");
      extend(undefined);
      extend(`new ${i}`);
      await time.advance(1);
    }
    expect(waiting.isOver).toBe(false);
    await time.advance(span - 9.999);
    expect(waiting.isOver).toBe(true);
  });

  it("doesn't wait for a reader whose first frame was made after it began", async () => {
    const { wait, extend, leases, time } = createTestLeases();
    extend("a");
    const waiting = wait(5);
    await time.advance(1);
    extend("new");
    leases.acknowledge("a", 5);
    await settled();
    expect(waiting.isOver).toBe(true);
  });

  it("can't be ended by a reader without a name", async () => {
    const { wait, extend, leases, time } = createTestLeases();
    extend(undefined, { known: 9 });
    const waiting = wait(5);
    leases.acknowledge("", 9);
    leases.acknowledge("undefined", 9);
    await time.advance(span - 0.001);
    expect(waiting.isOver).toBe(false);
    // Leases of about the same length are one.
    await time.advance(1);
    expect(waiting.isOver).toBe(true);
  });

  it("takes each lease for itself: one reader with a long lease doesn't prolong the waits for the others", async () => {
    const { wait, extend, time } = createTestLeases();
    extend(undefined, { lease: 60_000 });
    await time.advance(59);
    extend(undefined, { lease: 1_000 });
    const waiting = wait(5);
    await time.advance(1.01);
    expect(waiting.isOver).toBe(false);
    await time.advance(1);
    expect(waiting.isOver).toBe(true);
  });

  it("counts a frame late in a stream for longer, because the clocks of sender and reader differ", async () => {
    const { wait, extend, time } = createTestLeases();
    await time.advance(600);
    extend("a", { arrivedAt: 0 });
    const waiting = wait(5);
    await time.advance(span + 0.6);
    expect(waiting.isOver).toBe(false);
    await time.advance(0.002);
    expect(waiting.isOver).toBe(true);
  });

  it("keeps to the order of the records, and ends many waits at once", async () => {
    const { extend, leases, time } = createTestLeases();
    extend("a");
    extend("b");
    const order: number[] = [];
    for (const number of [1, 2, 3, 4]) {
      await time.advance(0.001);
      leases.whenKnown(number)?.then(() => order.push(number));
    }
    leases.acknowledge("a", 4);
    await settled();
    expect(order).toEqual([]);
    leases.acknowledge("b", 2);
    await settled();
    expect(order).toEqual([1, 2]);
    leases.acknowledge("b", 4);
    await settled();
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it("never goes back: an older acknowledgement that arrives later changes nothing", async () => {
    const { wait, extend, leases } = createTestLeases();
    extend("a");
    leases.acknowledge("a", 9);
    leases.acknowledge("a", 3);
    extend("a", { known: 2 });
    expect(wait(9).wasKnown).toBe(true);
  });

  it("ignores who it doesn't know", () => {
    const { wait, extend, leases } = createTestLeases();
    leases.acknowledge("a", 9);
    extend("a");
    expect(wait(9).wasKnown).toBe(false);
  });

  it("still waits for readers that exceed what it can tell apart, as for readers without a name", async () => {
    const { wait, extend, leases, time } = createTestLeases();
    for (let i = 0; i <= 20_000; i++) extend(`${i}`);
    const waiting = wait(5);
    for (let i = 0; i <= 20_000; i++) leases.acknowledge(`${i}`, 5);
    await time.advance(1);
    expect(waiting.isOver).toBe(false);
    await time.advance(span + 1);
    expect(waiting.isOver).toBe(true);
  });
});

describe("the leases of readers", () => {
  it("are over when the last frame isn't relied on any more, and are forgotten then", async () => {
    const { extend, leases, time, wait } = createTestLeases();
    expect(leases.areOver()).toBe(true);
    extend("a", { known: 3 });
    extend(undefined);
    await time.advance(5);
    extend("a");
    await time.advance(span);
    expect(leases.areOver()).toBe(false);
    await time.advance(0.001);
    expect(leases.areOver()).toBe(true);
    leases.sweep();
    extend("a");
    expect(wait(3).wasKnown).toBe(false);
  });
});
