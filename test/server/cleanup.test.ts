import { describe, expect, it, onTestFinished } from "vitest";
import type { DeletedCounts } from "../../src/core/store/index.ts";
import { startCleanup } from "../../src/server/cleanup.ts";

/** A cleanup every millisecond over a store that answers `batches` one after the other, and then that nothing is left. */
function start(batches: (DeletedCounts | Error)[], { held }: { held?: Promise<void> } = {}) {
  const done: DeletedCounts[] = [];
  const errors: unknown[] = [];
  const seen = { calls: 0 };
  const cleanup = startCleanup({
    store: {
      async deleteExpired({ limit, horizon, auditHorizon }) {
        seen.calls += 1;
        expect([limit, horizon > 86_400, auditHorizon]).toEqual([1_000, true, 90 * 86_400]);
        await held;
        const batch = batches.shift() ?? { sessions: 0, revocations: 0, failures: 0, auditEntries: 0 };
        if (batch instanceof Error) throw batch;
        return batch;
      },
    },
    auditRetention: 90,
    interval: 0.001,
    onDone: (deleted) => done.push(deleted),
    onError: (error) => errors.push(error),
    random: () => 0,
  });
  onTestFinished(() => cleanup.stop());
  return { cleanup, done, errors, seen };
}

describe("the server's cleanup", () => {
  it("runs again and again, each time in batches until nothing is left", async () => {
    const { done } = start([
      { sessions: 1_000, revocations: 3, failures: 0, auditEntries: 0 },
      { sessions: 12, revocations: 0, failures: 0, auditEntries: 0 },
      { sessions: 1, revocations: 0, failures: 0, auditEntries: 0 },
    ]);
    await expect.poll(() => done.length).toBeGreaterThanOrEqual(3);
    expect(done.slice(0, 3)).toEqual([
      { sessions: 1_012, revocations: 3, failures: 0, auditEntries: 0 },
      { sessions: 1, revocations: 0, failures: 0, auditEntries: 0 },
      { sessions: 0, revocations: 0, failures: 0, auditEntries: 0 },
    ]);
  });

  it("says so when it fails, and tries again", async () => {
    const error = new Error("the database is away");
    const { done, errors } = start([error, { sessions: 5, revocations: 0, failures: 0, auditEntries: 0 }]);
    await expect.poll(() => done).toContainEqual({ sessions: 5, revocations: 0, failures: 0, auditEntries: 0 });
    expect(errors).toEqual([error]);
  });

  it("stops after the batch that is under way", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { cleanup, seen, done } = start([{ sessions: 1_000, revocations: 0, failures: 0, auditEntries: 0 }], {
      held,
    });
    await expect.poll(() => seen.calls).toBe(1);
    const stopped = cleanup.stop();
    release();
    await stopped;
    expect(done).toEqual([{ sessions: 1_000, revocations: 0, failures: 0, auditEntries: 0 }]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(seen.calls).toBe(1);
  });
});
