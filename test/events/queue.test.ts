import { beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { type AuditQueue, batchSize, createAuditQueue, maxWaiting } from "../../src/events/queue.ts";

const event = (n: number): AuthEvent => ({ type: "csrf_refused", time: n, reason: "r", client: {} });

let queue: AuditQueue;
let written: AuthEvent[][];
let said: AuthEvent[];
let timers: { callback: () => void; milliseconds: number }[];
let isAway: boolean;

/** Lets the next timer run out, and what it began come to its end. */
async function tick(): Promise<number | undefined> {
  const timer = timers.shift();
  timer?.callback();
  await new Promise(setImmediate);
  return timer?.milliseconds;
}

beforeEach(() => {
  [written, said, timers, isAway] = [[], [], [], false];
  queue = createAuditQueue({
    store: {
      append: async (events) => {
        if (isAway) throw new StoreUnavailableError("audit.append");
        written.push([...events]);
      },
      read: () => Promise.reject(new Error("is not asked")),
    },
    clock: { now: () => 42 },
    emit: (told) => said.push(told),
    schedule: (callback, milliseconds) => {
      const timer = { callback, milliseconds };
      timers.push(timer);
      return { cancel: () => void timers.splice(timers.indexOf(timer), 1) };
    },
  });
});

describe("the queue of the audit log", () => {
  it("writes nothing at once, then what has gathered, in order and in small batches", async () => {
    for (let n = 0; n < batchSize + 1; n += 1) queue.add(event(n));
    expect(written).toEqual([]);
    await tick();
    expect(written.map((batch) => batch.length)).toEqual([batchSize]);
    await tick();
    expect(written.flat().map(({ time }) => time)).toEqual(Array.from({ length: batchSize + 1 }, (_, n) => n));
    expect(timers).toEqual([]);
  });

  it("keeps what the store refuses, and tries again after a while, in order", async () => {
    isAway = true;
    queue.add(event(1));
    const soon = await tick();
    queue.add(event(2));
    isAway = false;
    expect(await tick()).toBeGreaterThan(soon as number);
    expect(written).toEqual([[event(1), event(2)]]);
    expect(said).toEqual([]);
  });

  it("drops what is too much, and says once how much that was", async () => {
    for (let n = 0; n < maxWaiting + 3; n += 1) queue.add(event(n));
    await tick();
    expect(said).toEqual([{ type: "audit_dropped", time: 42, count: 3 }]);
    await tick();
    expect(said).toHaveLength(1);
  });

  it("writes what waits when it is stopped, and counts what comes later as dropped", async () => {
    for (let n = 0; n < batchSize * 2 + 1; n += 1) queue.add(event(n));
    await queue.stop();
    expect(written.map((batch) => batch.length)).toEqual([batchSize, batchSize, 1]);
    queue.add(event(0));
    await queue.stop();
    expect(written.flat()).toHaveLength(batchSize * 2 + 1);
    expect(said).toEqual([{ type: "audit_dropped", time: 42, count: 1 }]);
  });

  it("does not wait for ever for a store that is away when it is stopped, and says what was lost", async () => {
    isAway = true;
    queue.add(event(1));
    await queue.stop();
    expect(said).toEqual([{ type: "audit_dropped", time: 42, count: 1 }]);
    expect(timers).toEqual([]);
  });
});
