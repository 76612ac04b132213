import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLoginQueue, type LoginQueue } from "../../../src/flows/throttling/login-queue.ts";

let queue: LoginQueue;
beforeEach(() => {
  vi.useFakeTimers();
  queue = createLoginQueue();
});
afterEach(() => vi.useRealTimers());

const settled = async (promise: Promise<unknown>) => Promise.race([promise.then(() => true), Promise.resolve(false)]);

describe("the login queue", () => {
  it("gives one attempt after another its turn, in order, for each key alone", async () => {
    const first = await queue.enter("a");
    const [second, third] = [queue.enter("a"), queue.enter("a")];
    expect(await queue.enter("b")).toBeTypeOf("function");
    expect([await settled(second), await settled(third)]).toEqual([false, false]);
    first?.();
    const endSecond = await second;
    expect(await settled(third)).toBe(false);
    endSecond?.();
    expect(await third).toBeTypeOf("function");
  });

  it("refuses the twenty-first attempt for a key at once, and any that has waited for ten seconds", async () => {
    const waiting = Array.from({ length: 20 }, () => queue.enter("a"));
    expect(await queue.enter("a")).toBeNull();
    const endFirst = await waiting[0];
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await Promise.all(waiting.slice(1))).toEqual(Array(19).fill(null));
    endFirst?.();
    expect(await queue.enter("a")).toBeTypeOf("function");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("pauses until an attempt under the same key is settled, or for 50 ms", async () => {
    const [a, b] = [queue.pause("a"), queue.pause("b")];
    queue.wake(["a", "c"]);
    await a;
    expect(await settled(b)).toBe(false);
    await vi.advanceTimersByTimeAsync(50);
    await b;
    expect(vi.getTimerCount()).toBe(0);
  });
});
