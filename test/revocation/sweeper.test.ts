import { describe, expect, it } from "vitest";
import { toWait } from "../../src/revocation/registry-trust.ts";
import { createSweeper } from "../../src/revocation/sweeper.ts";
import { createManualTime } from "../support/manual-time.ts";
import { createTestDatabase } from "./test-database.ts";

function createTestSweeper() {
  const time = createManualTime();
  const database = createTestDatabase(time);
  const sweeper = createSweeper({ nodes: database.nodes, clock: time.clock });
  const look = async () => {
    const found = await database.nodes.readRegistry();
    await sweeper.sweep(found);
    return found;
  };
  return { time, database, sweeper, look };
}

const wait = toWait(10_000) / 1000;

describe("the sweeper", () => {
  it("removes a silent node in two steps: marked, and gone when its lease is over", async () => {
    const { time, database, sweeper, look } = createTestSweeper();
    database.addNode("dead");
    await sweeper.mark((await look()).nodes);
    expect(database.rows.get("dead")?.isLeaving).toBe(true);
    await time.advance(wait);
    await look();
    expect(database.rows.has("dead")).toBe(true);
    await time.advance(0.001);
    await look();
    expect(database.rows.has("dead")).toBe(false);
    expect(sweeper.toNextSweep()).toBeNull();
  });

  it("waits for the lease that a node had when it was marked, which may have grown since the look", async () => {
    const { time, database, sweeper, look } = createTestSweeper();
    database.addNode("dead", { lease: 1_000 });
    const { nodes } = await look();
    await database.nodes.raiseLease("dead", 10_000);
    await sweeper.mark(nodes);
    await time.advance(wait);
    await look();
    expect(database.rows.has("dead")).toBe(true);
    await time.advance(0.001);
    await look();
    expect(database.rows.has("dead")).toBe(false);
  });

  it("notes nothing about a node that has gone before it was marked", async () => {
    const { database, sweeper, look } = createTestSweeper();
    database.addNode("gone");
    const { nodes } = await look();
    database.rows.clear();
    await sweeper.mark(nodes);
    expect(sweeper.toNextSweep()).toBeNull();
  });

  it("inherits what another process has marked before it ended, and counts from the first look of its own", async () => {
    const { time, database, sweeper, look } = createTestSweeper();
    database.addNode("dead", { isLeaving: true, lease: 1_000 });
    await look();
    expect(database.count("markLeaving")).toBe(0);
    expect(sweeper.toNextSweep()).toBe(Math.ceil(toWait(1_000)) + 1);
    await time.advance((sweeper.toNextSweep() ?? 0) / 1000);
    await look();
    expect(database.rows.size).toBe(0);
  });

  it("leaves a node alone that isn't marked, and one that another process has removed", async () => {
    const { time, database, sweeper, look } = createTestSweeper();
    database.addNode("alive");
    database.addNode("dead", { isLeaving: true });
    await look();
    await time.advance(5);
    database.rows.delete("dead");
    await look();
    expect(sweeper.toNextSweep()).toBeNull();
    await time.advance(60);
    await look();
    expect([...database.rows.keys()]).toEqual(["alive"]);
    expect(database.count("removeLeaving")).toBe(0);
  });

  it("doesn't remove a node whose mark was lost by a failover between the look and the removal", async () => {
    const { time, database, sweeper, look } = createTestSweeper();
    database.addNode("dead", { isLeaving: true });
    const before = await look();
    await time.advance(wait + 1);
    database.addNode("dead", { isLeaving: false });
    await sweeper.sweep(before);
    expect(database.count("removeLeaving")).toBe(1);
    expect(database.rows.has("dead")).toBe(true);
  });

  it("tries again later if the database doesn't answer", async () => {
    const { time, database, sweeper, look } = createTestSweeper();
    database.addNode("dead");
    database.failing.add("markLeaving");
    await sweeper.mark((await look()).nodes);
    expect(sweeper.toNextSweep()).toBeNull();
    database.failing.clear();
    await sweeper.mark((await look()).nodes);
    database.failing.add("removeLeaving");
    await time.advance(wait + 1);
    await look();
    expect(database.rows.has("dead")).toBe(true);
    database.failing.clear();
    await look();
    expect(database.rows.has("dead")).toBe(false);
  });
});
