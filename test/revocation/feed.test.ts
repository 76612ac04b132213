import { describe, expect, it } from "vitest";
import type { FeedState, Revocation } from "../../src/core/revocation.ts";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { createFeed } from "../../src/revocation/feed.ts";
import type { ReadersKnowledge } from "../../src/revocation/readers/readers-knowledge.ts";
import { createRevocationIndex } from "../../src/revocation/revocation-index.ts";
import { createManualTime, settled } from "../support/manual-time.ts";
import { createGate, createTestDatabase } from "./test-database.ts";

const leeway = 5;
const poll = 0.25;

function createTestFeed(changes: Partial<Settings> = {}, readers?: ReadersKnowledge) {
  const time = createManualTime();
  const { clock, schedule } = time;
  const log = createTestDatabase(time);
  const index = createRevocationIndex({ leeway, clock });
  const events: AuthEvent[] = [];
  const applied: Revocation[] = [];
  const lags: number[] = [];
  const states: FeedState[] = [];
  const settings = { accessTokenLifetime: 1_800, leeway, maxStaleness: 10, heartbeat: "auto", nodeName: undefined };
  const feed = createFeed({
    store: log,
    index,
    clock,
    schedule,
    settings: { ...settings, ...changes } as Settings,
    onApplied: (revocation) => applied.push(revocation),
    onState: (state) => states.push(state),
    onLag: (seconds) => lags.push(seconds),
    emit: (event) => events.push(event),
    ...(readers === undefined ? {} : { readers }),
  });
  const knows = (sessionId: string) =>
    index.isRevoked({ sessionId, userId: "1", userEpoch: 1, globalEpoch: 0, tokenId: "t", issuedAt: clock.now() });
  /** The acknowledgement of the node in the registry. */
  const seen = () => log.rows.get(feed.nodeId() ?? "")?.seen;
  return { time, log, index, events, applied, lags, states, feed, knows, seen };
}

