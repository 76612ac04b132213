/**
 * A route that does nothing, bare and behind a check of who asks, in several frameworks. Each server and the load generator
 * have a process of their own; with two processors that is one each.
 */
import type { Contender } from "./harness/comparison.ts";
import type { Harness } from "./harness/harness.ts";
import { type Child, startChild } from "./http/child.ts";
import { frameworks, loadStarts } from "./http/frameworks.ts";
import type { Load, LoadResult } from "./http/load.ts";
import { host, type Served } from "./http/served.ts";

/** What is wanted of ours, of the requests that the bare server answers. */
const goals: Readonly<Record<(typeof frameworks)[number], number>> = {
  node: 0.92,
  fastify: 0.95,
  hono: 0.95,
  express: 0.95,
};

/** What is held against them. */
const judged = ["tokenpair", "tokenpair, around the handler"];

/** Servers that let everybody pass. */
const unguarded = ["bare", "a middleware that does nothing", "a hook that does nothing"];

export async function run(harness: Harness): Promise<void> {
  const load = startChild("load.ts");
  try {
    for (const framework of frameworks) await compareIn(framework, load, harness);
  } finally {
    await load.stop();
  }
}

async function compareIn(framework: (typeof frameworks)[number], load: Child, harness: Harness): Promise<void> {
  const servers: Child[] = [];
  const contenders: Record<string, Contender> = {};
  try {
    for (const name of Object.keys(await loadStarts(framework))) {
      const server = startChild("serve.ts", framework, name);
      servers.push(server);
      const served = await server.ask<Served>();
      await checkGuard(served, !unguarded.includes(name));
      const seconds = (harness.roundTime * 6) / 1000;
      contenders[name] = () => measureRound(server, load, { ...served, seconds });
      // A server is not yet compiled when it has just started.
      await measureRound(server, load, { ...served, seconds: seconds * 4 });
    }
    const results = await harness.compare({
      title: framework,
      columns: ["CPU µs", "requests/s"],
      better: "lower",
      baseline: "bare",
      contenders,
    });
    for (const name of judged.filter((name) => name in contenders)) {
      const rates = results.multiple(name, "bare", "requests/s");
      harness.goal(`${framework}, ${name}: requests per second, of the bare server's`, rates, goals[framework]);
      harness.goal(
        `${framework}, ${name}: requests per time on the CPU, likewise`,
        results.ratio(name),
        goals[framework],
      );
    }
  } finally {
    for (const server of servers) await server.stop();
  }
}

/** One round: what a request costs the server's process, and how many are answered while the generator does its best. */
async function measureRound(server: Child, load: Child, work: Load) {
  const before = await server.ask<NodeJS.CpuUsage>({});
  const { answered, failed, seconds } = await load.ask<LoadResult>(work);
  const after = await server.ask<NodeJS.CpuUsage>({});
  if (failed > 0) throw new Error(`${failed} of ${answered + failed} requests failed`);
  const cpu = after.user + after.system - before.user - before.system;
  return { "CPU µs": cpu / answered, "requests/s": answered / seconds };
}

/** Nobody is measured who lets everybody pass. */
async function checkGuard({ port, requests: [headers = {}] }: Served, isGuarded: boolean): Promise<void> {
  const url = `http://${host}:${port}/`;
  const [with_, without] = [await fetch(url, { headers }), await fetch(url)];
  if (with_.status !== 200 || without.status !== (isGuarded ? 401 : 200)) {
    throw new Error(`a server answers ${with_.status} with credentials and ${without.status} without`);
  }
}
