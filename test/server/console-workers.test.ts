import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { childEnvironment } from "../support/child-environment.ts";
import { findFreePort } from "../support/free-port.ts";
import { currentMain, startServer } from "../support/server-process.ts";
import { createFolder } from "./folder.ts";

const password = "correct horse battery staple";

async function createUser(cwd: string, ...args: readonly string[]): Promise<void> {
  const command = [currentMain, "users", "create", ...args, "--password-stdin"];
  const child = spawn(process.execPath, command, { cwd, env: childEnvironment, stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.end(`${password}\n`);
  expect(await once(child, "exit")).toEqual([0, null]);
}

/** Starts two workers with the console, an admin and a user. */
async function start(env: Record<string, string>) {
  const cwd = createFolder();
  // A pause of the machine must not end a confirmation.
  const longTimes = { TOKENPAIR_CONFIRM_TIMEOUT: "60", TOKENPAIR_MAX_STALENESS: "60" };
  const settings = { TOKENPAIR_LOG_LEVEL: "info", ...longTimes, ...env };
  const { url, errors, log, kill } = await startServer({ cwd, env: settings, args: ["--workers", "2", "--console"] });
  onTestFinished(() => kill());
  const database = () => new DatabaseSync(join(cwd, "data/tokenpair.db"));
  const consoleUrls = [...errors().matchAll(/^Console: (\S+)$/gm)].map(([, found = ""]) => found);
  expect(consoleUrls).toHaveLength(1);
  const staffUrl = new URL(consoleUrls[0] ?? "").origin;
  await createUser(cwd, "ada", "--role", "admin");
  await createUser(cwd, "bob");

  /** Sends a request over a connection of its own, which the next worker gets. */
  const send = (origin: string, path: string, access?: string, body?: object) =>
    fetch(`${origin}${path}`, {
      headers: {
        Connection: "close",
        ...(access === undefined ? {} : { Authorization: `Bearer ${access}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
  const login = async (origin: string, username: string) =>
    (await (await send(origin, "/api/token/", undefined, { username, password })).json()) as {
      access: string;
      refresh: string;
    };
  /** Returns the numbers of the workers that have answered a path. */
  const workersOf = (path: string) =>
    new Set(
      log()
        .split("\n")
        .filter((line) => line.includes('"msg":"request"'))
        .map((line) => JSON.parse(line) as { path: string; worker: number })
        .filter((line) => line.path === path)
        .map(({ worker }) => worker),
    );
  return { url, staffUrl, send, login, workersOf, database };
}

const repeat = <T>(count: number, make: () => Promise<T>) => Promise.all(Array.from({ length: count }, make));

/** Reads the events of a stream until one of them contains the text. */
async function readUntil(response: Response, text: string): Promise<void> {
  let read = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    read += chunk;
    if (read.includes(text)) return;
  }
  throw new Error(`the stream ended without ${text}: ${read}`);
}

describe("the console with two workers", () => {
  it.each([
    ["on the port of all requests", false],
    ["on a port of its own", true],
  ])("%s is served by both, which confirm a member and a revocation for each other", async (_, hasPort) => {
    const env: Record<string, string> = hasPort ? { TOKENPAIR_CONSOLE_PORT: String(await findFreePort()) } : {};
    const { url, staffUrl, send, login, workersOf, database } = await start(env);
    expect(staffUrl === url).toBe(!hasPort);
    expect((await send(url, "/console/")).status).toBe(hasPort ? 404 : 200);
    const { access, refresh } = await login(staffUrl, "ada");
    const bob = await login(url, "bob");

    // The pages and the API.
    expect((await send(staffUrl, "/console/")).status).toBe(200);
    const own = await repeat(8, () => send(staffUrl, "/api/admin/me/", access));
    expect(own.map(({ status }) => status)).toEqual(own.map(() => 200));
    expect(workersOf("/api/admin/me/")).toEqual(new Set([1, 2]));

    // Each worker is a node.
    const readNodes = async () => {
      const nodes = (await (await send(staffUrl, "/api/admin/nodes/", access)).json()) as {
        results?: readonly { name: string; state: string }[];
      };
      return (nodes.results ?? []).map(({ name, state }) => `${name.replace(/.*(?=worker)/, "")} ${state}`).sort();
    };
    await expect.poll(readNodes).toEqual(["worker 1 fresh", "worker 2 fresh"]);

    // Four streams over connections of their own: an entry reaches all of them, although one worker wrote it.
    const streams = await repeat(4, () => send(staffUrl, "/api/admin/audit/stream/", access));
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const entries = Promise.all(streams.map((stream) => readUntil(stream, '"type":"sessions_revoked"')));

    // The password was typed an hour ago, so a dangerous change needs it again. One worker confirms, any worker then knows.
    const disable = (token: string) =>
      send(staffUrl, "/api/admin/users/2/disable/", token, { reason: "a stolen laptop" });
    const db = database();
    db.exec("UPDATE sessions SET authenticated_at = unixepoch() - 3600, created_at = created_at - 3600");
    db.close();
    const old = (await (await send(staffUrl, "/api/token/refresh/", undefined, { refresh })).json()) as {
      access: string;
    };
    const refused = await repeat(2, () => disable(old.access));
    expect(refused.map(({ status }) => status)).toEqual([401, 401]);
    expect((await refused[0]?.json()) as object).toMatchObject({ code: "confirmation_required" });
    const confirmed = await send(staffUrl, "/api/auth/confirm/", old.access, { password });
    const { access: fresh } = (await confirmed.json()) as { access: string };

    const me = () => send(url, "/api/auth/me/", bob.access);
    expect((await repeat(4, me)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const revoked = await disable(fresh);
    expect([revoked.status, await revoked.json()]).toEqual([200, expect.objectContaining({ confirmed: "acks" })]);
    // Confirmed, so no worker needs a moment more.
    expect((await repeat(8, me)).map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 401));
    expect(workersOf("/api/auth/me/")).toEqual(new Set([1, 2]));
    await entries;
    expect((await repeat(4, () => send(staffUrl, "/api/admin/me/", fresh))).map(({ status }) => status)).toEqual([
      200, 200, 200, 200,
    ]);
  });
});
