/**
 * Whether refreshing makes a table grow, or slow: one million sessions, each refreshed ten times, beside ten thousand with
 * the same history in the same server.
 *
 * As that makes ten million rotations, they come in batches of SQL with the SET clause of a refresh. On top of them, a tenth
 * of the sessions is refreshed through the store, and so is everything that is timed. Autovacuum is on, with the settings of
 * our migrations.
 */
import { startPostgres } from "../test/support/postgres.ts";
import type { Contender } from "./harness/comparison.ts";
import type { Harness } from "./harness/harness.ts";
import { toFigure } from "./harness/markdown.ts";
import { type Crowd, createCrowd, inParallel, pickDistinct } from "./harness/sessions.ts";
import { quantile } from "./harness/statistics.ts";

const concurrency = 8;

export async function run(harness: Harness): Promise<void> {
  const sizes = harness.quick ? { small: 5_000, large: 50_000 } : { small: 10_000, large: 1_000_000 };
  const postgres = await startPostgres({ max_wal_size: "8GB", shared_buffers: "1GB" });
  try {
    const small = await createCrowd(postgres.url, "small", sizes.small, sizes.small / 2);
    const large = await createCrowd(postgres.url, "large", sizes.large, sizes.large / 2);
    const before = await readSize(large);
    for (const crowd of [small, large]) {
      // The sessions are made as after a first refresh.
      for (let refreshes = 1; refreshes < 10; refreshes++) await crowd.rotateAll();
      await refresh(crowd, pickDistinct(crowd.sessions / 10, crowd.sessions));
    }
    reportSize(harness, sizes.large, before, await readSize(large));
    await compare(harness, small, large);
    for (const crowd of [small, large]) await crowd.close();
  } finally {
    await postgres.stop();
  }
}

async function compare(harness: Harness, small: Crowd, large: Crowd): Promise<void> {
  const names = [small, large].map(({ sessions }) => `${sessions.toLocaleString("en")} sessions`) as [string, string];
  const results = await harness.compare({
    title: `Refreshes through the store, ${concurrency} at a time`,
    columns: ["ms", "p99 ms", "refreshes/s"],
    better: "lower",
    baseline: names[0],
    contenders: { [names[0]]: toContender(small), [names[1]]: toContender(large) },
  });
  harness.goal("time of a refresh among few, as a share of that among many", results.ratio(names[1]), 0.67);
}

/** Five hundred refreshes of sessions from all over the table. */
function toContender(crowd: Crowd): Contender {
  return async () => {
    const startedAt = performance.now();
    const times = await refresh(crowd, pickDistinct(500, crowd.sessions));
    const seconds = (performance.now() - startedAt) / 1000;
    return { ms: quantile(times, 0.5), "p99 ms": quantile(times, 0.99), "refreshes/s": times.length / seconds };
  };
}

/** Refreshes each of `numbers` once. Their times in milliseconds, sorted. */
async function refresh(crowd: Crowd, numbers: readonly number[]): Promise<readonly number[]> {
  const times: number[] = [];
  await inParallel(numbers, concurrency, async (i) => {
    const startedAt = performance.now();
    await crowd.rotate(i);
    times.push(performance.now() - startedAt);
  });
  return times.sort((a, b) => a - b);
}

interface Size {
  readonly rows: number;
  readonly table: number;
  readonly indexes: number;
  readonly updates: number;
  readonly hot: number;
}

async function readSize({ admin, schema }: Crowd): Promise<Size> {
  await admin.query("SELECT pg_stat_force_next_flush()");
  const { rows } = await admin.query(
    `SELECT (SELECT count(*) FROM ${schema}.sessions)::int AS rows, pg_table_size(relid)::float8 AS table,
      pg_indexes_size(relid)::float8 AS indexes, n_tup_upd::int AS updates, n_tup_hot_upd::int AS hot
    FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = 'sessions'`,
    [schema],
  );
  return rows[0];
}

function reportSize(harness: Harness, sessions: number, before: Size, after: Size): void {
  const toMiB = (bytes: number) => toFigure(bytes / 2 ** 20);
  const row = (name: string, { rows, table, indexes }: Size) => [
    name,
    rows.toLocaleString("en"),
    toMiB(table),
    toMiB(indexes),
  ];
  const title = `${sessions.toLocaleString("en")} sessions, each refreshed ten times`;
  harness.table(
    title,
    ["", "rows", "table MiB", "indexes MiB"],
    [row("before", before), row("after", after), ["growth", "", ...growth(before, after)]],
  );
  const share = (100 * (after.hot - before.hot)) / (after.updates - before.updates);
  harness.note(`${toFigure(share)} % of the updates were HOT.`);
}

const growth = (before: Size, after: Size) =>
  [after.table / before.table, after.indexes / before.indexes].map((factor) => `× ${factor.toFixed(2)}`);
