/**
 * What logins cost: how many passwords the queue hashes in a second beside the bare library, and how long requests with
 * access tokens wait while users log in.
 */
import { availableParallelism } from "node:os";
import { hash } from "@node-rs/argon2";
import { owaspCost } from "../src/core/settings/password-cost.ts";
import { createPasswordHasher } from "../src/crypto/passwords.ts";
import { type Auth, createAuth, type Settings } from "../src/index.ts";
import { sqliteStore } from "../src/store/sqlite/index.ts";
import type { Contender, Figures } from "./harness/comparison.ts";
import type { Harness } from "./harness/harness.ts";
import { quantile } from "./harness/statistics.ts";

const alice = { username: "alice", password: "correct horse battery staple" };

export async function run(harness: Harness): Promise<void> {
  await compareThroughput(harness);
  await compareLatency(harness);
  await compareConcurrency(harness);
}

async function compareThroughput(harness: Harness): Promise<void> {
  const cores = availableParallelism();
  const count = harness.quick ? 24 : 96;
  const queued = (settings: Partial<Settings>): Contender => {
    const hasher = createPasswordHasher({ ...settings, passwordQueueLimit: count });
    return () => timeHashes(count, count, (password) => hasher.hash(password));
  };
  const bare = (password: string) => hash(password, owaspCost);
  const results = await harness.compare({
    title: `${count} passwords to hash at OWASP's parameters`,
    columns: ["hashes/s"],
    better: "higher",
    baseline: "the bare library, all at once",
    contenders: {
      "our queue, one for each core": queued({ passwordHashConcurrency: cores }),
      "our queue, as many as by default": queued({}),
      "the bare library, all at once": () => timeHashes(count, count, bare),
    },
  });
  harness.goal("our queue against the bare library", results.ratio("our queue, one for each core"), 0.95);
}

async function timeHashes(
  count: number,
  atATime: number,
  call: (password: string) => Promise<unknown>,
): Promise<Figures> {
  let next = 0;
  const startedAt = performance.now();
  const work = async () => {
    while (next < count) await call(`password ${next++}`);
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return { "hashes/s": count / ((performance.now() - startedAt) / 1_000) };
}

const columns = ["p99 ms", "p50 ms", "max ms", "logins/s", "shed/s"] as const;

async function compareLatency(harness: Harness): Promise<void> {
  const node = await openNode();
  const seconds = harness.quick ? 1 : 2;
  await harness.compare({
    title: "`auth.authenticate`, 500 a second, from when it was due until it was done",
    columns,
    better: "lower",
    baseline: "no logins",
    contenders: {
      "no logins": () => timeRequests(node, { logins: 0, seconds }),
      "50 logins a second": () => timeRequests(node, { logins: 50, seconds }),
      "1,000 logins a second": () => timeRequests(node, { logins: 1_000, seconds }),
    },
  });
  await node.close();
}

async function compareConcurrency(harness: Harness): Promise<void> {
  const seconds = harness.quick ? 1 : 2;
  const nodes = new Map<number, Node>();
  for (const concurrency of [1, 2, 3]) {
    nodes.set(concurrency, await openNode({ passwordHashConcurrency: concurrency }));
  }
  const contenders = [...nodes].map(([concurrency, node]): [string, Contender] => [
    String(concurrency),
    () => timeRequests(node, { logins: 1_000, seconds }),
  ]);
  await harness.compare({
    title: `\`auth.authenticate\` under 1,000 logins a second, by \`passwordHashConcurrency\`, on ${availableParallelism()} cores`,
    columns,
    better: "lower",
    baseline: "1",
    contenders: Object.fromEntries(contenders),
  });
  for (const node of nodes.values()) await node.close();
}

interface Node {
  readonly auth: Auth;
  readonly headers: Headers;
  close(): Promise<void>;
}

/** Logins that are under way count as failures until they are not; here there are many of one account. */
const undelayed = { loginFailuresBeforeDelay: 0, accountFailuresBeforeDelay: 0, addressFailuresBeforeDelay: 0 };

/** A node over SQLite in memory, and the headers of a user who is logged in. */
async function openNode(settings: Partial<Settings> = {}): Promise<Node> {
  const store = sqliteStore(":memory:");
  await store.migrate();
  const signingKey = "a signing key of this benchmark only";
  const auth = createAuth({ ...undelayed, ...settings, store, signingKey, verifyCacheSize: 0 });
  await auth.ready();
  await auth.users.create(alice);
  const { access } = await auth.login(alice);
  return {
    auth,
    headers: new Headers({ Authorization: `Bearer ${access}` }),
    async close() {
      auth.close();
      await store.close();
    },
  };
}

/** How often a request comes, in milliseconds. */
const interval = 2;

/** Requests with an access token at their times, and logins beside them at theirs; neither waits for the one before. */
async function timeRequests(
  { auth, headers }: Node,
  { logins, seconds }: { readonly logins: number; readonly seconds: number },
): Promise<Figures> {
  const outcomes = { done: 0, shed: 0 };
  const started: Promise<void>[] = [];
  const startedAt = performance.now();
  const storm = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * logins;
    while (started.length < due) started.push(logIn(auth, outcomes));
  }, 10);
  const latencies: number[] = [];
  for (let due = startedAt; due < startedAt + seconds * 1_000; due += interval) {
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    // Timers may be early, which is no gain of ours.
    const from = Math.min(due, performance.now());
    await auth.authenticate(headers);
    latencies.push(performance.now() - from);
  }
  const elapsed = (performance.now() - startedAt) / 1_000;
  const rates = { "logins/s": outcomes.done / elapsed, "shed/s": outcomes.shed / elapsed };
  clearInterval(storm);
  await Promise.all(started);
  latencies.sort((a, b) => a - b);
  return {
    "p50 ms": quantile(latencies, 0.5),
    "p99 ms": quantile(latencies, 0.99),
    "max ms": quantile(latencies, 1),
    ...rates,
  };
}

async function logIn(auth: Auth, outcomes: { done: number; shed: number }): Promise<void> {
  try {
    await auth.login(alice);
    outcomes.done += 1;
  } catch {
    outcomes.shed += 1;
  }
}