describe("the revocation feed", () => {
  it("is fresh only when every batch of the first load has been applied", async () => {
    const { feed, log, knows } = createTestFeed();
    for (let i = 0; i < 250; i++) log.revoke(`s${i}`);
    expect(feed.isFresh()).toBe(false);
    expect(feed.staleness()).toBe(Number.POSITIVE_INFINITY);

    const { gate, open } = createGate();
    log.held.set("read", gate);
    const started = feed.start();
    await settled();
    expect(feed.isFresh()).toBe(false);
    open();
    await started;
    expect(feed.isFresh()).toBe(true);
    expect([knows("s0"), knows("s249"), knows("s250")]).toEqual([true, true, false]);
    expect(log.reads.map(({ after }) => after)).toEqual([null, "a/100", "a/200"]);
  });

  it("leaves out entries whose tokens have expired by this node's clock, with a margin", async () => {
    const { feed, log, time } = createTestFeed();
    await feed.start();
    expect(log.reads[0]?.since).toBe(time.clock.now() - leeway - 60);
  });

  it("starts once, however often start is called", async () => {
    const { feed, log, time } = createTestFeed();
    await Promise.all([feed.start(), feed.start()]);
    await feed.start();
    expect(log.reads).toHaveLength(1);
    expect(log.subscribers).toBe(1);
    await time.advance(poll);
    expect(log.reads).toHaveLength(2);
  });

  it("rejects a start whose load fails, keeps trying, and is ready when a read succeeds", async () => {
    const { feed, log, time, events, knows } = createTestFeed();
    log.revoke("a");
    log.failing.add("read");
    await expect(feed.start()).rejects.toThrow(TypeError);
    await time.advance(3 * poll);
    expect(feed.isFresh()).toBe(false);
    expect(log.reads).toHaveLength(4);
    log.failing.clear();
    await feed.start();
    expect(feed.isFresh()).toBe(true);
    expect(knows("a")).toBe(true);
    expect(events).toEqual([]);
  });

  it("applies what another process revokes when it polls", async () => {
    const { feed, log, time, knows, applied } = createTestFeed();
    await feed.start();
    log.revoke("a");
    await time.advance(poll);
    expect(knows("a")).toBe(true);
    expect(applied).toEqual(log.entries);
    await time.advance(5);
    expect(applied).toHaveLength(1);
  });

  it.each([
    [10, 0.25],
    [1, 0.25],
    [0.5, 0.125],
    [0.25, 0.0625],
  ])("polls with a maxStaleness of %d s every %d s", async (maxStaleness, interval) => {
    const { feed, log, time } = createTestFeed({ maxStaleness });
    await feed.start();
    await time.advance(4 * interval);
    expect(log.reads).toHaveLength(5);
  });

  it.each([
    [10, 4_000],
    [1, 400],
    [0.25, 250],
  ])(
    "gives a read of everything all the time, and with a maxStaleness of %d s every other one %d ms",
    async (...row) => {
      const [maxStaleness, timeout] = row;
      const { feed, log, time } = createTestFeed({ maxStaleness });
      await feed.start();
      await time.advance(poll);
      expect(log.reads.slice(0, 2).map((read) => read.timeout)).toEqual([null, timeout]);
    },
  );

  it("reads within milliseconds when it is woken, once for many wake-ups", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    log.revoke("a");
    for (let i = 0; i < 50; i++) log.wake();
    await time.advance(0.05);
    expect(knows("a")).toBe(true);
    expect(log.reads).toHaveLength(2);
  });

  it("reads sooner if somebody waits for the revocation", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    log.revoke("a");
    log.wake(false);
    log.wake(true);
    await time.advance(0.002);
    expect(knows("a")).toBe(true);
  });

  it("reads once more after a read in which it was woken, and never twice at once", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    const { gate, open } = createGate();
    log.held.set("read", gate);
    log.wake();
    await time.advance(0.05);
    log.revoke("late");
    log.wake();
    await time.advance(3.9);
    expect(knows("late")).toBe(false);
    log.held.clear();
    open();
    await settled();
    await time.advance(0.05);
    expect(knows("late")).toBe(true);
    expect(log.mostInFlight).toBe(1);
  });

  it("joins the read in flight when it polls, so that a slow read causes no other", async () => {
    const { feed, log, time } = createTestFeed();
    await feed.start();
    const { gate, open } = createGate();
    log.held.set("read", gate);
    await time.advance(3.5);
    log.held.clear();
    open();
    await settled();
    await time.advance(0.24);
    expect(log.reads).toHaveLength(2);
    await time.advance(0.01);
    expect(log.reads).toHaveLength(3);
  });

  it("reads again at once after a read that took longer than half of maxStaleness", async () => {
    const { feed, log, time } = createTestFeed();
    const { gate, open } = createGate();
    log.held.set("read", gate);
    const started = feed.start();
    await time.advance(5.01);
    log.held.clear();
    open();
    await started;
    expect(log.reads).toHaveLength(1);
    await time.advance(0);
    expect(log.reads).toHaveLength(2);
    expect(feed.staleness()).toBe(0);
  });

  it("doesn't read again before the next poll after a failed read", async () => {
    const { feed, log, time } = createTestFeed();
    log.failing.add("read");
    await expect(feed.start()).rejects.toThrow(TypeError);
    await time.advance(0.249);
    expect(log.reads).toHaveLength(1);
    await time.advance(0.001);
    expect(log.reads).toHaveLength(2);
  });

  it("applies what this process has committed at once, and again when it reads that", async () => {
    const { feed, log, time, knows, applied, index } = createTestFeed();
    await feed.start();
    log.revoke("a");
    feed.apply(log.entries);
    expect(knows("a")).toBe(true);
    await time.advance(1);
    expect(applied).toHaveLength(2);
    expect(index.size).toBe(1);
  });

  it("reports a reload if the cursor was lost, and registers again", async () => {
    const { feed, log, time, events } = createTestFeed();
    await feed.start();
    const id = feed.nodeId();
    expect(events).toEqual([]);
    log.revoke("a");
    log.isCursorLost = true;
    await time.advance(poll);
    expect(events).toMatchObject([{ type: "feed_reloaded", revocations: 1 }]);
    expect(feed.nodeId()).not.toBe(id);
  });

  it("reports the lag of each entry, with the whole time of the read, except in the first load", async () => {
    const { feed, log, time, lags } = createTestFeed();
    for (let i = 0; i < 250; i++) log.revoke(`s${i}`);
    await feed.start();
    expect(log.reads).toHaveLength(3);
    log.age = 120;
    log.revoke("b");
    const { gate, open } = createGate();
    log.held.set("read", gate);
    log.wake();
    await time.advance(0.01);
    await time.advance(0.5);
    expect(lags).toEqual([]);
    open();
    await settled();
    expect(lags).toEqual([0.62]);
    log.held.clear();
    log.age = null;
    log.revoke("c");
    await time.advance(1);
    expect(lags).toHaveLength(1);
  });

  it("reports once that notifications were lost, and once that they are back", async () => {
    const { feed, log, events } = createTestFeed();
    await feed.start();
    log.reportListening(true);
    for (const _ of [1, 2]) log.reportListening(false, "ECONNRESET");
    for (const _ of [1, 2]) log.reportListening(true);
    expect(events).toMatchObject([{ type: "listen_lost", reason: "ECONNRESET" }, { type: "listen_recovered" }]);
    await feed.stop();
    log.reportListening(false, "ECONNRESET");
    expect(events).toHaveLength(2);
  });

  it("does not skip entries when a later batch fails", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    for (let i = 0; i < 5; i++) log.revoke(`s${i}`);
    log.failing.add("read");
    await time.advance(2);
    log.failing.clear();
    await time.advance(1);
    expect([0, 1, 2, 3, 4].every((i) => knows(`s${i}`))).toBe(true);
  });

  it.each(["answers", "gets no answer"])("sweeps the index while a read %s", async (what) => {
    const { feed, log, time, index } = createTestFeed();
    log.revoke("a", { until: time.clock.now() + 100 });
    await feed.start();
    if (what === "gets no answer") log.held.set("read", new Promise(() => {}));
    expect(index.size).toBe(1);
    await time.advance(100 + leeway + 61);
    expect(index.size).toBe(0);
  });

  it("keeps what the wall clock makes look expired until a read has noticed that the clock was set", async () => {
    const { feed, log, time, knows } = createTestFeed({ maxStaleness: 3_600 });
    log.revoke("a", { until: time.clock.now() + 1_800 });
    await feed.start();
    log.held.set("read", new Promise(() => {}));
    await time.advance(poll);
    time.setWallClock(3_000);
    await time.advance(2);
    time.setWallClock(-3_000);
    expect([feed.isFresh(), knows("a")]).toEqual([true, true]);
  });

  it("reads again what came while the wall clock was set forward, before it counts", async () => {
    const { feed, log, time, knows } = createTestFeed({ maxStaleness: 3_600 });
    await feed.start();
    const { gate, open } = createGate();
    log.revoke("a", { until: time.clock.now() + 1_800 });
    log.held.set("read", gate);
    await time.advance(poll);
    time.setWallClock(3_000);
    open();
    log.held.set("read", new Promise(() => {}));
    await settled();
    time.setWallClock(-3_000);
    // The read that was answered doesn't count: the lease is still that of the first one.
    expect([knows("a"), feed.staleness()]).toEqual([false, poll]);
  });
});

