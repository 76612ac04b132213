import { describe, expect, it } from "vitest";
import type { FeedBatch, FeedPlace, Revocation } from "../../../src/core/revocation.ts";
import type { FeedRead } from "../../../src/core/store/feed.ts";
import { createFeedLog } from "../../../src/revocation/readers/feed-log.ts";
import { type FeedRecord, readRecord, recordLength, toFingerprint } from "../../../src/revocation/readers/frame.ts";
import { createManualTime, settled } from "../../support/manual-time.ts";
import { createGate, createTestDatabase } from "../test-database.ts";

const day = 86_400;

function createTestFeedLog() {
  const time = createManualTime();
  const database = createTestDatabase(time);
  const state = { globalEpoch: 0 };
  const feedLog = createFeedLog({ store: database.feed, clock: time.clock, globalEpoch: () => state.globalEpoch });
  const { log } = feedLog;
  let cursor: string | null = null;
  /** Lets the node read what is new, as its feed does. */
  async function readOn(): Promise<FeedBatch> {
    const options: FeedRead = { after: cursor, since: 0, nodeId: null, beat: false, timeout: null };
    const batch = await database.feed.read(options);
    cursor = batch.cursor;
    feedLog.read(batch);
    return batch;
  }
  const toRecords = (bytes: Uint8Array): FeedRecord[] => {
    const view = new DataView(bytes.buffer);
    return Array.from({ length: bytes.length / recordLength }, (_, index) => readRecord(view, index * recordLength));
  };
  const latest = (after = 0) => toRecords(log.copyAfter(after));
  const now = time.clock.now();
  const knows = (sessionId: string) =>
    toRecords(log.copyAll()).some(({ fingerprint }) => fingerprint === toFingerprint("s", sessionId));
  return { time, database, feedLog, log, state, readOn, latest, knows, now };
}

const session = (sessionId: string, at: number, more: Partial<Revocation> = {}) =>
  ({ kind: "session", sessionId, at, until: at + 300, ...more }) as Revocation;

describe("the log for readers", () => {
  it("is empty until the first reader comes, and then has what was read, is read and is committed", async () => {
    const { database, feedLog, log, readOn, knows, now } = createTestFeedLog();
    database.revoke("a", { until: now + 300 });
    await readOn();
    feedLog.committed([session("b", now)]);
    expect(log.end).toBe(0);
    database.revoke("b", { until: now + 300 });
    const { gate, open } = createGate();
    database.held.set("read", gate);
    const prepared = Promise.all([feedLog.prepare(), feedLog.prepare()]);
    await settled();
    feedLog.committed([session("c", now)]);
    database.held.clear();
    database.revoke("d", { until: now + 300 });
    await readOn();
    expect(log.place()).toBeNull();
    open();
    await prepared;
    expect(["a", "b", "c", "d"].map(knows)).toEqual([true, true, true, true]);
    expect(log.place()?.horizon).toBe(3n);
    // The node's own read, and one more.
    expect(database.count("read")).toBe(3);
    await feedLog.prepare();
    expect(database.count("read")).toBe(3);
  });

  it("reads every batch from the beginning, with what readers need whose leeway is long", async () => {
    const { database, feedLog, log, now } = createTestFeedLog();
    for (let i = 0; i < 1_250; i++) database.revoke(`s${i}`, { until: now + 300 });
    database.revoke("old", { until: now - 361 });
    await feedLog.prepare();
    expect(log.size).toBe(1_250);
    expect(database.reads).toHaveLength(13);
    expect(database.reads[0]).toMatchObject({
      after: null,
      since: now - 360,
      nodeId: null,
      beat: false,
      timeout: null,
    });
  });

  it("notes how far the store was read, once it is complete, and only after the last batch of a read", async () => {
    const { database, feedLog, log, readOn, now } = createTestFeedLog();
    await feedLog.prepare();
    expect(log.place()?.horizon).toBe(1n);
    for (let i = 0; i < 150; i++) database.revoke(`s${i}`, { until: now + 300 });
    expect((await readOn()).more).toBe(true);
    expect(log.place()?.horizon).toBe(1n);
    await readOn();
    expect(log.place()?.horizon).toBe(151n);
  });

  it("begins again if the database was replaced during the load", async () => {
    const { database, feedLog, log, now, knows } = createTestFeedLog();
    for (let i = 0; i < 150; i++) database.revoke(`s${i}`, { until: now + 300 });
    const { gate, open } = createGate();
    database.held.set("read", gate);
    const prepared = feedLog.prepare();
    await settled();
    database.isCursorLost = true;
    open();
    await prepared;
    expect(database.reads.map(({ after }) => after)).toEqual([null, "a/100", null, "a/100"]);
    expect([log.size, knows("s149")]).toEqual([150, true]);
  });

  it("is read again when the feed begins again, sends nothing twice, and keeps its place until it is complete", async () => {
    const { database, feedLog, log, readOn, now, knows } = createTestFeedLog();
    for (let i = 0; i < 50; i++) database.revoke(`s${i}`, { until: now + 300 });
    await feedLog.prepare();
    const { end } = log;
    const before = log.place();
    // The read of the feed leaves out what this node doesn't need, but readers do.
    database.incarnation = "b";
    database.revoke("new", { until: now - 300 });
    feedLog.restarted();
    const { gate, open } = createGate();
    database.held.set("read", gate);
    const place: FeedPlace = { history: "b", horizon: 52n };
    feedLog.read({ ...(await toEmptyBatch()), place });
    await settled();
    expect(log.place()).toEqual(before);
    open();
    await feedLog.prepare();
    expect(log.end).toBe(end + 1);
    expect(knows("new")).toBe(true);
    expect(log.place()).not.toEqual(before);
    await readOn();

    async function toEmptyBatch(): Promise<FeedBatch> {
      database.held.clear();
      const batch = await database.feed.read({ after: "b/51", since: 0, nodeId: null, beat: false, timeout: null });
      database.held.set("read", gate);
      return batch;
    }
  });

  it("tries again with the next reader and the next read if a load fails", async () => {
    const { database, feedLog, readOn, knows, now } = createTestFeedLog();
    database.revoke("a", { until: now + 300 });
    database.failing.add("read");
    await expect(feedLog.prepare()).rejects.toThrow();
    database.failing.clear();
    await feedLog.prepare();
    expect(knows("a")).toBe(true);

    feedLog.restarted();
    database.failing.add("read");
    await expect(feedLog.prepare()).rejects.toThrow();
    database.failing.clear();
    const reads = database.count("read");
    await readOn();
    await settled();
    await settled();
    expect(database.count("read")).toBe(reads + 2);
    await feedLog.prepare();
    expect(database.count("read")).toBe(reads + 2);
  });

  it("frees what no reader needs any more, when the feed says so", async () => {
    const { feedLog, log, time, now } = createTestFeedLog();
    await feedLog.prepare();
    feedLog.committed([session("a", now)]);
    await time.advance(661);
    expect(log.size).toBe(1);
    for (let i = 0; i < 60; i++) feedLog.swept();
    expect(log.size).toBe(0);
  });
});

