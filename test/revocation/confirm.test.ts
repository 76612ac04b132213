import { describe, expect, it } from "vitest";
import type { AuthError } from "../../src/core/errors.ts";
import type { Confirmation } from "../../src/core/revocation.ts";
import { createConfirmer } from "../../src/revocation/confirm.ts";
import { toWait } from "../../src/revocation/registry-trust.ts";
import { createManualTime, settled } from "../support/manual-time.ts";
import { createGate, createTestDatabase } from "./test-database.ts";

type Options = NonNullable<Parameters<ReturnType<typeof createConfirmer>["confirm"]>[1]>;

function createTestConfirmer({ isSettled = true, nodeId = "own" as string | null, readersKnow = createKnown() } = {}) {
  const time = createManualTime();
  const database = createTestDatabase(time);
  if (isSettled) database.settled = "a";
  const reported: (readonly [Confirmation, number])[] = [];
  const confirmer = createConfirmer({
    nodes: database.nodes,
    clock: time.clock,
    nodeId: () => nodeId,
    readers: { whenKnown: () => readersKnow, lastAwaited: 0, areOver: () => true },
    longestLease: () => 20_000,
    onConfirmed: (...result) => reported.push(result),
    schedule: time.schedule,
  });

  /** Commits a revocation and waits for it. `result` is undefined until it is known. */
  function revoke(options?: Options) {
    const confirmation = { result: undefined as Confirmation | AuthError | undefined };
    confirmer.confirm(database.revoke("s"), options).then(
      (result) => Object.assign(confirmation, { result }),
      (error: unknown) => Object.assign(confirmation, { result: error }),
    );
    return confirmation;
  }
  return { time, database, confirmer, reported, revoke };
}

const wait = (lease: number) => toWait(lease) / 1000;

/** What the readers of a process without readers know. */
function createKnown(): Promise<void> | null {
  return null;
}

describe("a confirmation by acknowledgements", () => {
  it("comes when every other node has acknowledged the revocation, and not before", async () => {
    const { database, time, revoke, reported } = createTestConfirmer();
    for (const id of ["own", "b", "c"]) database.addNode(id, { seen: "a/0" });
    const confirmation = revoke();
    await time.advance(0.05);
    database.acknowledge("b");
    await time.advance(0.05);
    expect(confirmation.result).toBeUndefined();
    database.acknowledge("c");
    await time.advance(0);
    expect(confirmation.result).toBe("acks");
    expect(reported).toEqual([["acks", 100]]);
  });

  it("comes at once if there is no other node", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.addNode("own");
    const confirmation = revoke();
    await time.advance(0);
    expect(confirmation.result).toBe("acks");
    expect(database.count("look")).toBe(1);
  });

  it("needs the acknowledgement of every node if this process isn't one", async () => {
    const { database, time, revoke } = createTestConfirmer({ nodeId: null });
    database.addNode("own");
    const confirmation = revoke();
    await time.advance(1);
    expect(confirmation.result).toBeUndefined();
    database.acknowledge("own");
    await time.advance(0);
    expect(confirmation.result).toBe("acks");
  });

  it("needs the acknowledgement of a leaving node too, and of one that has just registered", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.addNode("leaving", { isLeaving: true, seen: "a/0" });
    const confirmation = revoke();
    await time.advance(0.1);
    database.addNode("new");
    database.acknowledge("leaving");
    await time.advance(0.1);
    expect(confirmation.result).toBeUndefined();
    database.acknowledge("new");
    await time.advance(0);
    expect(confirmation.result).toBe("acks");
  });

  it("doesn't come from a look that was sent before the commit", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.addNode("b", { seen: "a/0" });
    const { gate, open } = createGate();
    database.held.set("look", gate);
    const first = revoke();
    await time.advance(0.01);
    database.held.clear();
    const second = revoke();
    database.rows.clear();
    open();
    await settled();
    // The look was sent when nothing but the first was committed, and has shown a node that had acknowledged neither.
    expect([first.result, second.result]).toEqual([undefined, undefined]);
    await time.advance(0.01);
    expect([first.result, second.result]).toEqual(["acks", "acks"]);
  });

  it("doesn't come from a registry that may have lost nodes, until that has been known for longer than every lease", async () => {
    const { database, time, revoke } = createTestConfirmer({ isSettled: false });
    const first = revoke();
    await time.advance(wait(10_000) - 0.001);
    expect(first.result).toBeUndefined();
    await time.advance(0.06);
    expect(first.result).toBe("expiry");
    database.longestLease = 1_000;
    const second = revoke();
    await time.advance(0.1);
    expect(second.result).toBe("acks");
    expect(database.settled).toBe("a");
  });

  it("looks every 4 ms at first and every 50 ms at last, only while somebody waits", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.addNode("b");
    const confirmation = revoke();
    await time.advance(0.016);
    const early = database.count("look");
    expect(early).toBeGreaterThanOrEqual(4);
    await time.advance(0.184);
    const late = database.count("look");
    expect(late - early).toBeLessThanOrEqual(14);
    await time.advance(1);
    expect(database.count("look") - late).toBeLessThanOrEqual(21);
    expect(database.ackSubscribers).toBe(1);
    database.acknowledge("b");
    await time.advance(0);
    expect(confirmation.result).toBe("acks");
    const looks = database.count("look");
    await time.advance(60);
    expect(database.count("look")).toBe(looks);
    expect(database.ackSubscribers).toBe(0);
    expect(time.pending).toBe(0);
  });

  it("is served to all who wait by the same looks", async () => {
    const { database, time, revoke } = createTestConfirmer();
    const confirmations = Array.from({ length: 100 }, () => revoke());
    await time.advance(0.01);
    expect(confirmations.every(({ result }) => result === "acks")).toBe(true);
    expect(database.count("look")).toBeLessThanOrEqual(2);
  });
});

