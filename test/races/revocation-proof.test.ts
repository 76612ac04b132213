import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterEach, expect, it } from "vitest";
import { AuthError } from "../../src/core/errors.ts";
import { createDeps } from "../../src/create-deps.ts";
import { authenticate } from "../../src/flows/tokens/authenticate.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { type PostgresServer, query } from "../support/postgres.ts";
import { createRecorder } from "../support/recorder.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { waitUntil } from "../support/wait-until.ts";
import { startReader } from "./reader.ts";
import { createRevocationTraffic, type Verifier } from "./revocations.ts";

/** How many revocations must be confirmed; `npm run proof -- revocation` sets it. */
const goal = Number(process.env["TOKENPAIR_REVOCATIONS"] ?? 0);

const minute = 60_000;

/** Seconds. */
const maxStaleness = 1;

/** Milliseconds. */
const bound = maxStaleness * 1_000;

/** Revocations in each round, of which one comes from the command line. */
const perRound = 40;

const suspendedClock = pathToFileURL(resolve(import.meta.dirname, "../support/suspended-clock.ts")).href;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 5 * minute);

/** A server process whose machine can be suspended. */
interface Machine {
  server: ServerProcess;
  /** Milliseconds for which the process was suspended. */
  suspended: number;
  /** Tells the process for how long it was suspended. */
  readonly write: (suspended: number) => void;
  readonly start: (port?: number) => Promise<void>;
}

async function startMachine(nodes: Nodes, name: string, databaseUrl: string): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-machine-"));
  closing.push(async () => rmSync(folder, { recursive: true }));
  const file = join(folder, "suspended");
  const env = {
    TOKENPAIR_DATABASE_URL: databaseUrl,
    TOKENPAIR_NODE_NAME: name,
    NODE_OPTIONS: `--import=${suspendedClock}`,
    SUSPENDED_FILE: file,
  };
  const machine: Machine = {
    server: undefined as unknown as ServerProcess,
    suspended: 0,
    write(suspended) {
      machine.suspended = suspended;
      // In one step: the process may be reading.
      writeFileSync(`${file}.new`, String(suspended));
      renameSync(`${file}.new`, file);
    },
    async start(port = 0) {
      machine.write(0);
      machine.server = await nodes.start(port, env);
    },
  };
  await machine.start();
  return machine;
}

/** Opens a node of the test's own process, whose reader has no database. */
async function openReader(databaseUrl: string, { signingKey }: Nodes) {
  const store = postgresStore(databaseUrl);
  closing.push(store.close);
  const settings = { maxStaleness, maxSessionsPerUser: null };
  const { deps, confirmer, signals, auditQueue, storeMonitor } = createDeps(
    { store, signingKey, ...settings },
    () => {},
  );
  closing.push(async () => {
    const left = deps.feed.stop();
    confirmer.stop();
    signals.stop();
    await Promise.all([left, storeMonitor.stop(), auditQueue.stop()]);
  });
  await deps.feed.start();
  const reader = startReader(deps.readers, { maxStaleness, name: "reader" });
  closing.push(reader.stop);
  const verifier: Verifier = {
    ask: async (access) => {
      try {
        await authenticate(deps, access);
        return "ok";
      } catch (error) {
        return error instanceof AuthError && error.code === "unavailable" ? "unknown" : "refused";
      }
    },
  };
  return { reader, verifiers: [verifier, reader] };
}

/** What a fault happens to: one of three servers, and a connection to the database. */
interface Target {
  readonly machine: Machine;
  readonly wire: TcpProxy;
}

/** Faults that may happen together with another. A server that starts needs the database. */
const isPossiblePair = (...names: readonly string[]) =>
  !names.includes("emptiedRegistry") || !(names.includes("kill") || names[0] === names[1]);

