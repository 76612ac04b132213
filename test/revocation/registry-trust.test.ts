import { describe, expect, it } from "vitest";
import { createRegistryTrust, toWait } from "../../src/revocation/registry-trust.ts";
import { createManualTime, settled } from "../support/manual-time.ts";
import { createTestDatabase } from "./test-database.ts";

function createTestTrust() {
  const time = createManualTime();
  const database = createTestDatabase(time);
  const trust = createRegistryTrust({ nodes: database.nodes, clock: time.clock });
  const look = (incarnation = "a", longestLease = 10_000, isSettled = false) => ({
    incarnation,
    longestLease,
    isSettled,
  });
  return { time, database, trust, look };
}

const wait = toWait(10_000) / 1000;

describe("the trust in the registry", () => {
  it("waits longer than a lease by any clock", () => {
    expect(toWait(10_000)).toBe(10_025);
    expect(toWait(250)).toBe(255.5);
  });

  it("believes a registry that was asked for when its incarnation has been known for longer than every lease", async () => {
    const { time, trust, look } = createTestTrust();
    trust.observe(look());
    expect(trust.isBelieved(look(), time.clock.monotonic())).toBe(false);
    await time.advance(wait);
    expect(trust.isBelieved(look(), time.clock.monotonic())).toBe(false);
    await time.advance(0.001);
    expect(trust.isBelieved(look(), time.clock.monotonic())).toBe(true);
  });

  it("dates an incarnation from the arrival of the first answer, whenever that was asked for", async () => {
    const { time, trust, look } = createTestTrust();
    const sentAt = time.clock.monotonic();
    await time.advance(60);
    trust.observe(look());
    expect(trust.isBelieved(look(), sentAt)).toBe(false);
    await time.advance(wait);
    expect(trust.isBelieved(look(), time.clock.monotonic())).toBe(false);
    await time.advance(0.001);
    expect(trust.isBelieved(look(), time.clock.monotonic())).toBe(true);
  });

  it("doesn't believe an answer that was asked for too early, although it arrives late", async () => {
    const { time, trust, look } = createTestTrust();
    trust.observe(look());
    await time.advance(5);
    const sentAt = time.clock.monotonic();
    await time.advance(30);
    expect(trust.isBelieved(look(), sentAt)).toBe(false);
  });

  it("begins again with every incarnation, also with one that it has known before", async () => {
    const { time, trust, look } = createTestTrust();
    trust.observe(look("a"));
    await time.advance(11);
    trust.observe(look("b"));
    expect(trust.isBelieved(look("a"), time.clock.monotonic())).toBe(false);
    trust.observe(look("a"));
    expect(trust.isBelieved(look("a"), time.clock.monotonic())).toBe(false);
    await time.advance(11);
    expect(trust.isBelieved(look("a"), time.clock.monotonic())).toBe(true);
    expect(trust.isBelieved(look("b"), time.clock.monotonic())).toBe(false);
  });

  it("waits for the longest lease that any answer has shown", async () => {
    const { time, trust, look } = createTestTrust();
    trust.observe(look("a", 60_000));
    await time.advance(30);
    expect(trust.isBelieved(look("a", 10_000), time.clock.monotonic())).toBe(false);
    expect(trust.longestLease()).toBe(60_000);
    await time.advance(31);
    expect(trust.isBelieved(look("a", 10_000), time.clock.monotonic())).toBe(true);
  });

  it("believes what another process has settled", () => {
    const { time, trust, look } = createTestTrust();
    trust.observe(look("a", 10_000, true));
    expect(trust.isBelieved(look("a", 10_000, true), time.clock.monotonic())).toBe(true);
  });

  it("settles the incarnation once for all processes, again if that fails", async () => {
    const { time, trust, look, database } = createTestTrust();
    trust.observe(look());
    await time.advance(wait);
    trust.observe(look());
    expect(database.count("settle")).toBe(0);
    await time.advance(1);
    database.failing.add("settle");
    trust.observe(look());
    trust.observe(look());
    await settled();
    expect([database.count("settle"), database.settled]).toEqual([1, null]);
    database.failing.clear();
    trust.observe(look());
    await settled();
    expect([database.count("settle"), database.settled]).toEqual([2, "a"]);
    trust.observe(look("a", 10_000, true));
    await settled();
    expect(database.count("settle")).toBe(2);
  });
});
