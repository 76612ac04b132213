import { describe, expect, it } from "vitest";
import { createLease, toInstant } from "../../src/revocation/lease.ts";
import { createManualTime } from "../support/manual-time.ts";

function createTestLease(maxStaleness = 10) {
  const time = createManualTime();
  const lease = createLease(time.clock, maxStaleness);
  return { time, lease, renew: () => lease.extend(toInstant(time.clock)) };
}

describe("the lease of a node", () => {
  it("doesn't hold before the first read", () => {
    const { lease } = createTestLease();
    expect(lease.holds()).toBe(false);
    expect(lease.staleness()).toBe(Number.POSITIVE_INFINITY);
  });

  it("holds for maxStaleness from before the read, to the millisecond", async () => {
    const { lease, time, renew } = createTestLease(0.25);
    renew();
    await time.advance(0.25);
    expect([lease.holds(), lease.staleness()]).toEqual([true, 0.25]);
    await time.advance(0.001);
    expect(lease.holds()).toBe(false);
    renew();
    expect(lease.holds()).toBe(true);
  });

  it("counts from the time that it is given, and not from the time of the renewal", async () => {
    const { lease, time } = createTestLease();
    const readAt = toInstant(time.clock);
    await time.advance(7);
    lease.extend(readAt);
    expect(lease.staleness()).toBe(7);
    await time.advance(3.001);
    expect(lease.holds()).toBe(false);
  });

  it("ends while the machine is suspended and only the wall clock runs", () => {
    const { lease, time, renew } = createTestLease();
    renew();
    time.setWallClock(11);
    expect(lease.holds()).toBe(false);
    expect(lease.staleness()).toBe(11);
  });

  it("ends by the monotonic clock although the wall clock was set back a little", async () => {
    const { lease, time, renew } = createTestLease();
    renew();
    time.setWallClock(-20);
    await time.advance(9);
    expect([lease.holds(), lease.staleness()]).toEqual([true, 9]);
    await time.advance(2);
    expect(lease.holds()).toBe(false);
  });

  it("ends if the wall clock is set back by more than 30 seconds", () => {
    const { lease, time, renew } = createTestLease();
    renew();
    time.setWallClock(-30);
    expect(lease.holds()).toBe(true);
    time.setWallClock(-1);
    expect(lease.holds()).toBe(false);
    renew();
    expect(lease.holds()).toBe(true);
  });

  it("judges by the wall clock that the caller has read", () => {
    const { lease, time, renew } = createTestLease();
    renew();
    expect(lease.holds(time.clock.wall() + 10_000)).toBe(true);
    expect(lease.holds(time.clock.wall() + 10_001)).toBe(false);
  });

  it("doesn't hold after its end, whatever answers later", () => {
    const { lease, renew } = createTestLease();
    renew();
    lease.end();
    expect(lease.holds()).toBe(false);
    renew();
    expect(lease.holds()).toBe(false);
    expect(lease.staleness()).toBe(Number.POSITIVE_INFINITY);
  });
});
