import { describe, expect, it } from "vitest";
import type { FeedBatch, FeedCursor, Revocation } from "../../src/core/revocation.ts";
import type { FeedStore } from "../../src/core/store/feed.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { createFeed } from "../../src/revocation/feed.ts";
import { createRevocationIndex } from "../../src/revocation/revocation-index.ts";
import { createManualTime, settled } from "../support/manual-time.ts";

const accessTokenLifetime = 1800;
const leeway = 5;
const maxStaleness = 10;

/** A feed store with entries in the order of their commits, whose reads a test can hold back or fail. */
function createLog(now: () => number) {
  const entries: Revocation[] = [];
  const reads: { after: FeedCursor | null; horizon: number }[] = [];
  const subscribers = new Set<() => void>();
  const log = {
    entries,
    reads,
    batchSize: 100,
    failing: false,
    held: null as Promise<void> | null,
    inFlight: 0,
    mostInFlight: 0,
    /** The age of every entry, in milliseconds. */
    age: 0 as number | null,
    isRestarted: false,
    reportListening: (_isListening: boolean, _reason?: string) => {},
    revoke(sessionId: string) {
      entries.push({ kind: "session", sessionId, at: now() });
    },
    wake: () => {
      for (const wake of subscribers) wake();
    },
    get subscribers() {
      return subscribers.size;
    },
    store: {
      pollInterval: 1000,
      async read({ after, horizon }): Promise<FeedBatch> {
        reads.push({ after, horizon });
        log.mostInFlight = Math.max(log.mostInFlight, ++log.inFlight);
        try {
          const from = Number(after ?? 0);
          const to = Math.min(entries.length, from + log.batchSize);
          const revocations = entries.slice(from, to);
          const ages = after === null ? {} : { ages: revocations.map(() => log.age) };
          const isRestarted = log.isRestarted;
          log.isRestarted = false;
          const batch = { revocations, cursor: String(to), more: to < entries.length, isRestarted, ...ages };
          if (log.held !== null) await log.held;
          if (log.failing) throw new TypeError("connect postgres://admin:hunter2@db");
          return batch;
        } finally {
          log.inFlight--;
        }
      },
      subscribe(wake, onListening) {
        subscribers.add(wake);
        if (onListening !== undefined) log.reportListening = onListening;
        return () => subscribers.delete(wake);
      },
      revokeToken: async (tokenId) => ({ revocations: [{ kind: "token", tokenId, at: now() }] }),
      isRevoked: async () => false,
    } satisfies FeedStore,
  };
  return log;
}

function createTestFeed() {
  const time = createManualTime();
  const { clock, schedule } = time;
  const log = createLog(clock.now);
  const index = createRevocationIndex({ accessTokenLifetime, leeway, clock });
  const events: AuthEvent[] = [];
  const applied: Revocation[] = [];
  const lags: number[] = [];
  const feed = createFeed({
    store: log.store,
    index,
    clock,
    schedule,
    accessTokenLifetime,
    leeway,
    maxStaleness,
    onApplied: (revocation) => applied.push(revocation),
    onLag: (seconds) => lags.push(seconds),
    emit: (event) => events.push(event),
  });
  const knows = (sessionId: string) =>
    index.isRevoked({ sessionId, userId: "1", userEpoch: 1, tokenId: "t", issuedAt: clock.now() });
  return { time, log, index, events, applied, lags, feed, knows };
}

/** A promise, and the function that fulfils it. */
function createGate() {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open };
}

