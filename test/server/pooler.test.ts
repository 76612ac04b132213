import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { PostgresListenClient } from "../../src/store/postgres/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { findFreePort } from "../support/free-port.ts";
import { longTimeouts } from "../support/long-timeouts.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { runCommand } from "../support/run-command.ts";
import { createTransactionPool } from "../support/transaction-pool.ts";
import { waitUntil } from "../support/wait-until.ts";
import { createFolder } from "./folder.ts";

const pgbouncer = "/usr/sbin/pgbouncer";
const isInstalled = spawnSync(pgbouncer, ["--version"]).error === undefined;
if (!isInstalled) console.log(`doctor behind PgBouncer: skipped, because ${pgbouncer} is not installed`);

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
}, 120_000);
afterAll(() => postgres.stop());

describe("the probe of LISTEN", { timeout: 120_000 }, () => {
  it("gets its notification on a connection to the server", async () => {
    const store = postgresStore({ connectionString: postgres.url, ...longTimeouts });
    onTestFinished(() => store.close());
    expect(await store.probeListen()).toEqual({ state: "delivered" });
  });

  it("loses it behind a pool of transactions", async () => {
    const pool = await createTransactionPool(postgres.url);
    const client = await pool.connect();
    const createListenClient = () =>
      ({ connect: async () => {}, end: async () => {}, query: client.query, on() {} }) as PostgresListenClient;
    const store = postgresStore({ pool, createListenClient, ...longTimeouts });
    onTestFinished(async () => {
      await store.close();
      await pool.end();
    });
    expect(await store.probeListen()).toEqual({ state: "lost" });
  });

  it("says why the connection failed, without the password", async () => {
    const listenConnectionString = `postgres://app:hunter2@127.0.0.1:${await findFreePort()}/app`;
    const store = postgresStore({ connectionString: postgres.url, listenConnectionString, ...longTimeouts });
    onTestFinished(() => store.close());
    const probed = await store.probeListen();
    expect(probed).toMatchObject({ state: "failed", reason: expect.stringMatching(/ECONNREFUSED|refused/) });
    expect(JSON.stringify(probed)).not.toContain("hunter2");
  });
});

describe.skipIf(!isInstalled)("tokenpair doctor behind PgBouncer", { timeout: 120_000 }, () => {
  /** Starts PgBouncer in front of the server. @returns its URL. */
  async function startPgbouncer(mode: "transaction" | "session"): Promise<string> {
    const [folder, port] = [createFolder(), await findFreePort()];
    chmodSync(folder, 0o755);
    const file = join(folder, "pgbouncer.ini");
    writeFileSync(
      file,
      `[databases]
postgres = host=127.0.0.1 port=${postgres.port} user=postgres password=password
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
ignore_startup_parameters = extra_float_digits,options
`,
    );
    // It refuses to run as root.
    const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
    const child = spawn(pgbouncer, [...user, file], { stdio: "ignore" });
    const exited = once(child, "exit");
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await exited;
    });
    await waitUntil("PgBouncer listens", () => isListening(port));
    return `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  async function examine(env: Record<string, string>) {
    const key = { TOKENPAIR_SIGNING_KEY: "49d2fb85c7e01a36c2a94d1b0f7e6583" };
    const { stdout } = await runCommand(["doctor", "--json"], {
      directory: createFolder(),
      env: { ...key, TOKENPAIR_DATABASE_PREPARED_STATEMENTS: "false", ...env },
    });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; detail: string }[] };
    return checks.find(({ name }) => name === "listen");
  }

  it("warns if LISTEN goes through a pool of transactions, and says what to set", async () => {
    const url = await startPgbouncer("transaction");
    expect(await examine({ TOKENPAIR_DATABASE_URL: url })).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("Set databaseListenUrl to the server itself"),
    });
    const past = await examine({ TOKENPAIR_DATABASE_URL: url, TOKENPAIR_DATABASE_LISTEN_URL: postgres.url });
    expect(past).toMatchObject({ status: "ok" });
  });

  it("doesn't warn of a pool of sessions", async () => {
    const url = await startPgbouncer("session");
    expect(await examine({ TOKENPAIR_DATABASE_URL: url })).toMatchObject({ status: "ok" });
  });
});

function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket
      .once("error", () => done(false))
      .once("connect", () => {
        socket.destroy();
        done(true);
      });
  });
}
