import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { startServer } from "../support/server-process.ts";
import { waitUntil } from "../support/wait-until.ts";
import { createFolder } from "./folder.ts";

const rounds = Number(process.env["TOKENPAIR_SHUTDOWN_ROUNDS"] ?? 2);
const signingKey = "a signing key for tests of at least 32 bytes";
const alice = { username: "alice", password: "correct horse battery staple" };

/** How many requests are sent in each round before the signal, and how many connections are busy meanwhile. */
const inFlight = 11;
const lanes = 8;

/** Creates a folder whose database has the user alice. */
async function prepare(): Promise<string> {
  const cwd = createFolder();
  const store = sqliteStore(`${cwd}/tokenpair.db`);
  await store.migrate();
  const auth = createAuth({ store, signingKey });
  await auth.ready();
  await auth.users.create(alice);
  await auth.close();
  await store.close();
  return cwd;
}

function start(cwd: string, settings: Record<string, string>, args: readonly string[]) {
  return startServer({
    cwd,
    args,
    env: { TOKENPAIR_DATABASE_URL: "sqlite:./tokenpair.db", TOKENPAIR_SIGNING_KEY: signingKey, ...settings },
  });
}

type Answer = Promise<{ readonly status: number | undefined; readonly body: string }>;

/** Sends a request. @returns its answer, and when all of it has been handed to the kernel. */
function send(
  port: number,
  agent: Agent,
  path: string,
  body?: object,
): { readonly sent: Promise<unknown>; answer: Answer } {
  const headers = { "Content-Type": "application/json" };
  const sending = request({ agent, port, path, host: "127.0.0.1", headers, method: body ? "POST" : "GET" });
  const answer = once(sending, "response").then(async ([response]) => {
    const { statusCode: status } = response as IncomingMessage;
    return { status, body: await text(response as IncomingMessage) };
  });
  // A connection that can't be made is reported by the answer.
  const sent = Promise.race([once(sending, "finish"), answer]).catch(() => {});
  sending.end(body && JSON.stringify(body));
  return { sent, answer };
}

interface Round {
  readonly delay: number;
  readonly workers: number;
}

/**
 * Stops a server while logins are under way and other connections are busy. The busy ones stop when `/readyz` fails, as a load
 * balancer does. @returns what was answered before and after the signal, and the requests that were lost.
 */
async function runRound(cwd: string, { delay, workers }: Round) {
  const args = workers === 1 ? [] : ["--workers", String(workers)];
  const server = await start(cwd, { TOKENPAIR_SHUTDOWN_DELAY: String(delay) }, args);
  onTestFinished(() => server.kill());
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const seen = { before: 0, after: 0, lost: [] as string[] };
  let signalledAt = Number.POSITIVE_INFINITY;
  let isReady = true;

  async function keepBusy(): Promise<void> {
    while (isReady) {
      const begunAt = performance.now();
      const begunAfter = begunAt >= signalledAt;
      try {
        await send(server.port, agent, "/api/auth/csrf/").answer;
        seen[begunAfter ? "after" : "before"] += 1;
      } catch (error) {
        // The server may refuse what is sent after the signal and its delay.
        if (begunAt < signalledAt + delay * 1_000) seen.lost.push(`${begunAfter ? "after" : "before"}: ${error}`);
        return;
      }
    }
  }

  async function watchReadiness(): Promise<void> {
    while (isReady) {
      isReady = await send(server.port, agent, "/readyz").answer.then(
        ({ status }) => status === 200,
        () => false,
      );
    }
  }

  const busy = Promise.all(Array.from({ length: lanes }, keepBusy));
  const watch = watchReadiness();
  await waitUntil("the connections are busy", () => seen.before > 5 * lanes);
  const logins = Array.from({ length: inFlight }, () => send(server.port, agent, "/api/token/", alice));
  await Promise.all(logins.map(({ sent }) => sent));
  const exited = once(server.process, "exit");
  signalledAt = performance.now();
  server.process.kill("SIGTERM");
  const statuses = await Promise.all(logins.map(({ answer }) => answer.then(({ status }) => status, String)));
  await Promise.all([busy, watch]);
  const [code] = await exited;
  return { statuses, code, ...seen };
}

describe("a server that gets SIGTERM under load", () => {
  const variants: readonly (readonly [string, Round])[] = [
    ["at once", { delay: 0, workers: 1 }],
    ["after shutdownDelay", { delay: 1, workers: 1 }],
    ["with two workers", { delay: 0, workers: 2 }],
    ["with two workers after shutdownDelay", { delay: 1, workers: 2 }],
  ];

  it.each(variants)("answers every request that was sent before, and closes %s", async (name, round) => {
    const cwd = await prepare();
    const own = Math.ceil(rounds / variants.length);
    let [before, after] = [0, 0];
    for (let n = 0; n < own; n++) {
      const result = await runRound(cwd, round);
      expect(result.statuses).toEqual(Array.from({ length: inFlight }, () => 200));
      expect(result).toMatchObject({ code: 0, lost: [] });
      before += result.before;
      after += result.after;
    }
    if (round.delay > 0) expect(after).toBeGreaterThan(0);
    console.log(
      `shutdown: ${name}: ${own} rounds, ${own * inFlight} logins in flight at the signal and ${before + after} other requests ` +
        `(${after} sent after it), 0 lost`,
    );
  });
});
