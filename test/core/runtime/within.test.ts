import { describe, expect, it } from "vitest";
import { within } from "../../../src/core/runtime/within.ts";
import { createManualTime } from "../../support/manual-time.ts";

describe("waiting for work within a time", () => {
  it("says whether the work was done in time, and leaves no timer behind", async () => {
    const time = createManualTime();
    expect(await within(Promise.resolve(), 100, time.schedule)).toBe(true);
    expect(time.pending).toBe(0);
    const late = within(new Promise(() => {}), 100, time.schedule);
    await time.advance(0.1);
    expect(await late).toBe(false);
  });

  it("throws what the work throws in time, and ignores what it throws later", async () => {
    const { schedule, advance } = createManualTime();
    const failure = new Error("no connection");
    await expect(within(Promise.reject(failure), 100, schedule)).rejects.toBe(failure);
    let fail = (_: Error) => {};
    const work = new Promise((_, reject) => {
      fail = reject;
    });
    const late = within(work, 100, schedule);
    await advance(0.1);
    expect(await late).toBe(false);
    fail(failure);
  });
});