describe("the freshness of the feed", () => {
  it("ends when reads have failed for longer than maxStaleness, and is reported with the recovery once each", async () => {
    const { feed, log, time, events } = createTestFeed();
    await feed.start();
    log.failing.add("read");
    await time.advance(10);
    expect(feed.isFresh()).toBe(true);
    await time.advance(5);
    expect(feed.isFresh()).toBe(false);
    expect(events).toMatchObject([{ type: "feed_stale", staleSeconds: 10.25, reason: "reading failed: TypeError" }]);
    expect(JSON.stringify(events)).not.toContain("hunter2");

    log.failing.clear();
    await time.advance(poll);
    expect(feed.isFresh()).toBe(true);
    expect(events.slice(1)).toMatchObject([{ type: "feed_recovered" }]);
  });

  it("ends while a read gets no answer, and that is reported", async () => {
    const { feed, log, time, events } = createTestFeed();
    await feed.start();
    log.held.set("read", new Promise(() => {}));
    await time.advance(12);
    expect(feed.isFresh()).toBe(false);
    expect(events).toMatchObject([{ type: "feed_stale", reason: "no read has been answered" }]);
  });

  it("counts from before the first batch of the last complete read", async () => {
    const { feed, log, time } = createTestFeed();
    log.batchSize = 1;
    await feed.start();
    for (const session of ["a", "b", "c"]) log.revoke(session);
    const gates = [createGate(), createGate(), createGate()];
    const { read } = log.feed;
    let batches = 0;
    log.feed.read = async (options) => {
      const batch = await read(options);
      await gates[batches++]?.gate;
      return batch;
    };
    await time.advance(poll);
    for (const { open } of gates) {
      await time.advance(3);
      expect(feed.staleness()).toBe(9.25 - 9 + 3 * batches);
      open();
      await settled();
    }
    expect([batches, feed.staleness()]).toEqual([3, 9]);
  });

  it("doesn't come with the rest of a read that failed: what was committed since its first batch may be missing", async () => {
    const { feed, log, time } = createTestFeed();
    log.batchSize = 1;
    await feed.start();
    for (const session of ["a", "b", "c"]) log.revoke(session);
    const { read } = log.feed;
    const positions: (string | null)[] = [];
    const { gate, open } = createGate();
    log.feed.read = async (options) => {
      positions.push(options.after);
      if (positions.length === 2) throw new Error("lost");
      if (options.after === "a/3") await gate;
      return read(options);
    };
    await time.advance(poll);
    await time.advance(poll);
    expect(positions).toEqual(["a/0", "a/1", "a/1", "a/2", "a/3"]);
    expect(feed.staleness()).toBe(2 * poll);
    open();
    await settled();
    expect(feed.staleness()).toBe(0);
  });

  it("doesn't come with an answer that is older than maxStaleness when it arrives", async () => {
    const { feed, log, time } = createTestFeed();
    await feed.start();
    const { gate, open } = createGate();
    log.held.set("read", gate);
    await time.advance(poll);
    await time.advance(10.001);
    open();
    await settled();
    expect(feed.isFresh()).toBe(false);
  });

  it("ends during a suspension in which only the wall clock ran, and comes back with a read", async () => {
    const { feed, time } = createTestFeed();
    await feed.start();
    time.setWallClock(11);
    expect(feed.isFresh()).toBe(false);
    await time.advance(poll);
    expect(feed.isFresh()).toBe(true);
  });

  it("ends when the wall clock is set back, until everything is loaded again that was dropped while it was ahead", async () => {
    const { feed, log, time, knows, index, events } = createTestFeed();
    log.revoke("a", { until: time.clock.now() + 1_800 });
    await feed.start();
    time.setWallClock(80_000);
    await time.advance(1);
    expect(index.size).toBe(0);
    time.setWallClock(-80_000);
    expect(feed.isFresh()).toBe(false);
    await time.advance(1);
    expect([feed.isFresh(), knows("a")]).toEqual([true, true]);
    await time.advance(5);
    expect(log.reads.filter(({ after }) => after === null)).toHaveLength(2);
    expect(events.filter(({ type }) => type === "feed_reloaded")).toMatchObject([{ revocations: 1 }]);
  });

  it("loads everything again if its cursor is more than a day old", async () => {
    const { feed, log, time } = createTestFeed();
    await feed.start();
    log.failing.add("read");
    await time.advance(1);
    time.setWallClock(86_400);
    log.failing.clear();
    await time.advance(poll);
    expect(log.reads.at(-1)?.after).toBeNull();
    await time.advance(poll);
    expect(log.reads.at(-1)?.after).toBe("a/0");
  });
});

