import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Settings } from "../../src/core/settings/settings.ts";
import { type Auth, createAuth } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { childEnvironment } from "../support/child-environment.ts";
import { longTimeouts } from "../support/long-timeouts.ts";
import { currentMain, type ServerProcess, startServer } from "../support/server-process.ts";
import type { Auth01, Release } from "./version-0-1.ts";

/** A version of tokenpair that can run as a process. */
export type Version = "0.1" | "today";

type Environment = Readonly<Record<string, string>>;

/** Processes of two versions over one database. */
export interface Cluster {
  /** The HMAC signing key of all processes. */
  readonly signingKey: string;
  /** Starts `tokenpair serve`, which applies its pending migrations. */
  start(version: Version, more?: Environment): Promise<ServerProcess>;
  /** Runs a command of the command line and returns what it printed. @throws Error if it fails. */
  run(version: Version, args: readonly string[], input?: string): Promise<string>;
  /** Opens the database with this version's library, as one more node. */
  openAuth(settings?: Partial<Settings>): Auth;
  /** Opens the database with the library of 0.1, as one more node. Only before this version has migrated it. */
  openAuth01(): Promise<Auth01>;
  /** Stops every process and deletes the files. */
  close(): Promise<void>;
}

/** What a cluster needs. */
export interface ClusterOptions {
  readonly release: Release;
  /** The URL of a PostgreSQL database, in which the cluster has its own schema. Default: an SQLite file. */
  readonly postgresUrl?: string | undefined;
  /** More settings for all processes. */
  readonly env?: Environment;
}

/** Settings with which the tests don't depend on limits, or on how fast the machine is. */
const commonEnvironment: Environment = {
  TOKENPAIR_PAGE: "false",
  TOKENPAIR_LOG_LEVEL: "warn",
  TOKENPAIR_MAX_STALENESS: "60",
  TOKENPAIR_PASSWORD_MEMORY_COST: "64",
  TOKENPAIR_PASSWORD_TIME_COST: "1",
  TOKENPAIR_REFRESH_LIMIT: "0",
  TOKENPAIR_VERIFY_LIMIT: "0",
  TOKENPAIR_BLACKLIST_LIMIT: "0",
  TOKENPAIR_DATABASE_CONNECT_TIMEOUT: "60",
  TOKENPAIR_DATABASE_LOCK_TIMEOUT: "60",
  TOKENPAIR_DATABASE_STATEMENT_TIMEOUT: "60",
};

/** The same for the libraries. */
const cheapHashes = { passwordMemoryCost: 64, passwordTimeCost: 1 };

/** Creates a cluster over an empty database. Starts no process yet. */
export function createCluster({ release, postgresUrl, env = {} }: ClusterOptions): Cluster {
  const cwd = mkdtempSync(join(tmpdir(), "tokenpair-compatibility-"));
  const file = join(cwd, "tokenpair.db");
  const schema = `cluster_${randomBytes(8).toString("hex")}`;
  const signingKey = randomBytes(48).toString("hex");
  const environment: Environment = {
    ...commonEnvironment,
    TOKENPAIR_DATABASE_URL: postgresUrl ?? `sqlite:${file}`,
    TOKENPAIR_DATABASE_SCHEMA: schema,
    TOKENPAIR_SIGNING_KEY: signingKey,
    ...env,
  };
  const toMain = (version: Version) => (version === "0.1" ? release.main : currentMain);
  const closing: (() => Promise<void>)[] = [];

  return {
    signingKey,

    async start(version, more = {}) {
      const server = await startServer({ main: toMain(version), cwd, env: { ...environment, ...more } });
      closing.push(server.stop);
      return server;
    },

    async run(version, args, input = "") {
      const child = spawn(process.execPath, [toMain(version), ...args], {
        cwd,
        env: { ...childEnvironment, ...environment },
      });
      child.stdin.end(input);
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      if (child.exitCode === null) await once(child, "exit");
      if (child.exitCode !== 0) throw new Error(`tokenpair ${version} ${args.join(" ")} failed: ${stderr}`);
      return stdout;
    },

    openAuth(settings = {}) {
      const store =
        postgresUrl === undefined
          ? sqliteStore(file)
          : postgresStore({ connectionString: postgresUrl, schema, ...longTimeouts });
      const auth = createAuth({
        store,
        signingKey,
        maxStaleness: Number(environment["TOKENPAIR_MAX_STALENESS"]),
        ...cheapHashes,
        ...settings,
      });
      closing.push(async () => {
        await auth.close();
        await store.close();
      });
      return auth;
    },

    async openAuth01() {
      const library = await release.load();
      const store =
        postgresUrl === undefined
          ? library.sqliteStore(file)
          : library.postgresStore({ connectionString: postgresUrl, schema, ...longTimeouts });
      const auth = library.createAuth({
        store,
        signingKey,
        maxStaleness: Number(environment["TOKENPAIR_MAX_STALENESS"]),
        ...cheapHashes,
      });
      let isOpen = true;
      const close = async () => {
        if (!isOpen) return;
        isOpen = false;
        await auth.close();
        await store.close();
      };
      closing.push(close);
      await auth.ready();
      return { ...auth, close };
    },

    async close() {
      await Promise.all(closing.splice(0).map((close) => close()));
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}