describe("a confirmation by expiry", () => {
  it("comes when the longest lease of the silent nodes is over, counted from the commit", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.addNode("silent", { lease: 2_000 });
    database.addNode("other", { lease: 60_000 });
    database.longestLease = 60_000;
    const confirmation = revoke();
    await time.advance(0.1);
    database.acknowledge("other");
    await time.advance(wait(2_000) - 0.101);
    expect(confirmation.result).toBeUndefined();
    await time.advance(0.002);
    expect(confirmation.result).toBe("expiry");
  });

  it("marks the silent nodes, and removes them when they can't be fresh any more", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.addNode("silent", { lease: 2_000, seen: "a/0" });
    database.addNode("other", { seen: "a/9" });
    revoke();
    await time.advance(wait(2_000) + 0.1);
    expect(database.rows.get("silent")?.isLeaving).toBe(true);
    expect(database.rows.get("other")?.isLeaving).toBe(false);
    await time.advance(wait(2_000) + 1.1);
    expect([...database.rows.keys()]).toEqual(["other"]);
    const fast = revoke();
    await time.advance(0);
    expect(fast.result).toBe("acks");
  });

  it("doesn't look in a hurry for nodes that it can't remove", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.addNode("silent", { lease: 1_000 });
    revoke();
    await time.advance(1.1);
    database.failing.add("remove");
    await time.advance(3);
    const looks = database.count("look");
    database.failing.add("look");
    await time.advance(60);
    expect(database.count("look") - looks).toBeLessThanOrEqual(61);
    database.failing.clear();
    await time.advance(2);
    expect(database.rows.size).toBe(0);
  });

  it("comes after the longest lease that is known if no look succeeds, when the entry is found", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.held.set("look", createGate().gate);
    const confirmation = revoke();
    await time.advance(0.1);
    database.held.clear();
    await time.advance(wait(10_000) - 0.101);
    expect(confirmation.result).toBeUndefined();
    await time.advance(0.002);
    expect([confirmation.result, database.count("hasCommit")]).toEqual(["expiry", 1]);
  });

  it("waits for a longer lease of which this process hasn't heard before, if no look has been answered", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.held.set("look", createGate().gate);
    const confirmation = revoke();
    await time.advance(0.1);
    database.held.clear();
    database.addNode("silent", { lease: 60_000 });
    database.longestLease = 60_000;
    await time.advance(wait(60_000) - 0.101);
    expect(confirmation.result).toBeUndefined();
    await time.advance(0.002);
    expect(confirmation.result).toBe("expiry");
  });

  it("waits for the longest lease that this process knows if the registry may have lost that too", async () => {
    const { database, time, confirmer, revoke } = createTestConfirmer({ isSettled: false });
    confirmer.observe({ incarnation: "former", isSettled: true, longestLease: 60_000 });
    const confirmation = revoke();
    await time.advance(wait(60_000) - 0.001);
    expect(confirmation.result).toBeUndefined();
    await time.advance(0.06);
    expect([confirmation.result, database.longestLease]).toEqual(["expiry", 10_000]);
  });

  it("comes in another incarnation only if that has the entry", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.addNode("b");
    const confirmation = revoke();
    await time.advance(0.1);
    database.incarnation = "b";
    database.acknowledge("b", "b/9");
    await time.advance(wait(10_000));
    expect([confirmation.result, database.count("hasCommit")]).toEqual(["expiry", 1]);
  });
});

