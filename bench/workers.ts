/**
 * What `serve --workers 2` brings over one process: requests with an access token, which one process answers on one core; logins,
 * whose hashes are computed in threads; and refreshes, over PostgreSQL. The load and the database run on the same machine, so the
 * figures are lower bounds on one with more cores.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuth } from "../src/index.ts";
import { postgresStore } from "../src/store/postgres/index.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { type ServerProcess, startServer } from "../test/support/server-process.ts";
import type { Contender } from "./harness/comparison.ts";
import type { Harness } from "./harness/harness.ts";
import { startChild } from "./http/child.ts";
import type { Load, LoadResult } from "./http/load.ts";
import { fillPostgres, signingKey } from "./refresh/crowd.ts";
import { createLane, drive, type Refresh, rates } from "./refresh/drive.ts";
import { refreshByHttp } from "./refresh/ours.ts";

const root = join(import.meta.dirname, "..");
const sessions = 10_000;
const inFlight = 32;
const lastUser = { username: `user-${sessions}`, password: "correct horse battery staple" };

export async function run(harness: Harness): Promise<void> {
  execFileSync("npm", ["run", "build"], { cwd: root, stdio: "ignore" });
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-bench-"));
  const postgres = await startPostgres({ fsync: "on" });
  const servers: ServerProcess[] = [];
  try {
    const store = postgresStore({ connectionString: postgres.url, schema: "workers" });
    await store.migrate();
    await fillPostgres(postgres.url, "workers", sessions);
    const auth = createAuth({ store, signingKey });
    await auth.ready();
    // The session of this user is in none of the two lanes.
    await auth.users.setPassword(String(sessions), lastUser.password);
    await auth.close();
    await store.close();
    for (const workers of [1, 2]) servers.push(await start(folder, postgres.url, workers));
    await measureReads(harness, servers);
    const seconds = (harness.roundTime * 3) / 1_000;
    const compare = (title: string, toRefresh: (port: number) => Refresh) =>
      harness.compare({
        title,
        ...rates,
        columns: [title.startsWith("Logins") ? "logins/s" : "refreshes/s", "p50 ms", "p99 ms"],
        baseline: "1 worker",
        contenders: toContenders(servers, ({ port }, at) => {
          const contender = drive(toRefresh(port), createLane(at, sessions), inFlight, seconds);
          return async () => {
            const { "refreshes/s": rate = 0, ...rest } = await contender();
            return { [title.startsWith("Logins") ? "logins/s" : "refreshes/s"]: rate, ...rest };
          };
        }),
      });
    await compare("Refreshes over PostgreSQL, 32 in flight", refreshByHttp);
    await compare("Logins, 32 in flight", logInByHttp);
  } finally {
    for (const server of servers) await server.stop();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(cwd: string, url: string, workers: number): Promise<ServerProcess> {
  const env = {
    TOKENPAIR_DATABASE_URL: url,
    TOKENPAIR_DATABASE_SCHEMA: "workers",
    TOKENPAIR_SIGNING_KEY: signingKey,
    // One client stands for thousands of addresses.
    TOKENPAIR_REFRESH_LIMIT: "0",
    TOKENPAIR_LOGIN_FAILURES_BEFORE_DELAY: "0",
    TOKENPAIR_ACCOUNT_FAILURES_BEFORE_DELAY: "0",
    TOKENPAIR_MAX_LOGIN_FAILURES: "0",
  };
  return startServer({ cwd, env, main: join(root, "dist/cli/main.js"), args: ["--workers", String(workers)] });
}

function toContenders(
  servers: readonly ServerProcess[],
  toContender: (server: ServerProcess, at: number) => Contender,
): Record<string, Contender> {
  return Object.fromEntries(
    servers.map((server, at) => [at === 0 ? "1 worker" : `${at + 1} workers`, toContender(server, at)]),
  );
}

async function measureReads(harness: Harness, servers: readonly ServerProcess[]): Promise<void> {
  const load = startChild("load.ts");
  try {
    const [first] = servers;
    if (first === undefined) return;
    const response = await fetch(`${first.url}/api/token/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(lastUser),
    });
    const { access } = (await response.json()) as { access: string };
    const requests = [{ Authorization: `Bearer ${access}` }];
    await harness.compare({
      title: "GET /api/auth/me/ with an access token, 32 connections",
      columns: ["requests/s"],
      better: "higher",
      baseline: "1 worker",
      contenders: toContenders(servers, ({ port }) => async () => {
        const work: Load = { port, requests, path: "/api/auth/me/", seconds: (harness.roundTime * 3) / 1_000 };
        const { answered, failed, seconds } = await load.ask<LoadResult>(work);
        if (failed > 0) throw new Error(`${failed} requests failed`);
        return { "requests/s": answered / seconds };
      }),
    });
  } finally {
    await load.stop();
  }
}

function logInByHttp(port: number): Refresh {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const options = { agent, port, host: "127.0.0.1", method: "POST", path: "/api/token/" };
  const body = JSON.stringify(lastUser);
  return () =>
    new Promise<void>((resolve, reject) => {
      const sent = request({ ...options, headers: { "Content-Type": "application/json" } }, (response) => {
        response.resume().once("end", () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`the server answers ${response.statusCode}`));
        });
      });
      sent.on("error", reject).end(body);
    });
}
