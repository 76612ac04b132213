import { describe, expect, it } from "vitest";
import { createMembership } from "../../src/revocation/membership.ts";
import { createManualTime, settled } from "../support/manual-time.ts";
import { createGate, createTestDatabase } from "./test-database.ts";

function createTestMembership(areReadersOver?: () => boolean) {
  const time = createManualTime();
  const database = createTestDatabase(time);
  const { nodes } = database;
  const membership = createMembership({
    nodes,
    clock: time.clock,
    name: "web-1",
    lease: 10_000,
    accessTokenLifetime: 300,
    ...(areReadersOver === undefined ? {} : { areReadersOver }),
  });
  const seen = () => [...database.rows.values()].map((row) => row.seen);
  return { time, database, membership, seen };
}

describe("the membership of a node", () => {
  it("is registered once, with its name and lease", async () => {
    const { membership, database } = createTestMembership();
    expect([membership.id, membership.incarnation]).toEqual([null, null]);
    const id = await membership.ensure();
    expect(await membership.ensure()).toBe(id);
    expect([membership.id, membership.incarnation]).toEqual([id, "a"]);
    expect([...database.rows.values()]).toMatchObject([{ id, name: "web-1", lease: 10_000, seen: null }]);
  });

  it("has a new id for every registration", async () => {
    const { membership } = createTestMembership();
    const ids = new Set<string>();
    for (let i = 0; i < 5; i++) {
      ids.add(await membership.ensure());
      membership.drop();
      expect(membership.id).toBeNull();
    }
    expect(ids.size).toBe(5);
  });

  it("removes the row of a registration under which no read has counted, and no other", async () => {
    const { membership, database } = createTestMembership();
    const counted = await membership.ensure();
    // Not acknowledged: its readers don't know everything yet.
    membership.noteCountedRead();
    membership.drop();
    for (let i = 0; i < 5; i++) {
      await membership.ensure();
      membership.drop();
    }
    await settled();
    expect([...database.rows.keys()]).toEqual([counted]);
  });

  it("acknowledges the first read of each registration, and later reads only if somebody waits", async () => {
    const { membership, seen, database } = createTestMembership();
    await membership.ensure();
    membership.acknowledge("a/1", false);
    await settled();
    expect(seen()).toEqual(["a/1"]);
    membership.acknowledge("a/2", false);
    await settled();
    expect(seen()).toEqual(["a/1"]);
    membership.acknowledge("a/3", true);
    await settled();
    expect(seen()).toEqual(["a/3"]);
    expect(database.count("acknowledge")).toBe(2);
  });

  it("acknowledges again with every read until it has succeeded, and then no more", async () => {
    const { membership, seen, database } = createTestMembership();
    await membership.ensure();
    database.failing.add("acknowledge");
    for (const at of ["a/1", "a/2", "a/3"]) {
      membership.acknowledge(at, false);
      await settled();
    }
    expect(database.count("acknowledge")).toBe(3);
    database.failing.clear();
    membership.acknowledge("a/4", false);
    await settled();
    membership.acknowledge("a/5", false);
    await settled();
    expect(seen()).toEqual(["a/4"]);
    expect(database.count("acknowledge")).toBe(4);
  });

  it("sends what was read during an acknowledgement after it, never two at once", async () => {
    const { membership, seen, database } = createTestMembership();
    await membership.ensure();
    const { gate, open } = createGate();
    database.held.set("acknowledge", gate);
    membership.acknowledge("a/1", true);
    membership.acknowledge("a/2", true);
    membership.acknowledge("a/3", true);
    await settled();
    expect(database.count("acknowledge")).toBe(1);
    open();
    await settled();
    expect(seen()).toEqual(["a/3"]);
    expect(database.count("acknowledge")).toBe(2);
  });

  it("owes nothing of an earlier registration", async () => {
    const { membership, database } = createTestMembership();
    await membership.ensure();
    database.failing.add("acknowledge");
    membership.acknowledge("a/9", true);
    await settled();
    membership.drop();
    database.failing.clear();
    const id = await membership.ensure();
    await settled();
    expect(database.rows.get(id)?.seen).toBeNull();
  });

  it("reports by how much the node's clock is ahead, measured at the middle of the registration", async () => {
    const { membership, database, time } = createTestMembership();
    const { gate, open } = createGate();
    database.held.set("register", gate);
    const registered = membership.ensure();
    await time.advance(4);
    open();
    const id = await registered;
    membership.acknowledge("a/1", true);
    await settled();
    expect(database.rows.get(id)?.clockAhead).toBe(2_000);
  });

  it("leaves for good, also if the registration is answered later", async () => {
    const { membership, database } = createTestMembership();
    await membership.ensure();
    await membership.leave();
    expect(database.rows.size).toBe(0);

    const late = createTestMembership();
    const { gate, open } = createGate();
    late.database.held.set("register", gate);
    const registered = late.membership.ensure();
    await late.membership.leave();
    open();
    await expect(registered).rejects.toThrow("left");
    expect(late.database.rows.size).toBe(0);
  });

  it("raises its lease once for many that need it, never lowers it, and doesn't keep reads waiting", async () => {
    const { membership, database } = createTestMembership();
    const id = await membership.ensure();
    const { gate, open } = createGate();
    database.held.set("raiseLease", gate);
    const raised = Promise.all([membership.raise(60_000), membership.raise(60_000), membership.raise(5_000)]);
    await settled();
    expect(await membership.ensure()).toBe(id);
    expect(membership.lease).toBe(10_000);
    open();
    await raised;
    expect([membership.lease, database.rows.get(id)?.lease]).toEqual([60_000, 60_000]);
    await membership.raise(60_000);
    expect(database.count("raiseLease")).toBe(1);
  });

  it("has a longer lease than one that is being raised only after another call", async () => {
    const { membership, database } = createTestMembership();
    await membership.ensure();
    const { gate, open } = createGate();
    database.held.set("raiseLease", gate);
    const raised = Promise.all([membership.raise(20_000), membership.raise(30_000)]);
    open();
    await raised;
    expect(membership.lease).toBe(20_000);
    await membership.raise(30_000);
    expect(membership.lease).toBe(30_000);
  });

  it("registers with the lease that was asked for before", async () => {
    const { membership, database } = createTestMembership();
    await membership.raise(60_000);
    const id = await membership.ensure();
    expect([membership.lease, database.rows.get(id)?.lease]).toEqual([60_000, 60_000]);
    expect(database.count("raiseLease")).toBe(0);
  });

  it.each([
    ["is leaving", (row: { isLeaving: boolean }) => Object.assign(row, { isLeaving: true })],
    ["was removed", null],
  ])("has no longer lease if the node %s, and registers with it when it has found that out", async (_, mark) => {
    const { membership, database } = createTestMembership();
    const id = await membership.ensure();
    membership.noteCountedRead();
    membership.acknowledge("a/1", false);
    await settled();
    if (mark === null) database.rows.clear();
    else mark(database.rows.get(id) as { isLeaving: boolean });
    await membership.raise(60_000);
    expect([membership.id, membership.lease]).toEqual([id, 10_000]);
    membership.drop();
    const next = await membership.ensure();
    expect(next).not.toBe(id);
    expect(database.rows.get(next)?.lease).toBe(60_000);
    expect(database.rows.has(id)).toBe(mark !== null);
  });

  it("tells who needs a lease that it couldn't be raised, and nobody else", async () => {
    const { membership, database } = createTestMembership();
    const id = await membership.ensure();
    database.failing.add("raiseLease");
    await expect(membership.raise(60_000)).rejects.toThrow();
    expect([await membership.ensure(), membership.lease]).toEqual([id, 10_000]);
    database.failing.clear();
    await membership.raise(60_000);
    expect(membership.lease).toBe(60_000);
  });

  it("only marks its row as leaving if its readers may still accept tokens", async () => {
    const { membership, database } = createTestMembership(() => false);
    const id = await membership.ensure();
    await membership.leave();
    expect(database.rows.get(id)?.isLeaving).toBe(true);
    expect(membership.id).toBeNull();
  });

  it("leaves without an error if the database doesn't answer", async () => {
    const { membership, database } = createTestMembership();
    await membership.ensure();
    database.failing.add("remove");
    await expect(membership.leave()).resolves.toBeUndefined();
    expect(membership.id).toBeNull();
  });
});
