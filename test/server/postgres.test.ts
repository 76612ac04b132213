import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Context } from "../../src/cli/context.ts";
import { run } from "../../src/cli/program.ts";
import { createAuth } from "../../src/index.ts";
import { loadConfig } from "../../src/server/config/config.ts";
import { serve } from "../../src/server/serve.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { startServer } from "../support/server-process.ts";
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

/** The environment of a server on a schema of its own. */
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

/** A node of the test's own on the schema of `env`, with the user alice. */
async function openNode(env: Record<string, string>) {
  const store = postgresStore({ connectionString: postgres.url, schema: env["TOKENPAIR_DATABASE_SCHEMA"] ?? "" });
  await store.migrate();
  const auth = createAuth({ store, signingKey });
  await auth.ready();
  onTestFinished(async () => {
    auth.close();
    await store.close();
  });
  await auth.users.create(alice);
  return auth;
}

/** A server in this process, and the messages that it has logged. */
async function start(settings: Record<string, string> = {}) {
  const env = toEnv({ TOKENPAIR_METRICS_PORT: "0", ...settings });
  const node = await openNode(env);
  const logged: string[] = [];
  const config = await loadConfig({ directory: createFolder(), env, flags: { port: 0 } });
  const server = await serve(config, { logTo: { write: (line) => void logged.push(JSON.parse(line).msg) } });
  onTestFinished(() => server.close());
  const readMetrics = async () => (await fetch(server.metricsUrl ?? "")).text();
  return { ...server, node, logged, readMetrics, schema: env["TOKENPAIR_DATABASE_SCHEMA"] };
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
  it("answers 503 with Retry-After where no connection is free, but an access token from memory", async () => {
    const { url, schema, readMetrics } = await start({
      TOKENPAIR_DATABASE_CONNECTIONS: "1",
      TOKENPAIR_DATABASE_MAX_WAITING: "1",
      TOKENPAIR_DATABASE_CONNECT_TIMEOUT: "1",
    });
    const { access } = (await (await logIn(url)).json()) as { access: string };
    await admin.query(`BEGIN; SELECT FROM ${schema}.users FOR UPDATE`);
    // The first holds the one connection while it waits for the row.
    const answers = [];
    for (let i = 0; i < 12; i += 1) answers.push(logIn(url));
    expect((await me(url, access)).status).toBe(200);
    for (const answer of await Promise.all(answers)) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get("Retry-After")).toMatch(/^\d+$/);
      expect(await answer.json()).toEqual({ detail: "Service temporarily unavailable.", code: "unavailable" });
    }
    await admin.query("ROLLBACK");
    expect(Number(/^tokenpair_database_refused_total (\d+)$/m.exec(await readMetrics())?.[1])).toBeGreaterThan(0);
    await expect.poll(async () => (await logIn(url)).status).toBe(200);
  });

  it("measures the way of a revocation of another node, and says when it no longer listens and when it does", async () => {
    const { node, logged, readMetrics, schema } = await start();
    await node.revokeToken("1");
    await expect.poll(readMetrics).toMatch(/^tokenpair_revocation_lag_seconds_count [1-9]/m);
    const text = await readMetrics();
    expect(text).toMatch(/^tokenpair_revocation_lag_seconds_bucket\{le="30"\} [1-9]/m);
    expect(text).toMatch(/^tokenpair_database_connections_open [1-9]/m);

    const kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1";
    await admin.query(kill, [`LISTEN "${schema}_revocations"`]);
    await expect.poll(() => logged).toContain("listen_recovered");
    expect(logged).toContain("listen_lost");
    expect(await readMetrics()).toContain('tokenpair_feed_events_total{event="listen_lost"} 1');
  });

  it("catches up when the database was restarted, and says so", async () => {
    const { url, node, logged } = await start();
    const { access } = (await (await logIn(url)).json()) as { access: string };
    const claims = await node.authenticate(new Headers({ Authorization: `Bearer ${access}` }));
    await admin.end();
    await postgres.restart();
    admin = await connect();
    await expect.poll(() => node.logout(claims).then(() => "done", String), { timeout: 10_000 }).toBe("done");
    await expect.poll(async () => (await me(url, access)).status, { timeout: 10_000 }).toBe(401);
    await expect.poll(() => logged, { timeout: 10_000 }).toContain("listen_recovered");
    await expect.poll(() => logged, { timeout: 10_000 }).toContain("feed_reloaded");
  });
});

describe("a server that was stopped for longer than maxStaleness (SIGSTOP)", () => {
  it("answers nothing from memory until it has read what was revoked meanwhile, and says so", async () => {
    const env = toEnv({ TOKENPAIR_MAX_STALENESS: "1" });
    const node = await openNode(env);
    const server = await startServer({ cwd: createFolder(), env: { ...env, TOKENPAIR_LOG_LEVEL: "info" } });
    onTestFinished(() => server.kill());
    const lines: string[] = [];
    server.process.stdout?.on("data", (data) => lines.push(String(data)));
    const { access } = (await (await logIn(server.url)).json()) as { access: string };
    const other = (await (await logIn(server.url)).json()) as { access: string };
    expect((await me(server.url, access)).status).toBe(200);

    server.process.kill("SIGSTOP");
    const claims = await node.authenticate(new Headers({ Authorization: `Bearer ${access}` }));
    await node.logout(claims);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    // Nothing can be read when it wakes up; the requests wait in its sockets, and are the first that it sees.
    await admin.query(`BEGIN; LOCK TABLE ${env["TOKENPAIR_DATABASE_SCHEMA"]}.revocations`);
    const first = [me(server.url, access), me(server.url, other.access)];
    await new Promise((resolve) => setTimeout(resolve, 50));
    server.process.kill("SIGCONT");
    const answers = (await Promise.all(first)).map((answer) => answer.status);
    await admin.query("ROLLBACK");
    expect(answers).toEqual([503, 503]);
    await expect.poll(async () => (await me(server.url, other.access)).status).toBe(200);
    expect((await me(server.url, access)).status).toBe(401);
    await expect.poll(() => lines.join("")).toContain('"feed_recovered"');
    expect(lines.join("")).toContain('"feed_stale"');
  });
});

describe("doctor over PostgreSQL", () => {
  async function examine(env: Record<string, string>) {
    const stdout = Object.assign(new PassThrough(), { isTTY: false });
    const context = { directory: createFolder(), env, stdin: new PassThrough(), stdout, stderr: new PassThrough() };
    const exit = await run(["doctor", "--json"], context as unknown as Context);
    stdout.end();
    const { checks } = JSON.parse(await text(stdout)) as { checks: { name: string; status: string; detail: string }[] };
    return { exit, toStatus: (name: string) => checks.find((check) => check.name === name)?.status };
  }

  it("finds nothing wrong with a server that keeps what it has answered, and fails one that does not", async () => {
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

  it("warns of more connections than the server has, and names a schema that is missing", async () => {
    const { exit, toStatus } = await examine(toEnv({ TOKENPAIR_DATABASE_CONNECTIONS: "500" }));
    expect(exit).toBe(1);
    expect(toStatus("connections")).toBe("warn");
    expect(toStatus("schema")).toBe("fail");
  });
});