describe("a node of the feed", () => {
  it("is registered before the read that counts", async () => {
    const { feed, log } = createTestFeed();
    const { gate, open } = createGate();
    log.held.set("register", gate);
    const started = feed.start();
    await settled();
    expect(log.reads).toHaveLength(0);
    open();
    await started;
    expect(log.calls.slice(0, 2)).toEqual(["register", "read"]);
    expect(log.reads[0]?.nodeId).toBe(feed.nodeId());
  });

  it.each(["is leaving", "is absent"])("registers again and keeps its cursor if it %s", async (what) => {
    const { feed, log, time } = createTestFeed();
    log.revoke("a");
    await feed.start();
    await time.advance(9);
    const id = feed.nodeId() as string;
    if (what === "is absent") log.rows.delete(id);
    else (log.rows.get(id) as { isLeaving: boolean }).isLeaving = true;
    log.failing.add("register");
    await time.advance(10.25);
    expect([feed.isFresh(), feed.nodeId()]).toEqual([false, null]);
    log.failing.clear();
    await time.advance(poll);
    expect(feed.isFresh()).toBe(true);
    expect(feed.nodeId()).not.toBe(id);
    expect(log.reads.filter(({ after }) => after === null)).toHaveLength(1);
  });

  it("leaves its row to others while its lease may hold, although its readers have acknowledged nothing", async () => {
    const slow: ReadersKnowledge = { lastAwaited: 1, whenKnown: () => new Promise(() => {}), areOver: () => false };
    const { feed, log, time, seen } = createTestFeed({}, slow);
    await feed.start();
    const id = feed.nodeId() as string;
    expect(seen()).toBeNull();
    (log.rows.get(id) as { isLeaving: boolean }).isLeaving = true;
    log.failing.add("register");
    await time.advance(1);
    expect([feed.nodeId(), feed.isFresh(), [...log.rows.keys()]]).toEqual([null, true, [id]]);
  });

  it("removes its own row if no read has counted under it", async () => {
    const { feed, log } = createTestFeed();
    const { register } = log.nodes;
    log.nodes.register = async (node) => {
      const registered = await register(node);
      (log.rows.get(node.id) as { isLeaving: boolean }).isLeaving = log.count("register") < 3;
      return registered;
    };
    await feed.start();
    await settled();
    expect([log.count("register"), [...log.rows.keys()]]).toEqual([3, [feed.nodeId()]]);
  });

  it("registers again and loads everything in another incarnation", async () => {
    const { feed, log, time, events } = createTestFeed();
    log.revoke("a");
    await feed.start();
    const id = feed.nodeId();
    log.incarnation = "b";
    log.rows.clear();
    await time.advance(poll);
    expect(feed.isFresh()).toBe(true);
    expect(feed.nodeId()).not.toBe(id);
    expect(log.reads.filter(({ after }) => after === null)).toHaveLength(2);
    expect(events).toMatchObject([{ type: "feed_reloaded", revocations: 1 }]);
  });

  it("isn't fresh if its registration is lost again and again", async () => {
    const { feed, log } = createTestFeed();
    const { nodes } = log;
    const register = nodes.register;
    nodes.register = async (node) => {
      const registered = await register(node);
      log.rows.delete(node.id);
      return registered;
    };
    await expect(feed.start()).rejects.toThrow("again and again");
    expect(feed.isFresh()).toBe(false);
    expect(log.reads.length).toBeLessThan(10);
  });

  it("acknowledges the first load, then only reads with entries for which somebody waits", async () => {
    const { feed, log, time, seen } = createTestFeed();
    log.revoke("a");
    await feed.start();
    await settled();
    expect(seen()).toBe("a/1");
    log.revoke("b");
    await time.advance(poll);
    expect(seen()).toBe("a/1");
    log.revoke("c", { confirm: true });
    await time.advance(poll);
    expect(seen()).toBe("a/3");
    await time.advance(5);
    expect(log.count("acknowledge")).toBe(2);
  });

  it("acknowledges only when the index has the entries", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    const known: boolean[] = [];
    const { acknowledge } = log.nodes;
    log.nodes.acknowledge = (id, acknowledgement) => {
      known.push(knows("b"), feed.isFresh());
      return acknowledge(id, acknowledgement);
    };
    log.revoke("b", { confirm: true });
    await time.advance(poll);
    expect(known).toEqual([true, true]);
  });

  it("acknowledges an awaited entry of a read that failed later, with the next complete read", async () => {
    const { feed, log, time, seen } = createTestFeed();
    await feed.start();
    log.batchSize = 1;
    log.revoke("a", { confirm: true });
    log.revoke("b");
    const { read } = log.feed;
    let n = 0;
    log.feed.read = async (options) => {
      const batch = await read(options);
      if (++n === 2) throw new TypeError("the connection broke");
      return batch;
    };
    await time.advance(poll);
    expect(n).toBe(2);
    expect(seen()).not.toBe("a/2");
    await time.advance(poll);
    expect(seen()).toBe("a/2");
  });

  it("acknowledges again with every read until it has succeeded", async () => {
    const { feed, log, time, seen } = createTestFeed();
    await feed.start();
    log.failing.add("acknowledge");
    log.revoke("a", { confirm: true });
    await time.advance(3 * poll);
    expect(seen()).not.toBe("a/1");
    log.failing.clear();
    await time.advance(poll);
    expect(seen()).toBe("a/1");
  });

  it("stops accepting at once when it is stopped, and leaves the registry", async () => {
    const { feed, log } = createTestFeed();
    await feed.start();
    const { gate, open } = createGate();
    log.held.set("remove", gate);
    const stopping = feed.stop();
    expect(feed.isFresh()).toBe(false);
    open();
    await stopping;
    expect(log.rows.size).toBe(0);
  });

  it("stops accepting for good, whatever the read in flight answers", async () => {
    const { feed, log, time } = createTestFeed();
    await feed.start();
    const { gate, open } = createGate();
    log.held.set("read", gate);
    await time.advance(poll);
    await feed.stop();
    open();
    await settled();
    expect([feed.isFresh(), await feed.whenFresh()]).toEqual([false, false]);
  });

  it("leaves no timer and no subscription behind when it is stopped, and ignores the read in flight", async () => {
    const { feed, log, time, knows, events } = createTestFeed();
    await feed.start();
    log.revoke("a");
    const { gate, open } = createGate();
    log.held.set("read", gate);
    log.wake();
    await time.advance(0.05);
    log.wake();
    await feed.stop();
    await time.advance(60);
    open();
    await settled();
    expect(knows("a")).toBe(false);
    expect(events).toEqual([]);
    expect(time.pending).toBe(0);
    expect(log.subscribers).toBe(0);
    log.wake();
    await time.advance(60);
    expect(log.reads).toHaveLength(2);
    await expect(feed.start()).rejects.toThrow("stopped");
  });

  it("rejects a start if it is stopped before the load is complete", async () => {
    const { feed, log } = createTestFeed();
    const { gate, open } = createGate();
    log.held.set("read", gate);
    const started = feed.start();
    await settled();
    await feed.stop();
    open();
    await expect(started).rejects.toThrow("stopped");
    expect(feed.isFresh()).toBe(false);
  });
});

