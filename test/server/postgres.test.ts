import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createAuth } from "../../src/index.ts";
import { resolveConfig } from "../../src/server/config/config.ts";
import { serve } from "../../src/server/serve.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { longTimeouts } from "../support/long-timeouts.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { runCommand } from "../support/run-command.ts";
import { startServer } from "../support/server-process.ts";
import { verifyAccess } from "../support/wire.ts";
import { createFolder } from "./folder.ts";

const signingKey = "a signing key for tests of at least 32 bytes";
const alice = { username: "alice", password: "correct horse battery staple" };

let postgres: PostgresServer;
let admin: pg.Client;
let schemas = 0;
beforeAll(async () => {
  postgres = await startPostgres({ fsync: "on" });
  admin = await connect();
});
afterAll(async () => {
  await admin.end();
  await postgres.stop();
});

async function connect(): Promise<pg.Client> {
  const client = new pg.Client(postgres.url);
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Returns the environment of a server on a new schema. */
function toEnv(settings: Record<string, string> = {}): Record<string, string> {
  schemas += 1;
  return {
    TOKENPAIR_DATABASE_URL: postgres.url,
    TOKENPAIR_DATABASE_SCHEMA: `server_${schemas}`,
    TOKENPAIR_SIGNING_KEY: signingKey,
    TOKENPAIR_PAGE: "false",
    ...settings,
  };
}

/** Opens a node in this process on the schema of `env`, and creates the user alice. */
async function openNode(env: Record<string, string>) {
  const schema = env["TOKENPAIR_DATABASE_SCHEMA"] ?? "";
  const store = postgresStore({ connectionString: postgres.url, schema, ...longTimeouts });
  await store.migrate();
  const auth = createAuth({ store, signingKey });
  await auth.ready();
  onTestFinished(async () => {
    await auth.close();
    await store.close();
  });
  await auth.users.create(alice);
  return auth;
}

/** Starts a server in this process, and another node on the same schema. @returns them with the messages of the log. */
async function start(settings: Record<string, string> = {}) {
  const env = toEnv({ TOKENPAIR_METRICS_PORT: "0", ...settings });
  const node = await openNode(env);
  const logged: string[] = [];
  const config = await resolveConfig({ directory: createFolder(), env, flags: { port: 0 } });
  const server = await serve(config, { logTo: { write: (line) => void logged.push(JSON.parse(line).msg) } });
  onTestFinished(() => server.close());
  const readMetrics = async () => (await fetch(server.metricsUrl ?? "")).text();
  return { ...server, node, logged, readMetrics, schema: env["TOKENPAIR_DATABASE_SCHEMA"] };
}

/** Takes a lock that lasts until the test ends or rolls back. */
async function lockUntilRollback(statement: string): Promise<void> {
  onTestFinished(async () => void (await admin.query("ROLLBACK")));
  await admin.query(`BEGIN; ${statement}`);
}

const logIn = (url: string) =>
  fetch(`${url}/api/token/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(alice),
  });
const me = (url: string, access: string) =>
  fetch(`${url}/api/auth/me/`, { headers: { Authorization: `Bearer ${access}` } });

describe("a server over PostgreSQL", () => {
  it("answers logins with 503 and Retry-After if no connection is free, but access tokens from memory", async () => {
    const { url, schema, readMetrics } = await start({
      TOKENPAIR_DATABASE_CONNECTIONS: "1",
      TOKENPAIR_DATABASE_MAX_WAITING: "1",
      TOKENPAIR_DATABASE_CONNECT_TIMEOUT: "1",
      // The feed can't read either. On a slow machine, what it read last would be too stale before the access token is sent.
      TOKENPAIR_MAX_STALENESS: "3600",
      // A login that can't be completed must not be throttled later.
      TOKENPAIR_LOGIN_FAILURES_BEFORE_DELAY: "0",
      TOKENPAIR_ACCOUNT_FAILURES_BEFORE_DELAY: "0",
    });
    // At first, the node's registration uses the only connection too.
    let access = "";
    await expect
      .poll(async () => {
        const answer = await logIn(url);
        ({ access } = (await answer.json()) as { access: string });
        return answer.status;
      })
      .toBe(200);
    await lockUntilRollback(`SELECT FROM ${schema}.users FOR UPDATE`);
    // One login uses the only connection while it waits for the row.
    const answers = Promise.all(Array.from({ length: 12 }, () => logIn(url)));
    expect(await verifyAccess(url, access)).toBe(200);
    for (const answer of await answers) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get("Retry-After")).toMatch(/^\d+$/);
      expect(await answer.json()).toEqual({ detail: "Service temporarily unavailable.", code: "unavailable" });
    }
    await admin.query("ROLLBACK");
    expect(Number(/^tokenpair_database_refused_total (\d+)$/m.exec(await readMetrics())?.[1])).toBeGreaterThan(0);
    await expect.poll(async () => (await logIn(url)).status).toBe(200);
  });

  it("stays ready but degraded while writes to the database fail, answers from memory, and logs the cause", async () => {
    const { url, logged, readMetrics } = await start();
    const { access } = (await (await logIn(url)).json()) as { access: string };
    const readReady = async () => (await fetch(`${url}/readyz`)).json();
    const setReadOnly = async (value: "on" | "off") => {
      await admin.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
      await admin.query("SELECT pg_reload_conf()");
    };
    onTestFinished(() => setReadOnly("off"));
    expect(await readReady()).toEqual({ status: "ok" });
    await setReadOnly("on");
    await expect.poll(async () => (await logIn(url)).status).toBe(503);
    expect(await readReady()).toEqual({ status: "degraded", detail: "The store can't be written to." });
    expect((await me(url, access)).status).toBe(200);
    expect(logged).toContain("store_unwritable");
    expect(logged).toContain("a request failed");
    expect(await readMetrics()).toContain("tokenpair_store_unwritable 1");
    await setReadOnly("off");
    await expect.poll(readReady).toEqual({ status: "ok" });
    expect(logged).toContain("store_recovered");
    expect((await logIn(url)).status).toBe(200);
  });

  it("measures the lag of another node's revocation, and logs when it loses and recovers LISTEN", async () => {
    const { node, logged, readMetrics, schema } = await start();
    await node.revokeToken("1");
    await expect.poll(readMetrics).toMatch(/^tokenpair_revocation_lag_seconds_count [1-9]/m);
    const text = await readMetrics();
    expect(text).toMatch(/^tokenpair_revocation_lag_seconds_bucket\{le="30"\} [1-9]/m);
    expect(text).toMatch(/^tokenpair_database_connections_open [1-9]/m);

    const listeners = "FROM pg_stat_activity WHERE query = $1";
    const listen = [`LISTEN "${schema}_revocations"`];
    // Two nodes listen: the server and the node of the test.
    const countListeners = async () => (await admin.query(`SELECT ${listeners}`, listen)).rowCount;
    await expect.poll(countListeners).toBe(2);
    await admin.query(`SELECT pg_terminate_backend(pid) ${listeners}`, listen);
    await expect.poll(() => logged).toContain("listen_recovered");
    expect(logged).toContain("listen_lost");
    expect(await readMetrics()).toMatch(/^tokenpair_feed_events_total\{event="listen_lost"\} [1-9]/m);
  });

  it("reads all revocations again after a restart of the database, and logs it", async () => {
    const { url, node, logged } = await start();
    const { access } = (await (await logIn(url)).json()) as { access: string };
    const claims = await node.authenticate(new Headers({ Authorization: `Bearer ${access}` }));
    await admin.end();
    await postgres.restart();
    admin = await connect();
    await expect.poll(() => node.logout(claims).then(() => "done", String)).toBe("done");
    await expect.poll(async () => (await me(url, access)).status).toBe(401);
    await expect.poll(() => logged).toContain("listen_recovered");
    await expect.poll(() => logged).toContain("feed_reloaded");
  });
});

/** Sends a request for the user on a new socket. @returns when the kernel has it, with the promise of its status. */
async function sendMe(url: string, access: string): Promise<{ readonly status: Promise<number | undefined> }> {
  const request = get(`${url}/api/auth/me/`, { agent: false, headers: { Authorization: `Bearer ${access}` } });
  const response = once(request, "response") as Promise<[IncomingMessage]>;
  await once(request, "finish");
  return { status: response.then(([{ statusCode }]) => statusCode) };
}

describe("a server that was stopped for longer than maxStaleness (SIGSTOP)", () => {
  it("answers 503 until it has read the revocations, and logs that it was stale", async () => {
    const env = toEnv({ TOKENPAIR_MAX_STALENESS: "1" });
    const node = await openNode(env);
    const server = await startServer({ cwd: createFolder(), env: { ...env, TOKENPAIR_LOG_LEVEL: "info" } });
    onTestFinished(() => server.kill());
    const lines: string[] = [];
    server.process.stdout?.on("data", (data) => lines.push(String(data)));
    const { access } = (await (await logIn(server.url)).json()) as { access: string };
    const other = (await (await logIn(server.url)).json()) as { access: string };
    await expect.poll(async () => (await me(server.url, access)).status).toBe(200);

    server.process.kill("SIGSTOP");
    const stoppedAt = performance.now();
    const claims = await node.authenticate(new Headers({ Authorization: `Bearer ${access}` }));
    await node.logout(claims);
    // The server can't read revocations when it continues. Its sockets hold two requests, which it handles first.
    await lockUntilRollback(`LOCK TABLE ${env["TOKENPAIR_DATABASE_SCHEMA"]}.revocations`);
    const requests = await Promise.all([sendMe(server.url, access), sendMe(server.url, other.access)]);
    await expect.poll(() => performance.now() - stoppedAt).toBeGreaterThan(1_200);
    server.process.kill("SIGCONT");
    const statuses = await Promise.all(requests.map(({ status }) => status));
    await admin.query("ROLLBACK");
    expect(statuses).toEqual([503, 503]);
    await expect.poll(async () => (await me(server.url, other.access)).status).toBe(200);
    // The first answer that isn't 503 must be 401.
    const answers = new Set<number>();
    await expect.poll(async () => answers.add((await me(server.url, access)).status).has(401)).toBe(true);
    expect(answers).not.toContain(200);
    await expect.poll(() => lines.join("")).toContain('"feed_recovered"');
    expect(lines.join("")).toContain('"feed_stale"');
  });
});

describe("tokenpair doctor over PostgreSQL", () => {
  async function examine(env: Record<string, string>) {
    const { exit, stdout } = await runCommand(["doctor", "--json"], { directory: createFolder(), env });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; detail: string }[] };
    return { exit, toStatus: (name: string) => checks.find((check) => check.name === name)?.status };
  }

  it("accepts a durable server, and fails if synchronous_commit is off", async () => {
    const env = toEnv();
    await openNode(env);
    const { toStatus } = await examine(env);
    for (const name of ["database", "schema", "clock", "server", "tls", "durability", "connections"]) {
      expect(toStatus(name), name).toBe("ok");
    }
    await admin.query("ALTER ROLE postgres SET synchronous_commit = off");
    onTestFinished(async () => void (await admin.query("ALTER ROLE postgres RESET synchronous_commit")));
    const careless = await examine(env);
    expect(careless.toStatus("durability")).toBe("fail");
    expect(careless.exit).toBe(1);
  });

  it("warns of more connections than the server allows, and fails without a schema", async () => {
    const { exit, toStatus } = await examine(toEnv({ TOKENPAIR_DATABASE_CONNECTIONS: "500" }));
    expect(exit).toBe(1);
    expect(toStatus("connections")).toBe("warn");
    expect(toStatus("schema")).toBe("fail");
  });
});
