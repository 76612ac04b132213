import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import type { Confirmation } from "../../src/core/revocation.ts";
import { createRevocationTraffic, type Revoke, type Verifier } from "../races/revocations.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { query } from "../support/postgres.ts";
import { createRecorder } from "../support/recorder.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { waitUntil } from "../support/wait-until.ts";
import { report } from "./delays.ts";
import { type Issuer, type Issuers, openIssuers } from "./issuers.ts";
import { findMissing, type ServiceOptions, startService, type VerifyingService } from "./services.ts";

/** How many revocations must be confirmed; `npm run proof -- verifiers` sets it. */
const goal = Number(process.env["TOKENPAIR_CONFIRMATIONS"] ?? 40);

const minute = 60_000;

/** Seconds. */
const maxStaleness = 1;

/** Milliseconds. */
const bound = maxStaleness * 1_000;

const perRound = 40;

/** The credential of the relay's own reader. */
const relay = `tps_${"r".repeat(43)}`;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 5 * minute);

/** A service, and what is between it and where it reads. */
interface Reader {
  readonly service: VerifyingService;
  readonly wire: TcpProxy;
  /** How often it answered with each status. */
  readonly answers: Map<number, number>;
}

async function openReader(port: number, name: Parameters<typeof startService>[0], options: Partial<ServiceOptions>) {
  const wire = await startTcpProxy(port);
  closing.push(wire.close);
  const url = `http://127.0.0.1:${wire.port}`;
  const service = await startService(name, { credential: relay, ...options, url, maxStaleness });
  closing.push(service.stop);
  return { service, wire, answers: new Map() } satisfies Reader;
}

/** Starts services of every kind that is read in the background, one of them behind another, and one that reads at requests. */
async function openReaders({ servers, credential }: Issuers): Promise<readonly Reader[]> {
  const [first = 0, second = 0] = servers.map(({ server }) => server.port);
  const upper = await openReader(first, "node", { credential, relay });
  const readers = [
    upper,
    await openReader(Number(new URL(upper.service.url).port), "node", {}),
    await openReader(first, "node", { credential }),
    await openReader(second, "node", { credential, reads: "poll" }),
    await openReader(second, "node", { credential, reads: "pull" }),
  ];
  for (const [port, name] of [
    [first, "python"],
    [second, "bun"],
    [first, "deno"],
  ] as const) {
    if (findMissing(name) === null) readers.push(await openReader(port, name, { credential }));
  }
  return readers;
}

/** Logs a user out everywhere by a server, which answers how that was confirmed. */
const byServer =
  ({ server }: Issuer): Revoke =>
  async (_, { access }) => {
    const response = await fetch(`${server.url}/api/auth/logout/`, {
      method: "POST",
      headers: { Authorization: `Bearer ${access}`, "Content-Type": "application/json" },
      body: '{"scope":"all"}',
      signal: AbortSignal.timeout(40_000),
    });
    await response.arrayBuffer();
    if (response.status >= 300) throw new Error(`the server answered ${response.status}`);
    return { confirmed: response.headers.get("Revocation-Confirmed") as Confirmation };
  };

const chance = (share: number) => Math.random() < share;
const pickOf = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;