describe("the heartbeat of a node", () => {
  it("is never written with heartbeat: read", async () => {
    const { feed, log, time } = createTestFeed({ heartbeat: "read" });
    log.hasSynchronousStandby = true;
    await feed.start();
    await time.advance(1);
    expect(log.reads.some(({ beat }) => beat)).toBe(false);
  });

  it("is always written with heartbeat: write", async () => {
    const { feed, log, time } = createTestFeed({ heartbeat: "write" });
    await feed.start();
    await time.advance(1);
    expect(log.reads.every(({ beat }) => beat)).toBe(true);
    expect(log.reads).toHaveLength(5);
  });

  it("is written with heartbeat: auto while there are synchronous standbys, and the read that shows one doesn't count", async () => {
    const { feed, log, time, seen } = createTestFeed();
    await feed.start();
    await settled();
    log.hasSynchronousStandby = true;
    log.revoke("a", { confirm: true });
    await time.advance(poll);
    expect(log.reads.map(({ beat }) => beat)).toEqual([false, false, true]);
    expect(seen()).toBe("a/1");
    log.hasSynchronousStandby = false;
    await time.advance(2 * poll);
    expect(log.reads.map(({ beat }) => beat)).toEqual([false, false, true, true, false]);
  });

  it("must succeed before the node is fresh", async () => {
    const { feed, log } = createTestFeed();
    log.hasSynchronousStandby = true;
    const { read } = log.feed;
    log.feed.read = async (options) => {
      if (options.beat) throw new TypeError("canceling wait for synchronous replication");
      return read(options);
    };
    await expect(feed.start()).rejects.toThrow(TypeError);
    expect(feed.isFresh()).toBe(false);
  });
});

