import { describe, expect, it } from "vitest";
import type { Confirmation } from "../../../src/core/revocation.ts";
import type { Settings } from "../../../src/core/settings/settings.ts";
import { createConfirmer } from "../../../src/revocation/confirm.ts";
import { createFeed } from "../../../src/revocation/feed.ts";
import { createFeedReaders } from "../../../src/revocation/readers/create-readers.ts";
import { createFeedLog } from "../../../src/revocation/readers/feed-log.ts";
import { toFingerprint } from "../../../src/revocation/readers/frame.ts";
import { createReaderLeases } from "../../../src/revocation/readers/reader-leases.ts";
import type { PolledFrame, ReaderRequest } from "../../../src/revocation/readers/readers.ts";
import { toRegisteredLease } from "../../../src/revocation/readers/stream-time.ts";
import { toWait } from "../../../src/revocation/registry-trust.ts";
import { createRevocationIndex } from "../../../src/revocation/revocation-index.ts";
import { createManualTime, settled } from "../../support/manual-time.ts";
import { createGate, createTestDatabase } from "../test-database.ts";
import { createFrameReader, parseFrame } from "./scene.ts";

const poll = 0.25;

/** A node over a database that a test drives, with readers, made as `createDeps` makes it. */
async function startNode({ maxStaleness = 10 } = {}) {
  const time = createManualTime();
  const { clock, schedule } = time;
  const database = createTestDatabase(time);
  database.settled = "a";
  const index = createRevocationIndex({ leeway: 0, clock });
  const feedLog = createFeedLog({ store: database.feed, clock, globalEpoch: () => index.globalEpoch });
  const { log } = feedLog;
  const leases = createReaderLeases({ clock, schedule });
  const known = {
    whenKnown: () => leases.whenKnown(log.lastAwaited),
    get lastAwaited() {
      return log.lastAwaited;
    },
    areOver: leases.areOver,
  };
  const settings = { accessTokenLifetime: 300, leeway: 0, maxStaleness, heartbeat: "read", nodeName: undefined };
  const feed = createFeed({
    ...{ store: database, index, clock, schedule, settings: settings as Settings },
    ...{ emit() {}, follower: feedLog, readers: known },
    onState: (state) => confirmer.observe(state),
  });
  const confirmer = createConfirmer({
    ...{ nodes: database.nodes, clock, schedule, nodeId: feed.nodeId, readers: known, longestLease: feed.longestLease },
  });
  const readers = createFeedReaders({
    source: {
      log,
      prepare: feedLog.prepare,
      age: () => feed.staleness() * 1000,
      isFresh: () => feed.isFresh(),
      keyVersion: () => 1,
      requireLease: feed.requireLease,
    },
    ...{ leases, clock, schedule, random: (size: number) => Buffer.alloc(size, 7), maxStreams: 10 },
  });
  const request = (more: Partial<ReaderRequest> = {}): ReaderRequest => ({
    ...{ lease: 10_000, reader: "a", arrivedAt: clock.monotonic(), ...more },
  });
  /** Opens a stream, and takes its first frame. */
  async function open(more: Partial<ReaderRequest> = {}) {
    const stream = createFrameReader(await readers.stream(request(more)));
    return { stream, first: (await stream.take())[0] };
  }
  const revoke = (sessionId: string, confirm = true) =>
    database.revoke(sessionId, { confirm, until: clock.now() + 300 });
  const row = () => database.rows.get(feed.nodeId() ?? "");
  /** Calls a function whose answer a test waits for by hand. */
  function confirm(position: string) {
    const state = { result: undefined as Confirmation | undefined };
    void confirmer.confirm(position).then((result) => Object.assign(state, { result }));
    return state;
  }
  await feed.start();
  await settled();
  return { time, clock, database, feed, log, readers, request, open, revoke, row, confirm };
}