describe("a confirmation by a node with readers", () => {
  it("needs its own readers, although the node itself has applied the revocation", async () => {
    const { gate, open } = createGate();
    const { database, time, revoke } = createTestConfirmer({ readersKnow: gate });
    database.addNode("own");
    database.addNode("b", { seen: "a/9" });
    const confirmation = revoke();
    await time.advance(5);
    expect(confirmation.result).toBeUndefined();
    open();
    await settled();
    await time.advance(0);
    expect(confirmation.result).toBe("acks");
  });

  it("waits for the lease of its readers too, and doesn't mark itself as leaving", async () => {
    const { database, time, revoke } = createTestConfirmer({ readersKnow: createGate().gate });
    database.addNode("own", { lease: 10_000 });
    database.addNode("b", { seen: "a/9" });
    const confirmation = revoke();
    await time.advance(wait(20_000) - 0.001);
    expect(confirmation.result).toBeUndefined();
    await time.advance(0.002);
    expect(confirmation.result).toBe("expiry");
    await time.advance(60);
    expect(database.rows.get("own")?.isLeaving).toBe(false);
  });

  it("waits for them also if the registry has lost the node itself", async () => {
    const { gate, open } = createGate();
    const { time, revoke } = createTestConfirmer({ readersKnow: gate });
    const confirmation = revoke();
    await time.advance(5);
    expect(confirmation.result).toBeUndefined();
    open();
    await settled();
    await time.advance(0);
    expect(confirmation.result).toBe("acks");
  });
});

describe("a confirmation that fails", () => {
  it("throws unavailable if another incarnation has lost the entry", async () => {
    const { database, time, revoke } = createTestConfirmer();
    const confirmation = revoke();
    database.incarnation = "b";
    database.entries.length = 0;
    await time.advance(wait(10_000) + 0.1);
    expect(confirmation.result).toMatchObject({ name: "AuthError", code: "unavailable" });
  });

  it("is pending if the database can't be asked for the entry", async () => {
    const { database, time, revoke } = createTestConfirmer();
    for (const method of ["look", "hasCommit"]) database.failing.add(method);
    const confirmation = revoke();
    await time.advance(wait(10_000) + 0.1);
    expect(confirmation.result).toBe("pending");
  });

  it("is pending after the timeout, and silent nodes are still found and removed", async () => {
    const { database, time, revoke, reported } = createTestConfirmer();
    database.addNode("silent", { lease: 5_000 });
    const confirmation = revoke({ timeout: 3_000 });
    await time.advance(2.999);
    expect(confirmation.result).toBeUndefined();
    await time.advance(0.001);
    expect(confirmation.result).toBe("pending");
    expect(reported).toEqual([["pending", 3_000]]);
    await time.advance(2 * wait(5_000));
    expect(database.rows.size).toBe(0);
    expect(reported).toHaveLength(1);
  });

  it("holds one revocation in memory for the search for silent nodes, however many callers have given up", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.addNode("silent", { lease: 60_000, seen: "a/0" });
    const confirmations = [];
    for (let i = 0; i < 100; i++) {
      confirmations.push(revoke({ timeout: 3_000 }));
      await time.advance(0.01);
    }
    await time.advance(10);
    expect(new Set(confirmations.map(({ result }) => result))).toEqual(new Set(["pending"]));
    // One for the expiry, and one for the next look.
    expect(time.pending).toBeLessThanOrEqual(2);
    await time.advance(2 * wait(60_000));
    expect(database.rows.size).toBe(0);
  });

  it("is pending at once if nobody wants to wait, and silent nodes are still found", async () => {
    const { database, time, revoke } = createTestConfirmer();
    database.addNode("silent", { lease: 1_000 });
    const confirmation = revoke({ timeout: 0 });
    await time.advance(0);
    expect(confirmation.result).toBe("pending");
    await time.advance(5);
    expect(database.rows.size).toBe(0);
  });

  it("is pending when the process stops, and afterwards", async () => {
    const { database, time, confirmer, revoke } = createTestConfirmer();
    database.addNode("silent");
    const before = revoke();
    await time.advance(1);
    confirmer.stop();
    const after = revoke();
    await settled();
    expect([before.result, after.result]).toEqual(["pending", "pending"]);
    expect([time.pending, database.ackSubscribers]).toEqual([0, 0]);
    const looks = database.count("look");
    await time.advance(60);
    expect(database.count("look")).toBe(looks);
  });
});

describe("a process that waits for a confirmation", () => {
  /** How many timers keep the process alive. */
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;

  it("is kept alive until the answer, and not for a probe", () => {
    const { database, confirmer, revoke } = createTestConfirmer();
    database.addNode("silent");
    const before = timers();
    revoke({ isProbe: true });
    expect(timers()).toBe(before);
    const confirmation = confirmer.confirm(database.revoke("s"), { timeout: 3_000 });
    expect(timers()).toBe(before + 1);
    confirmer.stop();
    return confirmation.then((result) => expect([result, timers()]).toEqual(["pending", before]));
  });
});

describe("a probe", () => {
  it("isn't reported, and finds silent nodes", async () => {
    const { database, time, revoke, reported } = createTestConfirmer();
    database.addNode("silent", { lease: 1_000 });
    revoke({ isProbe: true });
    await time.advance(5);
    expect(database.rows.size).toBe(0);
    expect(reported).toEqual([]);
  });
});