describe("the global epoch that a feed reads", () => {
  it("revokes older tokens although the entry is gone, and is published as a revocation", async () => {
    const { feed, log, time, index, applied } = createTestFeed();
    await feed.start();
    const token = Object.freeze({
      sessionId: "s",
      userId: "1",
      userEpoch: 1,
      globalEpoch: 0,
      tokenId: "t",
      issuedAt: time.clock.now(),
    });
    expect(index.isRevoked(token)).toBe(false);
    log.globalEpoch = 1;
    await time.advance(poll);
    expect(index.isRevoked(token)).toBe(true);
    expect(index.isRevoked({ ...token, globalEpoch: 1 })).toBe(false);
    expect(applied).toMatchObject([{ kind: "all", epoch: 1 }]);
    await time.advance(1);
    expect(applied).toHaveLength(1);
  });

  it("is raised in a restored database before the read counts", async () => {
    const { feed, log, time, index } = createTestFeed();
    log.globalEpoch = 7;
    await feed.start();
    log.globalEpoch = 2;
    log.incarnation = "b";
    log.failing.add("raiseGlobalEpoch");
    await time.advance(11);
    expect([feed.isFresh(), log.globalEpoch]).toEqual([false, 2]);
    log.failing.clear();
    await time.advance(poll);
    expect([feed.isFresh(), log.globalEpoch, index.globalEpoch]).toEqual([true, 7, 7]);
  });
});

