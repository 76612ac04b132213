/**
 * How long `tokenpair serve` takes from its start as a process until it says that it is ready, and how much memory it then
 * has resident: with nothing to load, and with the revocations of an installation that is very busy.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { postgresStore } from "../src/store/postgres/index.ts";
import { sqliteStore } from "../src/store/sqlite/index.ts";
import { startPostgres } from "../test/support/postgres.ts";
import type { Contender } from "./harness/comparison.ts";
import type { Harness } from "./harness/harness.ts";
import { toFigure } from "./harness/markdown.ts";
import { signingKey } from "./refresh/crowd.ts";

const root = join(import.meta.dirname, "..");
const main = join(root, "dist/cli/main.js");

export async function run(harness: Harness): Promise<void> {
  const revocations = harness.quick ? 100_000 : 1_000_000;
  const many = `${toFigure(revocations)} revocations`;
  execFileSync("npm", ["run", "build"], { cwd: root, stdio: "ignore" });
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-bench-"));
  const postgres = await startPostgres();
  try {
    const [smallFile, largeFile] = [join(folder, "small.db"), join(folder, "large.db")];
    await fillSqlite(smallFile, 0);
    await fillSqlite(largeFile, revocations);
    await fillPostgres(postgres.url, "small", 0);
    await fillPostgres(postgres.url, "large", revocations);
    await harness.compare({
      title: "From the start of the process until it is ready",
      columns: ["ms", "MiB resident"],
      better: "lower",
      baseline: "SQLite, empty",
      contenders: {
        "Node alone": () => measureStart(["-e", "setInterval(() => {}, 1000); console.log('is ready')"], {}),
        "SQLite, empty": serve({ TOKENPAIR_DATABASE_URL: `sqlite:${smallFile}` }),
        [`SQLite, ${many}`]: serve({ TOKENPAIR_DATABASE_URL: `sqlite:${largeFile}` }),
        "PostgreSQL, empty": serve({ TOKENPAIR_DATABASE_URL: postgres.url, TOKENPAIR_DATABASE_SCHEMA: "small" }),
        [`PostgreSQL, ${many}`]: serve({ TOKENPAIR_DATABASE_URL: postgres.url, TOKENPAIR_DATABASE_SCHEMA: "large" }),
      },
    });
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const serve =
  (env: Readonly<Record<string, string>>): Contender =>
  () =>
    measureStart([main, "serve", "--port", "0"], {
      TOKENPAIR_SIGNING_KEY: signingKey,
      TOKENPAIR_METRICS_PORT: "0",
      TOKENPAIR_LOG_LEVEL: "error",
      ...env,
    });

/** One start, whose process then ends. */
async function measureStart(args: readonly string[], env: Readonly<Record<string, string>>) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  await waitUntilReady(child);
  const ms = performance.now() - startedAt;
  const residentKiB = Number(execFileSync("ps", ["-o", "rss=", "-p", `${child.pid}`], { encoding: "utf8" }));
  const exited = once(child, "exit");
  child.kill();
  await exited;
  return { ms, "MiB resident": residentKiB / 1024 };
}

/** @throws Error where the process ends instead. */
async function waitUntilReady({ stdout, stderr }: ChildProcess): Promise<void> {
  let errors = "";
  stderr?.on("data", (text) => {
    errors += text;
  });
  for await (const text of stdout ?? []) if (`${text}`.includes("is ready")) return;
  throw new Error(`the server ended before it was ready: ${errors}`);
}

/** Sessions that were revoked just now, written as the store writes them. */
async function fillSqlite(path: string, revocations: number): Promise<void> {
  const store = sqliteStore(path);
  await store.migrate();
  await store.close();
  const database = new DatabaseSync(path);
  database.exec(
    `WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${revocations})
    INSERT INTO revocations (kind, key, at, appended_ms)
    SELECT 'session', printf('0198c0de-0000-7000-8000-%012x', i), unixepoch(), unixepoch() * 1000
    FROM numbers WHERE ${revocations} > 0`,
  );
  database.close();
}

/** As `fillSqlite`, in a schema. */
async function fillPostgres(url: string, schema: string, revocations: number): Promise<void> {
  const store = postgresStore({ connectionString: url, schema });
  await store.migrate();
  await store.close();
  const admin = new pg.Client(url);
  await admin.connect();
  await admin.query(
    `INSERT INTO ${schema}.revocations (kind, key, at)
    SELECT 'session', '0198c0de-0000-7000-8000-' || lpad(to_hex(i), 12, '0'), extract(epoch FROM now())
    FROM generate_series(1, $1::int) AS i`,
    [revocations],
  );
  await admin.query(`VACUUM (ANALYZE) ${schema}.revocations`);
  await admin.end();
}