it.runIf(hasLongTests)(
  "no service accepts a token after its revocation was confirmed, in thousands of revocations under every fault",
  async () => {
    const issuers = await openIssuers({
      maxStaleness,
      env: { TOKENPAIR_CONFIRM_TIMEOUT: "30" },
      own: { confirmTimeout: 30 },
    });
    closing.push(issuers.close);
    const { nodes, servers, postgres } = issuers;
    // Every node of this installation has the same lease from its beginning.
    await query(postgres.url, `UPDATE tokenpair.installation SET longest_lease_ms = ${bound}`);
    const readers = await openReaders(issuers);
    const [upper, lower] = readers as readonly [Reader, Reader];
    const recorder = createRecorder({
      ...{ reuseInterval: 10, revocationBound: bound, maxStaleness: bound },
      invariants: ["I13", "I14"],
    });
    /** A service that reads at requests confirms nothing before its lease is over: in some rounds, it isn't asked. */
    let arePullsAsked = true;
    const verifiers = readers.map(
      ({ service, answers }): Verifier => ({
        async ask(access) {
          if (service.reads === "pull" && !arePullsAsked) return "unknown";
          const status = await service.ask(access, 10_000);
          answers.set(status, (answers.get(status) ?? 0) + 1);
          return status === 200 ? "ok" : status === 401 ? "refused" : "unknown";
        },
      }),
    );
    let users = 0;
    const traffic = createRevocationTraffic(nodes, recorder, {
      async userId() {
        users += 1;
        return (await nodes.auth.users.create({ username: `user ${users}` })).id;
      },
      urls: servers.map(({ server }) => server.url),
      verifiers,
      parallel: 10,
    });

    const restart = async ({ service, wire }: Reader) => {
      await service.kill();
      await sleep(bound * Math.random());
      await service.start();
      if (wire === upper.wire) lower.wire.lead(Number(new URL(service.url).port));
    };

    /** Each returns when the fault is over. */
    const faults: Readonly<Record<string, (issuer: Issuer, reader: Reader) => Promise<unknown>>> = {
      nothing: () => sleep(bound),
      async "service killed"(_, reader) {
        await restart(reader);
      },
      async "service stopped"(_, { service }) {
        service.process.kill("SIGSTOP");
        await sleep(bound * (0.3 + 2 * Math.random())).finally(() => service.process.kill("SIGCONT"));
      },
      async "link cut"(_, { wire }) {
        wire.cut();
        await sleep(1.5 * bound).finally(() => wire.mend());
      },
      async "link silent"(_, { wire }) {
        wire.hold(chance(0.5) ? "answers" : "everything");
        await sleep(bound * (0.3 + 1.5 * Math.random())).finally(() => wire.mend());
      },
      async "link slow"(_, { wire }) {
        wire.delay(20 + 300 * Math.random());
        // What is under way must not be overtaken.
        await sleep(2 * bound).finally(() => wire.cut());
        wire.mend();
      },
      async "link to another server"(_, { wire }) {
        if (wire === lower.wire) return;
        wire.lead(pickOf(servers).server.port);
        wire.cut();
        wire.mend();
        await sleep(bound);
      },
      async "server killed"(issuer) {
        await issuer.server.kill();
        await sleep(1.5 * bound);
        await issuer.restart();
      },
      async "server stopped"({ server }) {
        server.process.kill("SIGSTOP");
        await sleep(bound * (0.3 + 2 * Math.random())).finally(() => server.process.kill("SIGCONT"));
      },
      async "server cut off from the database"({ databaseWire }) {
        databaseWire.cut();
        await sleep(1.5 * bound).finally(() => databaseWire.mend());
      },
      async "server with a slow database"({ databaseWire }) {
        databaseWire.delay(50 + 200 * Math.random());
        await sleep(2 * bound).finally(() => databaseWire.cut());
        databaseWire.mend();
      },
    };

    const names = Object.keys(faults);
    const confirmed = () => traffic.counts.acks + traffic.counts.expiry;
    const happened = new Map<string, number>();
    for (let round = 0; confirmed() < goal; round += 1) {
      arePullsAsked = round % 4 === 0;
      const [issuer, other] = (chance(0.5) ? servers : servers.toReversed()) as readonly [Issuer, Issuer];
      const [reader, another] = [...readers].sort(() => Math.random() - 0.5) as [Reader, Reader];
      const first = names[round % names.length] as string;
      // Every other time, something else happens to another service or server.
      const second = round % 2 === 0 ? "nothing" : pickOf(names);
      const both = [first, second].filter((name, i) => i === 0 || name !== "nothing");
      for (const name of both) happened.set(name, (happened.get(name) ?? 0) + 1);
      await recorder.fault(both.join(" and "), () =>
        Promise.all([
          faults[first]?.(issuer, reader),
          faults[second]?.(other, another),
          traffic.revoke(Math.min(perRound, goal), () => (chance(0.5) ? undefined : byServer(pickOf(servers)))),
        ]),
      );
      await traffic.settle();
      console.log(`round ${round + 1}, ${both.join(" and ")}: ${confirmed()} of ${goal} confirmed`);
    }

    arePullsAsked = false;
    for (const { service } of readers) {
      if (service.reads === "pull" || service.name.startsWith("python")) continue;
      const isReady = async () => (await service.status().catch(() => null))?.ready === true;
      await waitUntil(`${service.name} is fresh`, isReady);
    }
    await expect.poll(() => traffic.revokeOne(), { interval: 1_000 }).toBe("acks");
    await traffic.settle();
    const { judged } = recorder.expectSound();
    for (const { service, answers } of readers) {
      const toCount = (status: number) => `${answers.get(status) ?? 0} × ${status}`;
      report(`confirmations: ${service.name} answered ${[200, 401, 503, 0].map(toCount).join(", ")}`);
      expect(answers.get(200)).toBeGreaterThan(0);
      expect(answers.get(401)).toBeGreaterThan(0);
    }
    const { acks, expiry, pending, unanswered } = traffic.counts;
    report(`confirmations: faults: ${[...happened].map(([name, times]) => `${times} × ${name}`).join(", ")}`);
    report(
      `confirmations: ${acks} by acks, ${expiry} by expiry, ${pending} pending, ${unanswered} unanswered; ` +
        `${judged.get("I13")} requests after a confirmed answer, 0 accepted`,
    );
  },
  120 * minute,
);
