/**
 * How long it takes, from the commit of a revocation, until it is confirmed that no node accepts the tokens any more: by the
 * library, over HTTP, and by the command line, whose process starts for each revocation. Over PostgreSQL with three other nodes
 * that have nothing to do; then with one of them dead.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { type Auth, createAuth } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import type { Harness } from "../harness/harness.ts";
import { quantile } from "../harness/statistics.ts";
import { type Child, startChild } from "../http/child.ts";
import { signingKey } from "../refresh/crowd.ts";
import type { ConfirmedByServer } from "./serve.ts";

/** Seconds. */
const maxStaleness = 1;

const main = join(import.meta.dirname, "../../src/cli/main.ts");

/** Milliseconds: from the commit until the confirmation, and of the whole call. */
interface Confirmed {
  readonly by: string;
  readonly fromCommit: number;
  readonly whole: number;
}

/** What revokes one session. */
type Revoke = () => Promise<Confirmed>;

export async function measureConfirmation(harness: Harness): Promise<void> {
  const postgres = await startPostgres({ fsync: "on" });
  const store = postgresStore(postgres.url);
  await store.migrate();
  const auth = createAuth({ store, signingKey, maxStaleness, maxSessionsPerUser: null });
  await auth.ready();
  const nodes = [1, 2, 3].map(() => startChild("../revocation/node.ts", postgres.url, "tokenpair", `${maxStaleness}`));
  const server = startChild("../revocation/serve.ts", postgres.url, `${maxStaleness}`);
  const listener = new pg.Client(postgres.url);
  try {
    await Promise.all(nodes.map((node) => node.ask()));
    const { port } = await server.ask<{ port: number }>();
    await listener.connect();
    await listener.query("LISTEN tokenpair_revocations");
    const { id } = await auth.users.create({ username: "alice" });
    const byLibrary = createLibrary(auth, id);
    const count = harness.quick ? 100 : 1_000;
    harness.table(
      "From the commit of a revocation until it is confirmed, with three idle nodes over PostgreSQL",
      ["", "by acks", "p50 ms", "p99 ms", "max ms", "whole call, p50 ms"],
      [
        ["library", ...(await measure(byLibrary, count))],
        ["HTTP", ...(await measure(createHttp(auth, id, server, port), count))],
        ["command line", ...(await measure(createCommand(auth, id, listener, postgres.url), count / 10))],
      ],
    );
    await nodes[0]?.kill();
    harness.table(
      `The same by the library after a node was killed, with \`maxStaleness\` ${maxStaleness}`,
      ["", "by acks", "by expiry", "p50 ms", "max ms", "last expiry after ms"],
      [["one node of three is dead", ...(await measureDead(byLibrary))]],
    );
  } finally {
    await listener.end();
    for (const child of [...nodes.slice(1), server]) await child.stop();
    await auth.close();
    await store.close();
    await postgres.stop();
  }
}

async function measure(revoke: Revoke, count: number): Promise<readonly string[]> {
  const all: Confirmed[] = [];
  for (let i = 0; i < count; i++) {
    all.push(await revoke());
    // At no fixed distance, so that no poll is met again and again.
    await setTimeout(Math.random() * 20);
  }
  const sorted = all.map(({ fromCommit }) => fromCommit).sort((a, b) => a - b);
  const whole = all.map((one) => one.whole).sort((a, b) => a - b);
  const acks = all.filter(({ by }) => by === "acks").length;
  return [
    `${acks} of ${count}`,
    ...[0.5, 0.99, 1].map((q) => quantile(sorted, q).toFixed(1)),
    quantile(whole, 0.5).toFixed(1),
  ];
}

/** Revokes for four times as long as the dead node may delay it. */
async function measureDead(revoke: Revoke): Promise<readonly string[]> {
  const killedAt = performance.now();
  const all: (Confirmed & { readonly at: number })[] = [];
  const started: Promise<void>[] = [];
  while (performance.now() - killedAt < 8_000 * maxStaleness) {
    started.push(revoke().then((confirmed) => void all.push({ ...confirmed, at: performance.now() - killedAt })));
    await setTimeout(50);
  }
  await Promise.all(started);
  const sorted = all.map(({ fromCommit }) => fromCommit).sort((a, b) => a - b);
  const slow = all.filter(({ by }) => by !== "acks");
  return [
    `${all.length - slow.length}`,
    `${slow.length}`,
    ...[0.5, 1].map((q) => quantile(sorted, q).toFixed(1)),
    Math.max(0, ...slow.map(({ at }) => at)).toFixed(0),
  ];
}

function createLibrary(auth: Auth, userId: string): Revoke {
  return async () => {
    const { session } = await auth.issue(userId);
    let fromCommit = Number.NaN;
    const remove = auth.on((event) => {
      if (event.type === "revocation_confirmed") fromCommit = event.ms;
    });
    const startedAt = performance.now();
    const { confirmed = "" } = await auth.sessions.revoke(session.id, { confirmed: true });
    const whole = performance.now() - startedAt;
    remove();
    return { by: confirmed, fromCommit, whole };
  };
}

/** Logs a user's other sessions out, which is confirmed by default. */
function createHttp(auth: Auth, userId: string, server: Child, port: number): Revoke {
  return async () => {
    const { access } = await auth.issue(userId);
    const confirmed = server.ask<ConfirmedByServer>();
    const startedAt = performance.now();
    const response = await fetch(`http://127.0.0.1:${port}/api/auth/logout/`, {
      method: "POST",
      headers: { Authorization: `Bearer ${access}`, "Content-Type": "application/json" },
      body: '{"scope":"others"}',
    });
    await response.arrayBuffer();
    const whole = performance.now() - startedAt;
    const by = response.headers.get("Revocation-Confirmed") ?? `${response.status}`;
    return { by, fromCommit: (await confirmed).ms, whole };
  };
}

/** The commit is dated by the notification that follows it. */
function createCommand(auth: Auth, userId: string, listener: pg.Client, url: string): Revoke {
  const env = { ...process.env, TOKENPAIR_DATABASE_URL: url, TOKENPAIR_SIGNING_KEY: signingKey };
  return async () => {
    const { session } = await auth.issue(userId);
    const startedAt = performance.now();
    const committed = once(listener, "notification").then(() => performance.now());
    const running = promisify(execFile)(process.execPath, [main, "sessions", "revoke", session.id, "--json"], { env });
    let answeredAt = Number.NaN;
    running.child.stdout?.once("data", () => {
      answeredAt = performance.now();
    });
    const { stdout } = await running;
    const { confirmed } = JSON.parse(stdout) as { confirmed: string };
    return { by: confirmed, fromCommit: answeredAt - (await committed), whole: performance.now() - startedAt };
  };
}
