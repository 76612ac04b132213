import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { openNodes } from "../support/nodes.ts";
import { type PostgresServer, query } from "../support/postgres.ts";
import { createRecorder } from "../support/recorder.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { waitUntil } from "../support/wait-until.ts";
import { createRevocationTraffic } from "./revocations.ts";

/** How many revocations must be confirmed; `npm run proof -- revocation` sets it. */
const goal = Number(process.env["TOKENPAIR_REVOCATIONS"] ?? 0);

const minute = 60_000;

/** Seconds. */
const maxStaleness = 1;

/** Revocations in each round, of which one comes from the command line. */
const perRound = 40;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 5 * minute);

it.runIf(goal > 0)(
  "no node accepts a token after its revocation was confirmed, in thousands of revocations under every fault",
  async () => {
    const bound = maxStaleness * 1_000;
    const nodes = await openNodes({
      database: "PostgreSQL",
      servers: 0,
      env: { TOKENPAIR_MAX_STALENESS: String(maxStaleness), TOKENPAIR_LOG_LEVEL: "silent" },
      own: { maxStaleness, maxSessionsPerUser: null, confirmTimeout: 30 },
    });
    closing.push(nodes.close);
    const postgres = nodes.postgres as PostgresServer;
    // Every node of this installation has the same lease from its beginning.
    await query(postgres.url, `UPDATE tokenpair.installation SET longest_lease_ms = ${bound}`);
    const servers: ServerProcess[] = [];
    const wires: TcpProxy[] = [];
    const start = async (n: number, port = 0) => {
      const wire = wires[n] as TcpProxy;
      const env = { TOKENPAIR_DATABASE_URL: wire.toUrl(postgres.url), TOKENPAIR_NODE_NAME: `node ${n}` };
      servers[n] = await nodes.start(port, env);
    };
    for (let n = 0; n < 3; n++) {
      const wire = await startTcpProxy(postgres.port);
      closing.push(wire.close);
      wires.push(wire);
      await start(n);
    }
    const recorder = createRecorder({
      ...{ reuseInterval: 10, revocationBound: bound, maxStaleness: bound },
      invariants: ["I3", "I13", "I14"],
    });
    const userId = await nodes.addUser("alice", "correct horse battery staple");
    const urls = servers.map(({ url }) => url);
    const traffic = createRevocationTraffic(nodes, recorder, { userId, urls });

    /** Each returns when the fault is over. */
    const faults: Readonly<Record<string, (n: number) => Promise<unknown>>> = {
      nothing: () => sleep(bound),
      async kill(n) {
        const { port } = servers[n] as ServerProcess;
        await servers[n]?.kill();
        await sleep(2 * bound);
        await start(n, port);
      },
      async stop(n) {
        servers[n]?.process.kill("SIGSTOP");
        await sleep(bound * (0.3 + 2 * Math.random())).finally(() => servers[n]?.process.kill("SIGCONT"));
      },
      async partition(n) {
        wires[n]?.cut();
        await sleep(1.5 * bound).finally(() => wires[n]?.mend());
      },
      async silence(n) {
        wires[n]?.hold(Math.random() < 0.5 ? "answers" : "everything");
        await sleep(1.5 * bound).finally(() => wires[n]?.mend());
      },
      async slowWire(n) {
        wires[n]?.delay(50 + 300 * Math.random());
        await sleep(2 * bound).finally(() => wires[n]?.mend());
      },
      async emptiedRegistry(n) {
        wires[n]?.cut();
        await postgres.restart({ crash: true });
        await waitUntil("the database answers", () =>
          query(postgres.url, "DELETE FROM tokenpair.nodes").then(
            () => true,
            () => false,
          ),
        );
        await sleep(bound).finally(() => wires[n]?.mend());
      },
    };

    const names = Object.keys(faults);
    const confirmed = () => traffic.counts.acks + traffic.counts.expiry;
    for (let round = 0; confirmed() < goal; round++) {
      const name = names[round % names.length] as string;
      const n = Math.floor(round / names.length) % 3;
      const byCommand = async (sessionId: string) =>
        JSON.parse(await nodes.run("sessions", "revoke", sessionId, "--json"));
      await recorder.fault(name, () =>
        Promise.all([faults[name]?.(n), traffic.revoke(perRound), traffic.revokeOne(byCommand)]),
      );
      await traffic.settle();
      console.log(`round ${round + 1}, ${name}: ${confirmed()} of ${goal} confirmed`);
    }

    await expect.poll(() => traffic.revokeOne()).toBe("acks");
    await traffic.settle();
    const { judged } = recorder.expectSound();
    const { acks, expiry, pending, unanswered } = traffic.counts;
    console.log(
      `revocations: ${acks} confirmed by acks, ${expiry} by expiry, ${pending} pending, ${unanswered} unanswered; ` +
        `${judged.get("I13")} requests after a confirmed answer, 0 accepted`,
    );
  },
  300 * minute,
);
