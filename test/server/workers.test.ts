import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { childEnvironment } from "../support/child-environment.ts";
import { findFreePort } from "../support/free-port.ts";
import { currentMain, startServer } from "../support/server-process.ts";
import { createFolder } from "./folder.ts";

/** Runs a command to its end. */
async function run(args: readonly string[], cwd: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [currentMain, ...args], {
    cwd,
    env: { ...childEnvironment, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end("correct horse battery staple\n");
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { stdout, stderr, code };
}

async function start(env: Record<string, string> = {}, workers = 2) {
  const cwd = createFolder();
  const metricsPort = await findFreePort();
  const settings = { TOKENPAIR_METRICS_PORT: String(metricsPort), TOKENPAIR_LOG_LEVEL: "info", ...env };
  const server = await startServer({ cwd, env: settings, args: ["--workers", String(workers)] });
  onTestFinished(() => server.kill());
  const readMetrics = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return { ...server, cwd, readMetrics };
}

const toLines = (log: string) =>
  log.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Record<string, unknown>] : []));

describe("tokenpair serve --workers", () => {
  it("answers with every worker, revokes on all of them, and serves their metrics and one log", async () => {
    const { url, cwd, readMetrics, log, process: child } = await start();
    expect((await run(["users", "create", "alice", "--password-stdin"], cwd)).code).toBe(0);
    const post = (path: string, body: object) =>
      fetch(url + path, {
        method: "POST",
        // A new connection each time, which the next worker gets.
        headers: { "Content-Type": "application/json", Connection: "close" },
        body: JSON.stringify(body),
      });
    const login = await post("/api/token/", { username: "alice", password: "correct horse battery staple" });
    const { access, refresh } = (await login.json()) as { access: string; refresh: string };
    const me = () =>
      fetch(`${url}/api/auth/me/`, { headers: { Authorization: `Bearer ${access}`, Connection: "close" } });
    const statuses = async () => [
      ...new Set(await Promise.all(Array.from({ length: 8 }, async () => (await me()).status))),
    ];
    expect(await statuses()).toEqual([200]);
    expect((await post("/api/token/blacklist/", { refresh })).status).toBe(200);
    await expect.poll(statuses).toEqual([401]);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);

    const metrics = await readMetrics();
    expect(metrics).toContain('tokenpair_workers{worker="0"} 2');
    expect(metrics).toContain('tokenpair_workers_ready{worker="0"} 2');
    for (const worker of [1, 2]) {
      expect(metrics).toMatch(new RegExp(`^tokenpair_revocations_live\\{worker="${worker}"\\} 1$`, "m"));
      const requests = `^tokenpair_http_request_duration_seconds_count\\{worker="${worker}",.*status="401".*\\} [1-9]`;
      expect(metrics).toMatch(new RegExp(requests, "m"));
    }
    expect(metrics.match(/^# TYPE tokenpair_revocations_live /gm)).toHaveLength(1);
    const requests = toLines(log()).filter(({ msg }) => msg === "request");
    expect(new Set(requests.map(({ worker }) => worker))).toEqual(new Set([1, 2]));

    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("starts a worker that was killed again, and answers with the other one meanwhile", async () => {
    const { url, readMetrics, log } = await start();
    const [, pid = ""] = /^tokenpair_worker_pid\{.*worker="2"\} (\d+)$/m.exec(await readMetrics()) ?? [];
    process.kill(Number(pid), "SIGKILL");
    await expect.poll(log).toContain("worker 2 ended by SIGKILL; it is started again in 0.25 s");
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await expect.poll(log).toContain("worker 2 is ready again");
    expect(await readMetrics()).toContain('tokenpair_worker_restarts_total{worker="0"} 1');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it("stops all workers if the supervisor is killed", async () => {
    const { readMetrics, kill } = await start();
    const pids = [...(await readMetrics()).matchAll(/^tokenpair_worker_pid\{.*\} (\d+)$/gm)].map(([, pid]) =>
      Number(pid),
    );
    expect(pids).toHaveLength(2);
    await kill();
    const isAlive = (pid: number) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await expect.poll(() => pids.some(isAlive)).toBe(false);
  });

  it.each([
    [["--database", "sqlite::memory:"], "workers: must be 1 with sqlite::memory:"],
    [["--demo"], "workers: must be 1 with --demo"],
  ])("refuses %j", async (args, message) => {
    const { stderr, code } = await run(["serve", "--port", "0", "--workers", "2", ...args], createFolder());
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  it("exits with 1 if a worker can't start, and says why once", async () => {
    const { stderr, code } = await run(["serve", "--port", "0", "--workers", "2"], createFolder(), {
      TOKENPAIR_SIGNING_KEY: "too short",
    });
    expect(code).toBe(1);
    expect(stderr.match(/signingKey must have at least 32 bytes/g)).toHaveLength(1);
    expect(stderr).toContain("worker 1 ended before it was ready");
  });
});