describe("waiting for fresh revocations", () => {
  /** A loaded feed that is stale, with a read in flight that began before it was suspended. */
  async function suspend() {
    const parts = createTestFeed();
    await parts.feed.start();
    parts.time.setWallClock(60);
    return parts;
  }

  it("makes a read at once, one for all", async () => {
    const { feed, log } = await suspend();
    expect(await Promise.all(Array.from({ length: 100 }, () => feed.whenFresh()))).toEqual(Array(100).fill(true));
    expect(log.reads).toHaveLength(2);
  });

  it("joins the read in flight, and makes another one if that began too long ago", async () => {
    const { feed, log, time } = createTestFeed();
    await feed.start();
    const { gate, open } = createGate();
    log.held.set("read", gate);
    await time.advance(poll);
    time.setWallClock(60);
    const waiting = feed.whenFresh();
    await settled();
    expect(log.reads).toHaveLength(2);
    log.held.clear();
    open();
    expect(await waiting).toBe(true);
    expect(log.reads).toHaveLength(3);
  });

  it("ends after half a second", async () => {
    const { feed, log, time } = await suspend();
    log.held.set("read", new Promise(() => {}));
    let answer: boolean | undefined;
    void feed.whenFresh().then((isFresh) => {
      answer = isFresh;
    });
    await time.advance(0.499);
    expect(answer).toBeUndefined();
    await time.advance(0.001);
    expect(answer).toBe(false);
  });

  it("ends at once if the last read failed", async () => {
    const { feed, log, time } = await suspend();
    log.failing.add("read");
    expect(await feed.whenFresh()).toBe(false);
    const reads = log.reads.length;
    expect(await feed.whenFresh()).toBe(false);
    expect(log.reads).toHaveLength(reads);
    log.failing.clear();
    await time.advance(poll);
    expect(await feed.whenFresh()).toBe(true);
  });

  it("is refused to more than a thousand at once", async () => {
    const { feed, log } = await suspend();
    const { gate, open } = createGate();
    log.held.set("read", gate);
    const waiting = Array.from({ length: 1_000 }, () => feed.whenFresh());
    expect(await feed.whenFresh()).toBe(false);
    open();
    expect(await Promise.all(waiting)).toEqual(Array(1_000).fill(true));
    expect(await feed.whenFresh()).toBe(true);
  });
});