describe("the acknowledgement of a node with readers", () => {
  it("comes when its readers have acknowledged, and not before", async () => {
    const { time, open, revoke, row, readers } = await startNode();
    const { stream } = await open();
    revoke("s");
    await time.advance(poll);
    await time.advance(0.01);
    const [frame] = await stream.take();
    expect(frame).toMatchObject({ isAwaited: true, records: [{ fingerprint: toFingerprint("s", "s") }] });
    await time.advance(3);
    expect(row()?.seen).toBe("a/0");
    readers.acknowledge("a", frame?.cursor ?? "");
    await settled();
    expect(row()?.seen).toBe("a/1");
  });

  it("comes when the lease of a reader is over that has gone", async () => {
    const { time, open, revoke, row, readers } = await startNode();
    const { stream } = await open();
    await time.advance(0.5);
    await stream.cancel();
    expect(readers.stats().streams).toBe(0);
    revoke("s");
    await time.advance(toWait(10_000) / 1_000 - 0.6);
    expect(row()?.seen).toBe("a/0");
    await time.advance(0.2);
    expect(row()?.seen).toBe("a/1");
  });

  it("comes at once without readers, and if no record is new to them", async () => {
    const { time, open, revoke, row, readers, request } = await startNode();
    revoke("before");
    await time.advance(poll);
    expect(row()?.seen).toBe("a/1");
    const { first } = await open();
    await readers.poll(request({ after: first?.cursor }), { wait: 0 });
    revoke("unconfirmed", false);
    await time.advance(poll);
    expect(row()?.seen).toBe("a/1");
  });

  it("follows the order of what was read: a reader that is always behind delays each by as much", async () => {
    const { time, open, revoke, row, readers } = await startNode();
    const { stream } = await open();
    const cursors: string[] = [];
    for (const id of ["1", "2", "3"]) {
      revoke(id);
      await time.advance(poll);
      await time.advance(0.01);
      cursors.push((await stream.take())[0]?.cursor ?? "");
    }
    expect(row()?.seen).toBe("a/0");
    readers.acknowledge("a", cursors[1] ?? "");
    await settled();
    expect(row()?.seen).toBe("a/2");
    revoke("4");
    await time.advance(poll);
    readers.acknowledge("a", cursors[2] ?? "");
    await settled();
    expect(row()?.seen).toBe("a/3");
  });

  it("is one for reads that bring nothing for which somebody waits", async () => {
    const { time, open, revoke, row, readers, database } = await startNode();
    const { stream } = await open();
    revoke("s");
    await time.advance(poll);
    await time.advance(0.01);
    const [frame] = await stream.take();
    for (let i = 0; i < 8; i++) {
      revoke(`${i}`, false);
      await time.advance(poll);
    }
    const before = database.count("acknowledge");
    readers.acknowledge("a", frame?.cursor ?? "");
    await settled();
    expect([row()?.seen, database.count("acknowledge") - before]).toEqual(["a/1", 1]);
  });

  it("doesn't come for an earlier registration, and comes again for the next one", async () => {
    const { time, open, revoke, row, readers, database, feed } = await startNode();
    const { stream } = await open();
    revoke("s");
    await time.advance(poll);
    await time.advance(0.01);
    const [frame] = await stream.take();
    const earlier = feed.nodeId();
    Object.assign(row() ?? {}, { isLeaving: true });
    await time.advance(poll);
    expect(feed.nodeId()).not.toBe(earlier);
    expect(row()?.seen).toBeNull();
    readers.acknowledge("a", frame?.cursor ?? "");
    await settled();
    expect(row()?.seen).toBe("a/1");
    expect(database.rows.get(earlier ?? "")?.seen).toBe("a/0");
  });

  it("of a node that was cut off waits for readers that still rely on it", async () => {
    const { time, open, revoke, row, database, feed } = await startNode({ maxStaleness: 1 });
    await open({ lease: 20_000 });
    database.failing.add("read");
    revoke("s");
    await time.advance(3);
    expect(feed.isFresh()).toBe(false);
    Object.assign(row() ?? {}, { isLeaving: true });
    database.failing.clear();
    await time.advance(1);
    expect([feed.isFresh(), row()?.seen]).toEqual([true, null]);
    await time.advance(toWait(20_000) / 1_000);
    expect(row()?.seen).toBe("a/1");
  });
});

