/**
 * Refreshes a second and how long one takes, by how many are in flight and how many sessions there are: the store's part of
 * it, the whole of it through the library, and through HTTP with a server in a process of its own. Every change is on the
 * disk before it is answered: PostgreSQL with `fsync`, SQLite with `synchronous = FULL`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresStore } from "../src/store/postgres/index.ts";
import { sqliteStore } from "../src/store/sqlite/index.ts";
import { startPostgres } from "../test/support/postgres.ts";
import type { Contender } from "./harness/comparison.ts";
import type { Harness } from "./harness/harness.ts";
import { toFigure } from "./harness/markdown.ts";
import { type Child, startChild } from "./http/child.ts";
import { fillPostgres, fillSqlite } from "./refresh/crowd.ts";
import { createLane, drive, type Lane, type Refresh, rates } from "./refresh/drive.ts";
import { createPgbench, hasPgbench, openLoop } from "./refresh/one-row.ts";
import { openLibrary, refreshByHttp, refreshByStore } from "./refresh/ours.ts";
import { openInPostgres, openInSqlite } from "./refresh/two-inserts.ts";

/** How many sessions there are, and how many refreshes are under way at a time. */
const sizes = [10_000, 1_000_000];
const inFlightCounts = [1, 16, 64, 256];

export async function run(harness: Harness): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-bench-"));
  try {
    for (const sessions of sizes) await compareOnSqlite(harness, folder, sessions);
    const postgres = await startPostgres({
      fsync: "on",
      max_connections: "400",
      shared_buffers: "1GB",
      max_wal_size: "8GB",
    });
    try {
      if (!hasPgbench()) harness.note("pgbench is not installed: the baseline is the same statement by `pg`.");
      for (const sessions of sizes) await compareOnPostgres(harness, postgres.url, folder, sessions);
    } finally {
      await postgres.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const toSeconds = ({ roundTime }: Harness) => (roundTime * 3) / 1_000;
const toTitle = (database: string, sessions: number, inFlight: number) =>
  `${database}, ${toFigure(sessions)} sessions, ${inFlight} in flight`;

/** Something that refreshes, and the sessions in which it is alone. */
type Contestants = Readonly<Record<string, { readonly refresh: Refresh; readonly lane: Lane }>>;

function toContenders(harness: Harness, contestants: Contestants, inFlight: number): Record<string, Contender> {
  const seconds = toSeconds(harness);
  return Object.fromEntries(
    Object.entries(contestants).map(([name, { refresh, lane }]) => [name, drive(refresh, lane, inFlight, seconds)]),
  );
}

async function compareOnPostgres(harness: Harness, url: string, folder: string, sessions: number): Promise<void> {
  const schema = `refresh_${sessions}`;
  const store = postgresStore({ connectionString: url, schema });
  await store.migrate();
  await fillPostgres(url, schema, sessions);
  const { auth, refresh: byLibrary } = await openLibrary(store);
  const loop = openLoop(url, schema);
  const simplejwt = await openInPostgres(url, schema, sessions);
  const server = startChild("../refresh/serve.ts", "postgres", url, schema);
  try {
    const contestants = {
      "tokenpair, store": { refresh: refreshByStore(store), lane: createLane(0, sessions) },
      "tokenpair, library": { refresh: byLibrary, lane: createLane(1, sessions) },
      "tokenpair, HTTP": { refresh: await openHttp(server), lane: createLane(2, sessions) },
      "one row each, pg": { refresh: loop.refresh, lane: createLane(3, sessions) },
      "two inserts each, pg": { refresh: simplejwt.refresh, lane: createLane(0, sessions) },
    };
    const pgbench = hasPgbench() ? createPgbench(url, schema, folder, 3, sessions) : null;
    const baseline = pgbench === null ? "one row each, pg" : "one row each, pgbench";
    for (const inFlight of inFlightCounts) {
      const contenders = toContenders(harness, contestants, inFlight);
      if (pgbench !== null) contenders[baseline] = pgbench(inFlight);
      const title = toTitle("PostgreSQL", sessions, inFlight);
      const results = await harness.compare({ title, ...rates, baseline, contenders });
      const wanted = new Map([
        [1, 0.7],
        [64, 2.5],
      ]).get(inFlight);
      if (wanted !== undefined) harness.goal(`store against ${baseline}`, results.ratio("tokenpair, store"), wanted);
    }
  } finally {
    await server.stop();
    await auth.close();
    await Promise.all([loop.end(), simplejwt.end(), store.close()]);
  }
}

async function compareOnSqlite(harness: Harness, folder: string, sessions: number): Promise<void> {
  const path = join(folder, `${sessions}.db`);
  const store = sqliteStore(path);
  await store.migrate();
  fillSqlite(path, sessions);
  const { auth, refresh: byLibrary } = await openLibrary(store);
  const simplejwt = openInSqlite(join(folder, `${sessions}-inserts.db`), sessions);
  const server = startChild("../refresh/serve.ts", "sqlite", path);
  try {
    const contestants = {
      "tokenpair, store": { refresh: refreshByStore(store), lane: createLane(0, sessions) },
      "tokenpair, library": { refresh: byLibrary, lane: createLane(1, sessions) },
      "tokenpair, HTTP": { refresh: await openHttp(server), lane: createLane(2, sessions) },
      "two inserts each": { refresh: simplejwt.refresh, lane: createLane(3, sessions) },
    };
    for (const inFlight of inFlightCounts) {
      const contenders = toContenders(harness, contestants, inFlight);
      const title = toTitle("SQLite", sessions, inFlight);
      const results = await harness.compare({ title, ...rates, baseline: "two inserts each", contenders });
      if (inFlight === 64) harness.goal("refreshes a second by the store", results.figure("tokenpair, store"), 10_000);
    }
  } finally {
    await server.stop();
    await auth.close();
    simplejwt.end();
    await store.close();
  }
}

async function openHttp(server: Child): Promise<Refresh> {
  return refreshByHttp((await server.ask<{ readonly port: number }>()).port);
}
