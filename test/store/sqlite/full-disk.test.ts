import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { AuthEvent } from "../../../src/events/events.ts";
import { createStoreMonitor } from "../../../src/flows/store-monitor.ts";
import { createSqliteConnection } from "../../../src/store/sqlite/connection/connection.ts";
import { migrate } from "../../../src/store/sqlite/schema/migrate.ts";
import { createThrottleStore } from "../../../src/store/sqlite/throttle.ts";
import { createWriteProbe } from "../../../src/store/sqlite/write-probe.ts";
import { createManualTime, settled } from "../../support/manual-time.ts";

/** Opens a database that can be made full, with a monitor whose time the test moves. */
async function open() {
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-full-"));
  const time = createManualTime();
  const database = new DatabaseSync(join(folder, "full.db"));
  const connection = createSqliteConnection(database, {
    now: time.clock.now,
    busyTimeout: 100,
    incarnation: "file",
    isFileGone: () => false,
  });
  await migrate(connection);
  const events: AuthEvent[] = [];
  const monitor = createStoreMonitor({
    writes: createWriteProbe(connection),
    clock: time.clock,
    emit: (event) => void events.push(event),
    schedule: time.schedule,
  });
  onTestFinished(async () => {
    await monitor.stop();
    connection.close();
    rmSync(folder, { recursive: true });
  });
  const throttle = createThrottleStore(connection);
  let rows = 0;
  const count = { failures: 1, lastAt: 0, expiresAt: null };
  return {
    monitor,
    events,
    time,
    /** Writes a row that needs new pages, more than a probe leaves free. */
    write() {
      rows += 1;
      const key = `${rows}`.padEnd(400_000, "x");
      return throttle.decide([key], () => ({ result: null, changes: new Map([[key, count]]) }));
    },
    fill: () => database.exec("PRAGMA max_page_count = 1"),
    free: () => database.exec("PRAGMA max_page_count = 1000000"),
  };
}

it("probes a store only after a write has failed, and every second until one probe succeeds", async () => {
  const { monitor, events, time, write, fill, free } = await open();
  await write();
  expect([time.pending, await monitor.check()]).toEqual([0, true]);
  fill();
  await expect(write()).rejects.toThrow(StoreUnavailableError);
  expect(await monitor.check()).toBe(false);
  const reason = "writes.probe: SQLITE_FULL, the disk is full";
  expect(events).toEqual([{ type: "store_unwritable", time: time.clock.now(), reason }]);
  await time.advance(3);
  expect([monitor.isWritable(), events.length]).toEqual([false, 1]);
  free();
  expect(await monitor.check()).toBe(false);
  await time.advance(1);
  expect(events.slice(1)).toEqual([{ type: "store_recovered", time: time.clock.now() }]);
  expect([time.pending, await monitor.check()]).toEqual([0, true]);
});

it("says nothing of a write that failed if the probe succeeds, and probes at most once a second", async () => {
  const { monitor, events, time, write, fill, free } = await open();
  const failOnce = async () => {
    fill();
    await expect(write()).rejects.toThrow("SQLITE_FULL");
    free();
  };
  await failOnce();
  expect(time.pending).toBe(1);
  await time.advance(0);
  await failOnce();
  await time.advance(0.5);
  expect(time.pending).toBe(1);
  await time.advance(0.5);
  await settled();
  expect([time.pending, await monitor.check(), events]).toEqual([0, true, []]);
});

it("writes no probe after it was stopped", async () => {
  const { monitor, events, time, write, fill } = await open();
  await monitor.stop();
  fill();
  await expect(write()).rejects.toThrow("SQLITE_FULL");
  expect([time.pending, await monitor.check(), events]).toEqual([0, true, []]);
});