describe("the lease that a node has for its readers", () => {
  it("is in the registry before the read begins on which the first frame relies", async () => {
    const { time, readers, request, database, row, feed } = await startNode();
    const { gate, open } = createGate();
    database.held.set("raiseLease", gate);
    let frame: PolledFrame | undefined;
    void readers.poll(request({ lease: 30_000 }), { wait: 0 }).then((polled) => {
      frame = polled;
    });
    // Meanwhile, the node itself reads as ever.
    await time.advance(2);
    expect([frame, feed.isFresh(), feed.staleness()]).toEqual([undefined, true, 0]);
    const reads = database.reads.length;
    const read = createGate();
    database.held.set("read", read.gate);
    open();
    await settled();
    expect(row()?.lease).toBe(toRegisteredLease(30_000));
    expect([frame, database.reads.length - reads]).toEqual([undefined, 1]);
    database.held.clear();
    read.open();
    await settled();
    await settled();
    expect(parseFrame(frame as PolledFrame)).toMatchObject({ isFull: true });
  });

  it("isn't raised again for a reader that needs less", async () => {
    const { readers, request, database } = await startNode();
    await readers.poll(request({ lease: 30_000 }), { wait: 0 });
    await readers.poll(request({ lease: 30_000 }), { wait: 0 });
    await readers.poll(request({ lease: 10_000 }), { wait: 0 });
    expect(database.count("raiseLease")).toBe(1);
  });

  it("doesn't count by a read that began before, although that ends later", async () => {
    const { time, readers, request, database } = await startNode();
    const { gate, open } = createGate();
    database.held.set("read", gate);
    await time.advance(poll);
    let frame: PolledFrame | undefined;
    void readers.poll(request({ lease: 30_000 }), { wait: 0 }).then((polled) => {
      frame = polled;
    });
    await settled();
    const next = createGate();
    database.held.set("read", next.gate);
    const reads = database.reads.length;
    open();
    await settled();
    expect([frame, database.count("raiseLease"), database.reads.length - reads]).toEqual([undefined, 1, 1]);
    next.open();
    await settled();
    await settled();
    expect(frame && parseFrame(frame)).toMatchObject({ isFull: true });
  });

  it("is that of the next registration if the node has been marked as leaving meanwhile", async () => {
    const { readers, request, row, database, feed } = await startNode();
    const earlier = feed.nodeId() ?? "";
    Object.assign(row() ?? {}, { isLeaving: true });
    await readers.poll(request({ lease: 30_000 }), { wait: 0 });
    expect(feed.nodeId()).not.toBe(earlier);
    const registered = toRegisteredLease(30_000);
    expect([row()?.lease, database.rows.get(earlier)?.lease]).toEqual([registered, 10_000]);
    expect(feed.longestLease()).toBe(registered);
  });

  it("refuses the reader if the database doesn't answer, and the node reads on", async () => {
    const { readers, request, database, time, feed } = await startNode();
    await readers.poll(request({ lease: 10_000 }), { wait: 0 });
    database.failing.add("raiseLease");
    await expect(readers.poll(request({ lease: 30_000 }), { wait: 0 })).rejects.toThrow();
    await readers.poll(request({ lease: 10_000 }), { wait: 0 });
    await time.advance(1);
    expect(feed.isFresh()).toBe(true);
  });

  it("stays in the registry when the node stops, as long as its readers may rely on it", async () => {
    const { readers, request, database, feed, time, row } = await startNode();
    const stopped = row();
    await readers.poll(request(), { wait: 0 });
    readers.stop();
    await feed.stop();
    expect(stopped).toMatchObject({ isLeaving: true, lease: toRegisteredLease(10_000) });
    expect(database.rows.size).toBe(1);

    const other = await startNode();
    await other.readers.poll(other.request(), { wait: 0 });
    await other.time.advance(toWait(10_000) / 1_000 + 0.001);
    other.readers.stop();
    await other.feed.stop();
    expect(other.database.rows.size).toBe(0);
    await time.advance(60);
    expect(time.pending).toBe(0);
  });
});

describe("the confirmation of a node's own revocation", () => {
  it("waits for the node's readers, which get it before the store is read again", async () => {
    const { time, open, revoke, readers, feed, database, confirm } = await startNode();
    const { stream } = await open();
    const position = revoke("s");
    feed.apply([database.entries.at(-1) as never]);
    const confirmation = confirm(position);
    await time.advance(0.002);
    const [frame] = await stream.take();
    expect(frame).toMatchObject({ isAwaited: true, count: 1 });
    await time.advance(poll);
    expect(await stream.take()).toEqual([]);
    expect(confirmation.result).toBeUndefined();
    readers.acknowledge("a", frame?.cursor ?? "");
    await settled();
    await time.advance(0);
    expect(confirmation.result).toBe("acks");
  });

  it("comes by expiry if a reader with a longer lease than the node is silent", async () => {
    const { time, open, revoke, feed, database, confirm, row } = await startNode({ maxStaleness: 1 });
    await open({ lease: 20_000, reader: undefined });
    const lease = row()?.lease as number;
    expect(lease).toBeGreaterThan(20_000);
    const position = revoke("s");
    feed.apply([database.entries.at(-1) as never]);
    const confirmation = confirm(position);
    await time.advance(toWait(20_000) / 1_000 - 0.5);
    expect(confirmation.result).toBeUndefined();
    await time.advance(1 + (toWait(lease) - toWait(20_000)) / 1_000);
    expect(["acks", "expiry"]).toContain(confirmation.result);
  });
});

describe("a confirmation by another process", () => {
  it.each(["stream", "poll"] as const)("doesn't take a node for silent whose reader by %s is", async (kind) => {
    const { time, clock, database, open, readers, request, revoke, row } = await startNode();
    if (kind === "stream") await open();
    else await readers.poll(request(), { wait: 0 });
    const { confirm } = createConfirmer({
      ...{ nodes: database.nodes, clock, schedule: time.schedule, nodeId: () => null },
    });
    let result: Confirmation | undefined;
    void confirm(revoke("s")).then((confirmation) => {
      result = confirmation;
    });
    database.wake(true);
    await time.advance(toWait(10_000) / 1_000 - 0.1);
    expect(result).toBeUndefined();
    await time.advance(0.6);
    expect([result, row()?.isLeaving]).toEqual(["acks", false]);
  });
});

describe("a reload of the feed", () => {
  it("sends nothing to readers that they have", async () => {
    const { time, open, revoke, database, log } = await startNode();
    for (let i = 0; i < 250; i++) revoke(`${i}`, false);
    await time.advance(poll);
    const { stream, first } = await open();
    expect(first?.count).toBe(250);
    const { end } = log;
    database.incarnation = "b";
    await time.advance(1);
    await settled();
    expect(log.end).toBe(end);
    expect((await stream.take()).every(({ count }) => count === 0)).toBe(true);
    revoke("new");
    await time.advance(poll);
    await time.advance(0.01);
    expect((await stream.take()).flatMap(({ records }) => records)).toHaveLength(1);
  });
});
