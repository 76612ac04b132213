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

/** A feed of entries in commit order, whose reads a test can hold back or let fail. */
function createLog(now: () => number) {
  const entries: Revocation[] = [];
  const reads: { after: FeedCursor | null; horizon: number }[] = [];
  const wakers = new Set<() => void>();
  const log = {
    entries,
    reads,
    batchSize: 100,
    failing: false,
    held: null as Promise<void> | null,
    inFlight: 0,
    mostInFlight: 0,
    /** Milliseconds, of every entry. */
    age: 0 as number | null,
    isRestarted: false,
    tell: (_isListening: boolean, _reason?: string) => {},
    end(sessionId: string) {
      entries.push({ kind: "session", sessionId, at: now() });
    },
    wake: () => {
      for (const waker of wakers) waker();
    },
    get subscribers() {
      return wakers.size;
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
          const news = after === null ? {} : { ages: revocations.map(() => log.age) };
          const isRestarted = log.isRestarted;
          log.isRestarted = false;
          const batch = { revocations, cursor: String(to), more: to < entries.length, isRestarted, ...news };
          if (log.held !== null) await log.held;
          if (log.failing) throw new TypeError("connect postgres://admin:hunter2@db");
          return batch;
        } finally {
          log.inFlight--;
        }
      },
      subscribe(waker, onListening) {
        wakers.add(waker);
        if (onListening !== undefined) log.tell = onListening;
        return () => wakers.delete(waker);
      },
      revokeToken: async (tokenId) => ({ kind: "token", tokenId, at: now() }),
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

/** A promise and its key. */
function createGate() {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open };
}

describe("feed", () => {
  it("is fresh only once everything has been loaded, batch by batch", async () => {
    const { feed, log, knows } = createTestFeed();
    for (let i = 0; i < 250; i++) log.end(`s${i}`);
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

  it("starts once, however often it is asked to", async () => {
    const { feed, log, time } = createTestFeed();
    await Promise.all([feed.start(), feed.start()]);
    await feed.start();
    expect(log.reads).toHaveLength(1);
    expect(log.subscribers).toBe(1);
    await time.advance(1);
    expect(log.reads).toHaveLength(2);
  });

  it("rejects a start whose load fails, keeps trying, and becomes ready later", async () => {
    const { feed, log, time, events, knows } = createTestFeed();
    log.end("a");
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

  it("learns by polling what another process revokes", async () => {
    const { feed, log, time, knows, applied } = createTestFeed();
    await feed.start();
    log.end("a");
    await time.advance(1);
    expect(knows("a")).toBe(true);
    expect(applied).toEqual(log.entries);
    await time.advance(5);
    expect(applied).toHaveLength(1);
  });

  it("learns sooner when it is woken, and gathers many wake-ups into one read", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    log.end("a");
    for (let i = 0; i < 50; i++) log.wake();
    await time.advance(0.05);
    expect(knows("a")).toBe(true);
    expect(log.reads).toHaveLength(2);
  });

  it("reads again when it is woken during a read, and never two at once", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    const { gate, open } = createGate();
    log.held = gate;
    log.wake();
    await time.advance(0.05);
    log.end("late");
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

  it("applies what this process committed at once, and again when it comes back", async () => {
    const { feed, log, time, knows, applied, index } = createTestFeed();
    await feed.start();
    log.end("a");
    feed.apply(log.entries);
    expect(knows("a")).toBe(true);
    await time.advance(1);
    expect(applied).toHaveLength(2);
    expect(index.size).toBe(1);
  });

  it("goes stale while reads fail, says so once, and says once that it has recovered", async () => {
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

  it("goes stale, and says so, while a read gets no answer at all", async () => {
    const { feed, log, time, events } = createTestFeed();
    await feed.start();
    log.held = new Promise(() => {});
    await time.advance(12);
    expect(feed.isFresh()).toBe(false);
    expect(events).toMatchObject([{ type: "feed_stale", reason: "no read has been answered" }]);
  });

  it("counts staleness from the start of the last good read", async () => {
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

  it("measures staleness on the monotonic clock, whatever the wall clock does", async () => {
    const { feed, time } = createTestFeed();
    await feed.start();
    time.setWallClock(86_400);
    expect(feed.staleness()).toBe(0);
    time.setWallClock(-3 * 86_400);
    await time.advance(0.5);
    expect(feed.staleness()).toBe(0.5);
    expect(feed.isFresh()).toBe(true);
  });

  it("loads everything again when the wall clock was set back, for entries dropped while it ran ahead", async () => {
    const { feed, log, time, knows, index, events } = createTestFeed();
    log.end("a");
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

  it("says so when the store began again from the beginning", async () => {
    const { feed, log, time, events } = createTestFeed();
    await feed.start();
    expect(events).toEqual([]);
    log.end("a");
    log.isRestarted = true;
    await time.advance(1);
    await time.advance(1);
    expect(events).toMatchObject([{ type: "feed_reloaded", revocations: 1 }]);
  });

  it("says how long each entry took, by the store's clock and with the time on the way, but not of the first load", async () => {
    const { feed, log, time, lags } = createTestFeed();
    for (let i = 0; i < 250; i++) log.end(`s${i}`);
    await feed.start();
    expect(log.reads).toHaveLength(3);
    expect(lags).toEqual([]);
    log.age = 120;
    log.end("b");
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
    log.end("c");
    await time.advance(1);
    expect(lags).toHaveLength(1);
  });

  it("says once that the wake-ups were lost, and once that they are back", async () => {
    const { feed, log, events } = createTestFeed();
    await feed.start();
    log.tell(true);
    for (const _ of [1, 2]) log.tell(false, "ECONNRESET");
    for (const _ of [1, 2]) log.tell(true);
    expect(events).toMatchObject([{ type: "listen_lost", reason: "ECONNRESET" }, { type: "listen_recovered" }]);
    feed.stop();
    log.tell(false, "ECONNRESET");
    expect(events).toHaveLength(2);
  });

  it("does not skip entries when a later batch fails", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    for (let i = 0; i < 5; i++) log.end(`s${i}`);
    log.failing = true;
    await time.advance(2);
    log.failing = false;
    await time.advance(1);
    expect([0, 1, 2, 3, 4].every((i) => knows(`s${i}`))).toBe(true);
  });

  it("sweeps the index by itself", async () => {
    const { feed, log, time, index } = createTestFeed();
    log.end("a");
    await feed.start();
    expect(index.size).toBe(1);
    time.setWallClock(accessTokenLifetime * 2);
    await time.advance(1);
    expect(index.size).toBe(0);
  });

  it("leaves no timer and no subscription behind, and ignores the read in flight, once stopped", async () => {
    const { feed, log, time, knows } = createTestFeed();
    await feed.start();
    log.end("a");
    const { gate, open } = createGate();
    log.held = gate;
    log.wake();
    await time.advance(0.05);
    feed.stop();
    open();
    await settled();
    expect(knows("a")).toBe(false);
    expect(time.pending).toBe(0);
    expect(log.subscribers).toBe(0);
    await time.advance(60);
    log.wake();
    expect(log.reads).toHaveLength(2);
    await expect(feed.start()).rejects.toThrow("stopped");
  });

  it("rejects a start that is stopped before it is done", async () => {
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
