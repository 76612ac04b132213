import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type Nodes, type NodesOptions, openNodes } from "../support/nodes.ts";
import { copyFolder, type PostgresServer, query, startStandby } from "../support/postgres.ts";
import { createAttempt, createRecorder, type Recorder } from "../support/recorder.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import type { Pair } from "../support/wire.ts";
import { chaosFactor } from "./factor.ts";
import { countOf, recordDatabase, untilAnswered, untilJudged, untilRotated } from "./progress.ts";
import { startTraffic } from "./traffic.ts";

const minute = 60_000;

/** Seconds. */
const maxStaleness = 4;

/** Rotations before the failover, and after it. */
const rotations = chaosFactor === 1 ? 30 : 60 * chaosFactor;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
}, 5 * minute);

async function open(options: Pick<NodesOptions, "servers" | "env" | "prepare">): Promise<Nodes> {
  const env = { TOKENPAIR_MAX_STALENESS: String(maxStaleness), TOKENPAIR_REUSE_INTERVAL: "0", ...options.env };
  const nodes = await openNodes({ ...options, database: "PostgreSQL", env, sharesWire: true });
  closing.push(nodes.close);
  return nodes;
}

function record(): Recorder {
  const bound = maxStaleness * 1_000;
  const settings = { reuseInterval: 0, revocationBound: bound, maxStaleness: bound };
  return createRecorder({ ...settings, audited: ["login", "reuse_detected", "logout"] });
}

describe("two servers over a PostgreSQL with a standby", () => {
  it(
    "loses no acknowledged change if the primary of PostgreSQL dies and its standby takes over",
    async () => {
      let standby = {} as PostgresServer;
      const nodes = await open({
        servers: 2,
        // The nodes trust their registry at once only in the start of the server in which it was created.
        async prepare(postgres) {
          standby = await startStandby(postgres);
          closing.push(standby.stop);
          await makeSynchronous(postgres);
        },
      });
      const [primary, wire] = [nodes.postgres as PostgresServer, nodes.databaseWire as TcpProxy];
      const recorder = record();
      const traffic = startTraffic(
        nodes,
        recorder,
        nodes.servers.map(({ url }) => url),
      );
      await untilRotated(recorder, rotations);
      await untilJudged(recorder);
      const judgedBefore = countConfirmed(recorder);
      await recorder.fault("failover", async () => {
        await primary.kill();
        await query(standby.url, "SELECT pg_promote()");
        wire.lead(standby.port);
      });
      await untilRotated(recorder, rotations);
      // Nothing is confirmed until the nodes trust the registry of the new primary, which takes half a minute.
      while (chaosFactor > 1 && countConfirmed(recorder) === judgedBefore) await sleep(200);
      await traffic.stop();
      await recordDatabase(nodes, recorder);

      const { judged } = recorder.expectSound();
      expect([...judged].filter(([, times]) => times === 0)).toEqual([]);
      const count = countOf(recorder);
      console.log(
        `failover: ${recorder.entries.length} lines of history, ${recorder.sessions().length} sessions, ` +
          `${count("rotated")} rotations, ${count("replayed")} replays, ${count("unknown")} requests without an answer, ` +
          "nothing lost",
      );
    },
    10 * minute * chaosFactor,
  );
});

describe("a server whose PostgreSQL was restored from an older copy", () => {
  it(
    "reports state_lost after PostgreSQL was restored from an older copy, and revokes no session",
    async () => {
      const nodes = await open({ servers: 1, env: { TOKENPAIR_LOG_LEVEL: "warn" } });
      const [postgres, server] = [nodes.postgres as PostgresServer, nodes.servers[0]];
      const recorder = record();
      const user = await nodes.addUser("alice", "correct horse battery staple");
      const logIn = () => recorder.issue(user, async () => (await nodes.auth.issue(user)) as Pair) as Promise<Pair>;
      const refresh = ({ refresh: text }: Pair) => {
        const attempt = createAttempt();
        return untilAnswered(() => recorder.refresh(server?.url ?? "", { text }, attempt));
      };

      const [busy, quiet] = [await logIn(), await logIn()];
      const copy = await mkdtemp(join(tmpdir(), "tokenpair-copy-"));
      closing.push(() => rm(copy, { recursive: true, force: true }));
      await postgres.restart({ whileDown: (dataFolder) => copyFolder(dataFolder, copy) });
      const later = await refresh(busy);
      expect(later.status).toBe(200);
      await postgres.restart({ whileDown: (dataFolder) => copyFolder(copy, dataFolder) });

      expect(await refresh(later.body as Pair)).toMatchObject({ status: 401, body: { code: "token_not_valid" } });
      expect((await refresh(quiet)).status).toBe(200);
      await recordDatabase(nodes, recorder);
      expect(recorder.entries.filter((entry) => entry.op === "row")).toMatchObject([
        { gen: 0, reason: null },
        { gen: 1, reason: null },
      ]);
      const readOutcomes = () =>
        [...(server?.log() ?? "").matchAll(/"outcome":"(\w+)"/g)].map(([, outcome]) => outcome);
      await expect.poll(readOutcomes).toEqual(["state_lost"]);
      // The history shows it too.
      expect(recorder.check().violations.map(({ invariant }) => invariant)).toContain("I10");
    },
    5 * minute,
  );
});

/** Returns how many requests came after a confirmed answer. */
const countConfirmed = (recorder: Recorder) => recorder.check().judged.get("I13") ?? 0;

/** From then on, a commit is acknowledged only when the standby has applied it. */
async function makeSynchronous({ url }: PostgresServer): Promise<void> {
  await query(url, "ALTER SYSTEM SET synchronous_commit = 'remote_apply'");
  await query(url, "ALTER SYSTEM SET synchronous_standby_names = '*'");
  await query(url, "SELECT pg_reload_conf()");
  while ((await query(url, "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'")) === 0) await sleep(20);
}