describe("the revocation feed", () => {
  it("is fresh only when every batch of the first load has been applied", async () => {
    const { feed, log, knows } = createTestFeed();
    for (let i = 0; i < 250; i++) log.revoke(`s${i}`);
    expect(feed.isFresh()).toBe(false);
    expect(feed.staleness()).toBe(Number.POSITIVE_INFINITY);

    const { gate, open } = createGate();
    log.held = gate;
    const started = feed.start();
    await settled();
    expect(feed.isFresh()).toBe(false);
    open();
    await started;
    expect(feed.isFresh()).toBe(true);
    expect([knows("s0"), knows("s249"), knows("s250")]).toEqual([true, true, false]);
    expect(log.reads.map(({ after }) => after)).toEqual([null, "100", "200"]);
    expect(log.reads[0]?.horizon).toBeGreaterThanOrEqual(accessTokenLifetime + leeway);
  });

  it("starts once, however often start is called", async () => {
    const { feed, log, time } = createTestFeed();
    await Promise.all([feed.start(), feed.start()]);
    await feed.start();
    expect(log.reads).toHaveLength(1);
    expect(log.subscribers).toBe(1);
    await time.advance(1);
    expect(log.reads).toHaveLength(2);
  });

  it("rejects a start whose load fails, keeps trying, and is ready when a read succeeds", async () => {
    const { feed, log, time, events, knows } = createTestFeed();
    log.revoke("a");
    log.failing = true;
    await expect(feed.start()).rejects.toThrow(TypeError);
    await time.advance(3);
    expect(feed.isFresh()).toBe(false);
    expect(log.reads).toHaveLength(4);
    log.failing = false;
    const again = feed.start();
    await again;
    expect(feed.isFresh()).toBe(true);
    expect(knows("a")).toBe(true);
    expect(events).toEqual([]);
  });

  it("applies what another process revokes when it polls", async () => {
    const { feed, log, time, knows, applied } = createTestFeed();
    await feed.start();
    log.revoke("a");
    await time.advance(1);
    expect(knows("a")).toBe(true);
    expect(applied).toEqual(log.entries);
    await time.advance(5);
    expect(applied).toHaveLength(1);
  });

  it("reads within milliseconds when it is woken, once for many wake-ups", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    log.revoke("a");
    for (let i = 0; i < 50; i++) log.wake();
    await time.advance(0.05);
    expect(knows("a")).toBe(true);
    expect(log.reads).toHaveLength(2);
  });

  it("reads once more after a read in which it was woken, and never twice at once", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    const { gate, open } = createGate();
    log.held = gate;
    log.wake();
    await time.advance(0.05);
    log.revoke("late");
    log.wake();
    await time.advance(3.9);
    expect(knows("late")).toBe(false);
    log.held = null;
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
    log.held = gate;
    await time.advance(3.5);
    log.held = null;
    open();
    await settled();
    await time.advance(0.49);
    expect(log.reads).toHaveLength(2);
    await time.advance(0.01);
    expect(log.reads).toHaveLength(3);
  });

  it("doesn't read again before the next poll after a failed read", async () => {
    const { feed, log, time } = createTestFeed();
    log.store.pollInterval = 5_000;
    log.failing = true;
    await expect(feed.start()).rejects.toThrow(TypeError);
    await time.advance(4.99);
    expect(log.reads).toHaveLength(1);
    await time.advance(0.01);
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

  it("is stale when reads have failed for longer than maxStaleness, and reports that and the recovery once each", async () => {
    const { feed, log, time, events } = createTestFeed();
    await feed.start();
    log.failing = true;
    await time.advance(10);
    expect(feed.isFresh()).toBe(true);
    await time.advance(5);
    expect(feed.isFresh()).toBe(false);
    expect(events).toMatchObject([{ type: "feed_stale", staleSeconds: 11, reason: "reading failed: TypeError" }]);
    expect(JSON.stringify(events)).not.toContain("hunter2");

    log.failing = false;
    await time.advance(2);
    expect(feed.isFresh()).toBe(true);
    expect(events.slice(1)).toMatchObject([{ type: "feed_recovered" }]);
  });

  it("is stale and reports it while a read gets no answer", async () => {
    const { feed, log, time, events } = createTestFeed();
    await feed.start();
    log.held = new Promise(() => {});
    await time.advance(12);
    expect(feed.isFresh()).toBe(false);
    expect(events).toMatchObject([{ type: "feed_stale", reason: "no read has been answered" }]);
  });

  it("counts staleness from the start of the last successful read", async () => {
    const { feed, log, time } = createTestFeed();
    await feed.start();
    const { gate, open } = createGate();
    log.held = gate;
    await time.advance(1);
    await time.advance(4);
    open();
    log.held = null;
    await settled();
    expect(feed.staleness()).toBe(4);
  });

  it("measures staleness with the monotonic clock, whatever happens to the wall clock", async () => {
    const { feed, time } = createTestFeed();
    await feed.start();
    time.setWallClock(86_400);
    expect(feed.staleness()).toBe(0);
    time.setWallClock(-3 * 86_400);
    await time.advance(0.5);
    expect(feed.staleness()).toBe(0.5);
    expect(feed.isFresh()).toBe(true);
  });

  it("loads everything again when the wall clock was set back, for the entries that were dropped while it was ahead", async () => {
    const { feed, log, time, knows, index, events } = createTestFeed();
    log.revoke("a");
    await feed.start();
    time.setWallClock(86_400);
    await time.advance(1);
    expect(index.size).toBe(0);
    time.setWallClock(-86_400);
    await time.advance(1);
    expect(knows("a")).toBe(true);
    const reloads = log.reads.filter(({ after }) => after === null).length;
    await time.advance(5);
    expect(log.reads.filter(({ after }) => after === null)).toHaveLength(reloads);
    expect(reloads).toBe(2);
    expect(events).toMatchObject([{ type: "feed_reloaded", revocations: 1 }]);
  });

  it("reports a reload if the store read from the beginning", async () => {
    const { feed, log, time, events } = createTestFeed();
    await feed.start();
    expect(events).toEqual([]);
    log.revoke("a");
    log.isRestarted = true;
    await time.advance(1);
    await time.advance(1);
    expect(events).toMatchObject([{ type: "feed_reloaded", revocations: 1 }]);
  });

  it("reports the lag of each entry, with the whole time of the read, except in the first load", async () => {
    const { feed, log, time, lags } = createTestFeed();
    for (let i = 0; i < 250; i++) log.revoke(`s${i}`);
    await feed.start();
    expect(log.reads).toHaveLength(3);
    expect(lags).toEqual([]);
    log.age = 120;
    log.revoke("b");
    const { gate, open } = createGate();
    log.held = gate;
    log.wake();
    await time.advance(0.01);
    await time.advance(0.5);
    open();
    await settled();
    expect(lags).toEqual([0.62]);
    log.held = null;
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
    feed.stop();
    log.reportListening(false, "ECONNRESET");
    expect(events).toHaveLength(2);
  });

  it("does not skip entries when a later batch fails", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    for (let i = 0; i < 5; i++) log.revoke(`s${i}`);
    log.failing = true;
    await time.advance(2);
    log.failing = false;
    await time.advance(1);
    expect([0, 1, 2, 3, 4].every((i) => knows(`s${i}`))).toBe(true);
  });

  it("sweeps the index at every poll", async () => {
    const { feed, log, time, index } = createTestFeed();
    log.revoke("a");
    await feed.start();
    expect(index.size).toBe(1);
    time.setWallClock(accessTokenLifetime * 2);
    await time.advance(1);
    expect(index.size).toBe(0);
  });

  it("sweeps the index while a read gets no answer", async () => {
    const { feed, log, time, index } = createTestFeed();
    log.revoke("a");
    await feed.start();
    log.held = new Promise(() => {});
    await time.advance(1);
    expect(log.inFlight).toBe(1);
    time.setWallClock(accessTokenLifetime * 2);
    await time.advance(1);
    expect(index.size).toBe(0);
    expect(log.reads).toHaveLength(2);
  });

  it("leaves no timer and no subscription behind when it is stopped, and ignores the read in flight", async () => {
    const { feed, log, time, knows, events } = createTestFeed();
    await feed.start();
    log.revoke("a");
    const { gate, open } = createGate();
    log.held = gate;
    log.wake();
    await time.advance(0.05);
    log.wake();
    feed.stop();
    await time.advance(60);
    open();
    await settled();
    expect(knows("a")).toBe(false);
    expect(events).toEqual([]);
    expect(time.pending).toBe(0);
    expect(log.subscribers).toBe(0);
    await time.advance(60);
    log.wake();
    await time.advance(60);
    expect(log.reads).toHaveLength(2);
    await expect(feed.start()).rejects.toThrow("stopped");
  });

  it("rejects a start if it is stopped before the load is complete", async () => {
    const { feed, log } = createTestFeed();
    const { gate, open } = createGate();
    log.held = gate;
    const started = feed.start();
    feed.stop();
    open();
    await expect(started).rejects.toThrow("stopped");
    expect(feed.isFresh()).toBe(false);
  });
});