describe("the records of a revocation", () => {
  it.each<readonly [string, (now: number) => Revocation, (now: number) => readonly FeedRecord[]]>([
    [
      "a session",
      (now) => session("s1", now),
      (now) => [{ fingerprint: toFingerprint("s", "s1"), until: now + 300, value: 1 }],
    ],
    [
      "a token",
      (now) => ({ kind: "token", tokenId: "t1", at: now, until: now + 20 }),
      (now) => [{ fingerprint: toFingerprint("t", "t1"), until: now + 20, value: 1 }],
    ],
    [
      "a user",
      (now) => ({ kind: "user", userId: "7", epoch: 3, at: now, until: now + 300 }),
      (now) => [{ fingerprint: toFingerprint("u", "7"), until: now + 300, value: 3 }],
    ],
    [
      "a user's other sessions",
      (now) => ({ kind: "user", userId: "7", epoch: 3, except: "s1", at: now, until: now + 300 }),
      (now) => [
        { fingerprint: toFingerprint("x", "s1"), until: now + 300, value: 3 },
        { fingerprint: toFingerprint("u", "7"), until: now + 300, value: 3 },
      ],
    ],
    [
      "everything",
      (now) => ({ kind: "all", epoch: 9, at: now, until: now + 300 }),
      (now) => [{ fingerprint: toFingerprint("a", ""), until: now + 300, value: 9 }],
    ],
    [
      "everything, as the installation's row says",
      () => ({ kind: "all", epoch: 9, at: 0 }),
      (now) => [{ fingerprint: toFingerprint("a", ""), until: now + day, value: 9 }],
    ],
    ["everything by version 0.1", (now) => ({ kind: "all", at: now }), () => []],
    [
      "a session by version 0.1",
      (now) => ({ kind: "session", sessionId: "s1", at: now }),
      (now) => [{ fingerprint: toFingerprint("s", "s1"), until: now + day, value: 1 }],
    ],
  ])("of %s are these", async (_, toRevocation, toRecords) => {
    const { feedLog, latest, now } = createTestFeedLog();
    await feedLog.prepare();
    feedLog.committed([toRevocation(now)]);
    expect(latest()).toEqual(toRecords(now));
  });

  it("say whether somebody waits for them", async () => {
    const { feedLog, log, now } = createTestFeedLog();
    await feedLog.prepare();
    feedLog.committed([session("a", now, { confirm: true })]);
    feedLog.committed([session("b", now)]);
    expect([log.lastAwaited, log.end]).toEqual([1, 2]);
  });

  it("include the global epoch of the installation when the log is built: its entry may be gone", async () => {
    const { feedLog, latest, state, now } = createTestFeedLog();
    state.globalEpoch = 4;
    await feedLog.prepare();
    expect(latest()).toEqual([{ fingerprint: toFingerprint("a", ""), until: now + day, value: 4 }]);
  });
});
