import { describe, expect, it, onTestFinished } from "vitest";
import type { DeletedCounts } from "../../src/core/store/index.ts";
import { startCleanup } from "../../src/server/cleanup.ts";
import { createManualTime } from "../support/manual-time.ts";

const counts = (sessions: number, revocations = 0): DeletedCounts => ({
  sessions,
  revocations,
  failures: 0,
  auditEntries: 0,
  legacyTokens: 0,
  loginTickets: 0,
});

interface Options {
  /** Holds back every batch while it is pending. */
  readonly held?: Promise<void>;
  /** The random numbers, in order; 0 after the last. */
  readonly randoms?: number[];
}

/** A cleanup every 100 s over a store that deletes `batches`, one after the other, and then nothing. */
function start(batches: (DeletedCounts | Error)[], { held, randoms = [] }: Options = {}) {
  const time = createManualTime();
  const done: DeletedCounts[] = [];
  const errors: unknown[] = [];
  const startedAt: number[] = [];
  const cleanup = startCleanup({
    store: {
      async deleteExpired({ limit, horizon, auditHorizon }) {
        startedAt.push(time.clock.monotonic() / 1000);
        expect([limit, horizon >= 86_400, auditHorizon]).toEqual([1_000, true, 90 * 86_400]);
        await held;
        const batch = batches.shift() ?? counts(0);
        if (batch instanceof Error) throw batch;
        return batch;
      },
    },
    auditRetention: 90,
    interval: 100,
    onDone: (deleted) => done.push(deleted),
    onError: (error) => errors.push(error),
    random: () => randoms.shift() ?? 0,
    schedule: time.schedule,
  });
  onTestFinished(() => cleanup.stop());
  return { cleanup, done, errors, startedAt, time };
}

describe("the server's cleanup", () => {
  it("runs again and again, each time in batches until nothing is left", async () => {
    const { done, time } = start([counts(1_000, 3), counts(12), counts(1)]);
    await time.advance(0);
    await expect.poll(() => time.pending).toBe(1);
    await time.advance(180);
    expect(done).toEqual([counts(1_012, 3), counts(1), counts(0)]);
  });

  it("runs first at a random time within the interval, and then every interval ±10 %", async () => {
    const { startedAt, time } = start([], { randoms: [0.25, 0, 0.5, 1, 0.5] });
    await time.advance(400);
    expect(startedAt).toEqual([25, 115, 215, 325]);
  });

  it("reports a run that failed, and runs again after the usual interval", async () => {
    const error = new Error("the database is away");
    const { done, errors, startedAt, time } = start([error, counts(5)], { randoms: [0, 0.5] });
    await time.advance(100);
    expect(errors).toEqual([error]);
    expect(done).toEqual([counts(5)]);
    expect(startedAt).toEqual([0, 100]);
  });

  it("stops after the batch in flight", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { cleanup, startedAt, done, time } = start([counts(1_000)], { held });
    await time.advance(0);
    const stopped = cleanup.stop();
    release();
    await stopped;
    expect(done).toEqual([counts(1_000)]);
    expect(time.pending).toBe(0);
    await time.advance(1_000);
    expect(startedAt).toEqual([0]);
  });

  it("doesn't report the failure of a batch that was in flight when it was stopped", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { cleanup, errors, time } = start([new Error("the store was closed")], { held });
    await time.advance(0);
    const stopped = cleanup.stop();
    release();
    await stopped;
    expect(errors).toEqual([]);
  });
});