it.runIf(goal > 0)(
  "no node accepts a token after its revocation was confirmed, in thousands of revocations under every fault",
  async () => {
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
    const machines: Machine[] = [];
    const wires: TcpProxy[] = [];
    for (let n = 0; n <= 3; n++) {
      const wire = await startTcpProxy(postgres.port);
      closing.push(wire.close);
      wires.push(wire);
      if (n < 3) machines.push(await startMachine(nodes, `node ${n}`, wire.toUrl(postgres.url)));
    }
    const { reader, verifiers } = await openReader((wires[3] as TcpProxy).toUrl(postgres.url), nodes);
    const recorder = createRecorder({
      ...{ reuseInterval: 10, revocationBound: bound, maxStaleness: bound },
      invariants: ["I3", "I13", "I14"],
    });
    const userId = await nodes.addUser("alice", "correct horse battery staple");
    const urls = machines.map(({ server }) => server.url);
    const traffic = createRevocationTraffic(nodes, recorder, { userId, urls, verifiers });

    async function onReader(change: Partial<typeof reader.wire>): Promise<void> {
      Object.assign(reader.wire, change);
      await sleep(1.5 * bound);
      Object.assign(reader.wire, { isCut: false, isHeld: false, delay: 0 });
    }

    /** Each returns when the fault is over. */
    const faults: Readonly<Record<string, (target: Target) => Promise<unknown>>> = {
      nothing: () => sleep(bound),
      async kill({ machine }) {
        const { port } = machine.server;
        await machine.server.kill();
        await sleep(2 * bound);
        await machine.start(port);
      },
      async stop({ machine: { server } }) {
        server.process.kill("SIGSTOP");
        await sleep(bound * (0.3 + 2 * Math.random())).finally(() => server.process.kill("SIGCONT"));
      },
      async suspend({ machine }) {
        const { process: child } = machine.server;
        child.kill("SIGSTOP");
        const stoppedAt = performance.now();
        await sleep(bound * (0.3 + 2 * Math.random()));
        machine.write(machine.suspended + performance.now() - stoppedAt);
        child.kill("SIGCONT");
      },
      async partition({ wire }) {
        wire.cut();
        await sleep(1.5 * bound).finally(() => wire.mend());
      },
      async silence({ wire }) {
        wire.hold(Math.random() < 0.5 ? "answers" : "everything");
        await sleep(1.5 * bound).finally(() => wire.mend());
      },
      async slowWire({ wire }) {
        wire.delay(50 + 300 * Math.random());
        await sleep(2 * bound).finally(() => wire.mend());
      },
      async emptiedRegistry({ wire }) {
        wire.cut();
        await postgres.restart({ crash: true });
        await waitUntil("the database answers", () =>
          query(postgres.url, "DELETE FROM tokenpair.nodes").then(
            () => true,
            () => false,
          ),
        );
        await sleep(bound).finally(() => wire.mend());
      },
      readerCutOff: () => onReader({ isCut: true }),
      readerSilent: () => onReader({ isHeld: true }),
      readerSlow: () => onReader({ delay: 20 + 200 * Math.random() }),
    };

    const names = Object.keys(faults);
    const pick = () => names[Math.floor(Math.random() * names.length)] as string;
    const happened = new Map<string, number>();
    const byCommand = async (sessionId: string) =>
      JSON.parse(await nodes.run("sessions", "revoke", sessionId, "--json"));
    const confirmed = () => traffic.counts.acks + traffic.counts.expiry;
    const toTarget = (machine: number, wire: number): Target => ({
      machine: machines[machine] as Machine,
      wire: wires[wire] as TcpProxy,
    });
    for (let round = 0; confirmed() < goal; round++) {
      const name = names[round % names.length] as string;
      const n = Math.floor(round / names.length) % 4;
      // Every other time, something else happens to another server.
      let other = Math.floor(round / names.length) % 2 === 0 ? "nothing" : pick();
      if (!isPossiblePair(name, other)) other = "nothing";
      const next = ((n % 3) + 1) % 3;
      const both = [name, other].filter((one, i) => i === 0 || one !== "nothing");
      for (const one of both) happened.set(one, (happened.get(one) ?? 0) + 1);
      await recorder.fault(both.join(" and "), () =>
        Promise.all([
          faults[name]?.(toTarget(n % 3, n)),
          faults[other]?.(toTarget(next, next)),
          traffic.revoke(perRound - 1),
          traffic.revokeOne(byCommand),
        ]),
      );
      await traffic.settle();
      console.log(`round ${round + 1}, ${both.join(" and ")}: ${confirmed()} of ${goal} confirmed`);
    }

    await expect.poll(() => traffic.revokeOne()).toBe("acks");
    await traffic.settle();
    const { judged } = recorder.expectSound();
    expect(reader.accepted).toBeGreaterThan(0.5 * goal);
    const { acks, expiry, pending, unanswered } = traffic.counts;
    console.log(`revocations: faults: ${[...happened].map(([name, times]) => `${times} × ${name}`).join(", ")}`);
    console.log(
      `revocations: ${acks} confirmed by acks, ${expiry} by expiry, ${pending} pending, ${unanswered} unanswered; ` +
        `${judged.get("I13")} requests after a confirmed answer, 0 accepted`,
    );
  },
  300 * minute,
);
