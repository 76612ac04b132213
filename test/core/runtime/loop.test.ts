import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLoop, type LoopOptions } from "../../../src/core/runtime/loop.ts";
import { createManualTime, settled } from "../../support/manual-time.ts";

/** A loop whose runs are recorded, in seconds since the start. `step` gets the number of the run, from 1. */
function createTestLoop(
  step: (run: number) => number | null | Promise<number | null>,
  options: Partial<LoopOptions> = {},
) {
  const time = createManualTime();
  const runs: number[] = [];
  let inFlight = 0;
  const loop = createLoop({
    schedule: time.schedule,
    async step() {
      inFlight += 1;
      try {
        expect(inFlight, "runs at once").toBe(1);
        runs.push(time.clock.monotonic() / 1000);
        return await step(runs.length);
      } finally {
        inFlight -= 1;
      }
    },
    ...options,
  });
  return { loop, time, runs };
}

/** A step that ends when the test says so. */
function createHeldStep(result: number | null = null) {
  let end = () => {};
  const step = () =>
    new Promise<number | null>((resolve) => {
      end = () => resolve(result);
    });
  return { step, end: () => end() };
}

describe("a background loop", () => {
  it("does nothing until it is woken, and then runs after the delay that it was woken with", async () => {
    const { loop, time, runs } = createTestLoop(() => null);
    await time.advance(5);
    loop.wake(2_000);
    await time.advance(5);
    loop.wake();
    await time.advance(5);
    expect(runs).toEqual([7, 10]);
  });

  it("runs again after the delay that its step returns, and waits to be woken if that is null", async () => {
    const { loop, time, runs } = createTestLoop((run) => [1_000, 0, null][run - 1] ?? null);
    loop.wake();
    await time.advance(60);
    expect(runs).toEqual([0, 1, 1]);
    expect(time.pending).toBe(0);
  });

  it("is brought forward by a wake that is due earlier, and not put off by one that is due later", async () => {
    const { loop, time, runs } = createTestLoop(() => 10_000);
    loop.wake();
    await time.advance(1);
    loop.wake(500);
    loop.wake(20_000);
    loop.wake(800);
    await time.advance(10);
    expect(runs).toEqual([0, 1.5]);
  });

  it("runs once for a short delay that ends after a longer one", async () => {
    const { loop, time, runs } = createTestLoop(() => null);
    loop.wake(1_000);
    await time.advance(0.995);
    loop.wake(10);
    await time.advance(1);
    expect(runs).toEqual([1]);
    expect(time.pending).toBe(0);
  });

  it("runs once more after a run in which it was woken, however often, at the earliest of the delays from its end", async () => {
    const { step, end } = createHeldStep(5_000);
    const { loop, time, runs } = createTestLoop((run) => (run === 1 ? step() : null));
    loop.wake();
    await time.advance(1);
    for (const ms of [3_000, 2_000, 4_000]) loop.wake(ms);
    await time.advance(1);
    end();
    await settled();
    await time.advance(60);
    expect(runs).toEqual([0, 4]);
  });

  it("runs at the step's own delay after a run in which it was woken for later", async () => {
    const { step, end } = createHeldStep(1_000);
    const { loop, time, runs } = createTestLoop((run) => (run === 1 ? step() : null));
    loop.wake();
    await time.advance(1);
    loop.wake(5_000);
    end();
    await settled();
    await time.advance(60);
    expect(runs).toEqual([0, 2]);
  });

  it("runs once more if its step wakes it before anything asynchronous", async () => {
    const { loop, time, runs } = createTestLoop((run) => {
      if (run === 1) loop.wake(1_000);
      return null;
    });
    loop.wake();
    await time.advance(5);
    expect(runs).toEqual([0, 1]);
  });

  it("runs at once if it is asked to, instead of when it is due", async () => {
    const { loop, time, runs } = createTestLoop(() => null);
    loop.wake(1_000);
    await loop.run();
    expect(time.pending).toBe(0);
    await time.advance(5);
    expect(runs).toEqual([0]);
  });

  it("lets callers join the run in flight, and starts no other", async () => {
    const { step, end } = createHeldStep();
    const { loop, runs } = createTestLoop(step);
    let ended = 0;
    const joined = [loop.run(), loop.run()].map((run) => run.then(() => (ended += 1)));
    await settled();
    expect(ended).toBe(0);
    end();
    await Promise.all(joined);
    expect(runs).toHaveLength(1);
  });

  it("continues after an error, with the delay that onError returns", async () => {
    const error = new Error("failed");
    const errors: unknown[] = [];
    const onError = (thrown: unknown) => errors.push(thrown) * 1_000;
    const { loop, time, runs } = createTestLoop((run) => (run < 3 ? Promise.reject(error) : null), { onError });
    loop.wake();
    await time.advance(60);
    expect(runs).toEqual([0, 1, 3]);
    expect(errors).toEqual([error, error]);
  });

  it("continues a second after an error without onError, also if the step throws before anything asynchronous", async () => {
    const runs: number[] = [];
    const time = createManualTime();
    const loop = createLoop({
      schedule: time.schedule,
      step() {
        runs.push(time.clock.monotonic() / 1000);
        throw new Error("failed");
      },
    });
    loop.wake();
    await time.advance(2.5);
    expect(runs).toEqual([0, 1, 2]);
  });

  it("gives the error of a run to the callers who asked for it", async () => {
    const error = new Error("failed");
    const { loop } = createTestLoop(() => Promise.reject(error), { onError: () => null });
    const joined = [loop.run(), loop.run()];
    for (const run of joined) await expect(run).rejects.toBe(error);
  });

  it("never runs again once stopped, and leaves no timer behind", async () => {
    const { loop, time, runs } = createTestLoop(() => 1_000);
    loop.wake();
    await time.advance(1);
    loop.wake(500);
    await loop.stop();
    expect(time.pending).toBe(0);
    loop.wake();
    await expect(loop.run()).rejects.toThrow("the loop was stopped");
    await time.advance(60);
    expect(runs).toEqual([0, 1]);
    expect(time.pending).toBe(0);
  });

  it("is stopped only when the run in flight has ended, which then causes no other", async () => {
    const { step, end } = createHeldStep(1_000);
    const { loop, time, runs } = createTestLoop(step);
    loop.wake();
    await time.advance(1);
    loop.wake();
    let isStopped = false;
    const stopped = loop.stop().then(() => {
      isStopped = true;
    });
    await settled();
    expect(isStopped).toBe(false);
    end();
    await stopped;
    expect(time.pending).toBe(0);
    await time.advance(60);
    expect(runs).toEqual([0]);
  });

  it("is stopped without an error if the run in flight fails", async () => {
    const { loop, time } = createTestLoop(() => Promise.reject(new Error("failed")));
    const run = loop.run();
    await Promise.all([loop.stop(), expect(run).rejects.toThrow("failed")]);
    expect(time.pending).toBe(0);
  });

  it("runs at the earliest time that it was woken for, whatever it was woken with before", async () => {
    const milliseconds = fc.integer({ min: 0, max: 50 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(milliseconds, milliseconds), { maxLength: 20 }), async (wakes) => {
        const { loop, time, runs } = createTestLoop(() => null);
        const expected: number[] = [];
        let now = 0;
        let due = Number.POSITIVE_INFINITY;
        for (const [pause, ms] of wakes) {
          await time.advance(pause / 1000);
          now += pause;
          if (due <= now) {
            expected.push(due / 1000);
            due = Number.POSITIVE_INFINITY;
          }
          loop.wake(ms);
          due = Math.min(due, now + ms);
        }
        await time.advance(1);
        if (due < Number.POSITIVE_INFINITY) expected.push(due / 1000);
        expect(runs).toEqual(expected);
        expect(time.pending).toBe(0);
      }),
    );
  });
});
