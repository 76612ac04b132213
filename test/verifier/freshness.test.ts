import { describe, expect, it } from "vitest";
import { createFreshness, type FrameTimes } from "../../src/verifier/freshness.ts";
import { vectors } from "./vectors-of-the-page.ts";

/** Both clocks in milliseconds; the wall clock is ahead by a constant, unless a test sets it. */
function createClocks() {
  const clocks = { monotonic: 0, ahead: 1_800_000_000_000 };
  const wall = () => clocks.monotonic + clocks.ahead;
  return { clocks, clock: { monotonic: () => clocks.monotonic, wall, now: () => Math.floor(wall() / 1_000) } };
}

describe("the freshness of what was read", () => {
  it.each(vectors.freshness)("follows the vector: $name", ({ maxStaleness, steps }) => {
    const { clocks, clock } = createClocks();
    const freshness = createFreshness({ clock, maxStaleness: maxStaleness / 1_000 });
    let times: FrameTimes | null = null;
    for (const step of steps) {
      clocks.monotonic = step.at;
      clocks.ahead = 1_800_000_000_000 + (step.wall ?? step.at) - step.at;
      if (step.event === "request") {
        times = freshness.begin();
        expect(times.mustReload).toBe(step.withoutCursor === true);
      }
      if (step.event === "check") expect(freshness.isFresh()).toBe(!step.stale);
      if (step.event === "frame") {
        const measured = times?.measure({ age: step.age, madeAt: step.t, held: step.held });
        expect(step.full && measured?.isNewest === true).toBe(step.replaces);
        expect(measured?.isNewest).toBe(step.namesKeys);
        measured?.note();
        const stalenessByWall = freshness.staleness() * 1_000;
        // After a suspension, the wall clock counts more.
        if (step.wall === undefined || times?.hasDrifted() === false) {
          expect(step.at - stalenessByWall).toBeCloseTo(step.freshAt, 6);
        }
      }
    }
  });

  it("is less by the caution of a runtime without exact clocks", () => {
    const { clocks, clock } = createClocks();
    const freshness = createFreshness({ clock, maxStaleness: 10, caution: 1_000 });
    freshness.begin().measure({ age: 0, madeAt: 5, held: 0 }).note();
    expect(freshness.staleness()).toBe(1);
    clocks.monotonic += 9_001;
    expect(freshness.isFresh()).toBe(false);
  });

  it("ends for good", () => {
    const { clock } = createClocks();
    const freshness = createFreshness({ clock, maxStaleness: 10 });
    const times = freshness.begin();
    times.measure({ age: 0, madeAt: 5, held: 0 }).note();
    freshness.end();
    times.measure({ age: 0, madeAt: 9, held: 0 }).note();
    expect([freshness.isFresh(), freshness.staleness()]).toEqual([false, Number.POSITIVE_INFINITY]);
  });

  it("counts by the wall clock while the monotonic clock stands still", () => {
    const { clocks, clock } = createClocks();
    const freshness = createFreshness({ clock, maxStaleness: 10 });
    const times = freshness.begin();
    times.measure({ age: 0, madeAt: 1_000, held: 0 }).note();
    clocks.monotonic += 100;
    clocks.ahead += 60_000;
    expect([freshness.isFresh(), times.hasDrifted()]).toEqual([false, true]);
    // The frames of the meantime arrive, and the newest is of now: only a new request can show that.
    times.measure({ age: 0, madeAt: 61_000, held: 0 }).note();
    expect(freshness.isFresh()).toBe(true);
    clocks.monotonic += 100;
    clocks.ahead += 60_000;
    expect(freshness.isFresh()).toBe(false);
    freshness.begin().measure({ age: 0, madeAt: 121_100, held: 0 }).note();
    expect(freshness.isFresh()).toBe(true);
  });

  it("asks for everything again if the wall clock was set back by more than half a minute", () => {
    const { clocks, clock } = createClocks();
    const freshness = createFreshness({ clock, maxStaleness: 10 });
    freshness.begin();
    clocks.ahead += 600_000;
    expect(freshness.mayDrop()).toBe(false);
    expect(freshness.begin().mustReload).toBe(false);
    expect(freshness.mayDrop()).toBe(true);
    clocks.ahead -= 20_000;
    expect(freshness.begin().mustReload).toBe(false);
    clocks.ahead -= 20_000;
    expect(freshness.begin().mustReload).toBe(true);
    expect(freshness.begin().mustReload).toBe(false);
  });

  it("is gone until everything has been read again, if the wall clock was set back in small steps", () => {
    const { clocks, clock } = createClocks();
    const freshness = createFreshness({ clock, maxStaleness: 10 });
    const note = (times: FrameTimes) => times.measure({ age: 0, madeAt: 5, held: 0 }).note();
    note(freshness.begin());
    clocks.ahead -= 20_000;
    note(freshness.begin());
    clocks.ahead -= 20_000;
    expect(freshness.isFresh()).toBe(true);
    const times = freshness.begin();
    expect([times.mustReload, freshness.isFresh()]).toEqual([true, false]);
    const measured = times.measure({ age: 3_000, madeAt: 5, held: 0 });
    expect(measured.isNewest).toBe(true);
    measured.note();
    expect(freshness.isFresh()).toBe(true);
  });

  it("doesn't come back with a frame that lay in the socket while the machine was suspended", () => {
    const { clocks, clock } = createClocks();
    const freshness = createFreshness({ clock, maxStaleness: 10 });
    const times = freshness.begin();
    times.measure({ age: 0, madeAt: 0, held: 0 }).note();
    clocks.monotonic += 1_000;
    clocks.ahead += 3_600_000;
    times.measure({ age: 0, madeAt: 1_000, held: 0 }).note();
    expect(freshness.isFresh()).toBe(false);
  });

  it("doesn't hold after the wall clock was set back by more than half a minute", () => {
    const { clocks, clock } = createClocks();
    const freshness = createFreshness({ clock, maxStaleness: 10 });
    freshness.begin().measure({ age: 0, madeAt: 5, held: 0 }).note();
    clocks.ahead -= 31_000;
    expect(freshness.isFresh()).toBe(false);
    freshness.begin().measure({ age: 1, madeAt: 5, held: 0 }).note();
    expect(freshness.isFresh()).toBe(true);
  });
});
