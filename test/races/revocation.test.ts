import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { type Nodes, openNodes } from "../support/nodes.ts";
import type { PostgresServer } from "../support/postgres.ts";
import { createRecorder, type Recorder } from "../support/recorder.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { createRevocationTraffic, type RevocationTraffic } from "./revocations.ts";

const minute = 60_000;

/** Seconds. */
const maxStaleness = 1;

/** Milliseconds for which a node is stopped or cut off: longer than `maxStaleness`. */
const outage = 1_300;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 5 * minute);

const env = { TOKENPAIR_MAX_STALENESS: String(maxStaleness), TOKENPAIR_LOG_LEVEL: "silent" };
const own = { maxStaleness, maxSessionsPerUser: null, confirmTimeout: 30 };

function record(): Recorder {
  const bound = maxStaleness * 1_000;
  const settings = { reuseInterval: 10, revocationBound: bound, maxStaleness: bound };
  return createRecorder({ ...settings, invariants: ["I3", "I13", "I14"] });
}

async function createTraffic(nodes: Nodes, recorder: Recorder, urls: readonly string[]): Promise<RevocationTraffic> {
  const userId = await nodes.addUser("alice", "correct horse battery staple");
  return createRevocationTraffic(nodes, recorder, { userId, urls });
}

/** Stops a process for a while, as a long pause of the garbage collector or of the machine does. */
async function pause({ process: child }: ServerProcess, ms: number, meanwhile: () => Promise<unknown>): Promise<void> {
  child.kill("SIGSTOP");
  await Promise.all([sleep(ms), meanwhile()]).finally(() => child.kill("SIGCONT"));
}

async function expectSound(traffic: RevocationTraffic, recorder: Recorder, what: string): Promise<void> {
  await traffic.settle();
  const { judged } = recorder.expectSound();
  const { acks, expiry, pending, unanswered } = traffic.counts;
  console.log(
    `revocations: ${what}: ${acks} confirmed by acks, ${expiry} by expiry, ${pending} pending, ${unanswered} unanswered; ` +
      `${judged.get("I13")} requests after a confirmed answer, 0 accepted`,
  );
  expect(judged.get("I13")).toBeGreaterThan(0);
}

it(
  "no node over PostgreSQL accepts a token after its revocation was confirmed, whatever is killed, stopped or cut off",
  async () => {
    const nodes = await openNodes({ database: "PostgreSQL", servers: 0, env, own });
    closing.push(nodes.close);
    const { url, port } = nodes.postgres as PostgresServer;
    const start = async (name: string): Promise<[ServerProcess, TcpProxy]> => {
      const wire = await startTcpProxy(port);
      closing.push(wire.close);
      const more = { TOKENPAIR_DATABASE_URL: wire.toUrl(url), TOKENPAIR_NODE_NAME: name };
      return [await nodes.start(0, more), wire];
    };
    const [[killed], [stopped], [cutOff, wire]] = await Promise.all(
      ["killed", "stopped", "cut off"].map(start) as [
        ReturnType<typeof start>,
        ReturnType<typeof start>,
        ReturnType<typeof start>,
      ],
    );
    const recorder = record();
    const traffic = await createTraffic(
      nodes,
      recorder,
      [killed, stopped, cutOff].map((server) => server.url),
    );
    const readNames = async () => (await nodes.store.nodes.readRegistry()).nodes.map(({ name }) => name);
    await expect.poll(readNames).toEqual(expect.arrayContaining(["killed", "stopped", "cut off"]));

    await traffic.revoke(40);
    await killed.kill();
    await traffic.revoke(15);
    await pause(stopped, outage, () => traffic.revoke(15));
    wire.cut();
    await Promise.all([sleep(outage), traffic.revoke(15)]);
    wire.mend();
    await traffic.revoke(15);

    // The dead node delays confirmations for a short time only.
    await expect.poll(readNames).not.toContain("killed");
    await expect.poll(() => traffic.revokeOne()).toBe("acks");
    await expectSound(traffic, recorder, "three nodes over PostgreSQL");
  },
  5 * minute,
);

it(
  "no process over SQLite accepts a token after its revocation was confirmed, whichever is killed or stopped",
  async () => {
    const nodes = await openNodes({ database: "SQLite", servers: 2, env, own });
    closing.push(nodes.close);
    const [killed, stopped] = nodes.servers as readonly [ServerProcess, ServerProcess];
    const recorder = record();
    const traffic = await createTraffic(nodes, recorder, [killed.url, stopped.url]);
    const countNodes = async () => (await nodes.store.nodes.readRegistry()).nodes.length;
    // A node that was too slow at first has registered twice.
    await expect.poll(countNodes).toBe(3);

    await traffic.revoke(40);
    await pause(stopped, outage, () => traffic.revoke(30));
    await killed.kill();
    await traffic.revoke(30);

    await expect.poll(countNodes).toBe(2);
    await expect.poll(() => traffic.revokeOne()).toBe("acks");
    await expectSound(traffic, recorder, "two processes over SQLite");
  },
  5 * minute,
);
