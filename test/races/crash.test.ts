import { spawnSync } from "node:child_process";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { checkHistory } from "../../scripts/history/check.ts";
import { parseHistory } from "../../scripts/history/format.ts";
import { toHistoryOfLog } from "../../scripts/history/server-log.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { type PostgresServer, query } from "../support/postgres.ts";
import { createAttempt, createRecorder, type Recorder } from "../support/recorder.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import type { Pair } from "../support/wire.ts";
import { chaosFactor } from "./factor.ts";
import { countOf, recordDatabase, untilJudged, untilRotated } from "./progress.ts";
import { moreThanOthers, startTraffic } from "./traffic.ts";

const minute = 60_000;

/** Seconds. */
const maxStaleness = 2;

const env = {
  // Without a reuse interval, only the idempotency key makes a retry safe.
  TOKENPAIR_REUSE_INTERVAL: "0",
  TOKENPAIR_MAX_STALENESS: String(maxStaleness),
  TOKENPAIR_LOG_LEVEL: "info",
  TOKENPAIR_AUDIT_ROTATIONS: "true",
};

const settings = {
  reuseInterval: 0,
  // Holds on any machine: beyond it, a node fails closed.
  revocationBound: maxStaleness * 1_000,
  maxStaleness: maxStaleness * 1_000,
  audited: ["login", "rotation", "reuse_detected", "logout"],
} as const;

/** Rotations between two kills. Counts progress instead of time, so a slow machine only takes longer. */
const rotationsBetweenKills = chaosFactor === 1 ? 12 : 25;

/** By then, some client has retried a lost answer, however unlucky the kills. */
const maxRounds = 40 * chaosFactor;

describe.each([
  { database: "SQLite", servers: 1, rounds: chaosFactor === 1 ? 3 : 4 * chaosFactor },
  { database: "PostgreSQL", servers: 3, rounds: chaosFactor === 1 ? 4 : 6 * chaosFactor },
] as const)("$servers server(s) over $database, killed again and again", ({ database, servers, rounds }) => {
  let nodes: Nodes;
  let running: ServerProcess[];
  let wires: TcpProxy[];
  const logs: ServerProcess[] = [];

  beforeAll(async () => {
    nodes = await openNodes({ database, servers, env });
    running = [...nodes.servers];
    logs.push(...running);
    wires = await Promise.all(running.map(({ port }) => startTcpProxy(port)));
  }, 5 * minute);
  afterAll(async () => {
    await Promise.all(wires.map((wire) => wire.close()));
    await nodes.close();
  }, 5 * minute);

  it(
    `keeps every invariant over ${database} while servers and database are killed again and again`,
    async () => {
      const recorder = createRecorder(settings);
      const traffic = startTraffic(nodes, recorder, toUrls(wires));
      const count = countOf(recorder);
      let round = 0;
      while (round < rounds || (count("replayed") === 0 && round < maxRounds)) {
        await untilRotated(recorder, rotationsBetweenKills);
        if (nodes.postgres !== null && round % 3 === 2) await crashDatabase(recorder);
        else await killServer(round % servers, recorder, { betweenCommitAndAnswer: round % 3 === 0 });
        round++;
      }
      await untilJudged(recorder);
      await traffic.stop();
      await recordDatabase(nodes, recorder);

      const { judged } = recorder.expectSound();
      expect([...judged].filter(([, times]) => times === 0)).toEqual([]);
      expect(count("replayed")).toBeGreaterThan(0);
      console.log(
        `crashes over ${database}: ${round} kills, ${recorder.entries.length} lines of history, ` +
          `${recorder.sessions().length} sessions, ${count("rotated")} rotations, ${count("replayed")} replays, ` +
          `${count("unknown")} requests without an answer; judged ${[...judged].map((pair) => pair.join(" ")).join(", ")}`,
      );

      const log = toHistoryOfLog(logs.map((server) => server.log()).join("\n"));
      const ofLog = checkHistory(parseHistory(log.map((entry) => JSON.stringify(entry)).join("\n")));
      expect(ofLog.violations).toEqual([]);
      expect([...ofLog.judged].filter(([, times]) => times === 0)).toEqual([]);
    },
    10 * minute * chaosFactor,
  );

  function crashDatabase(recorder: Recorder): Promise<void> {
    return recorder.fault("database killed", async () => nodes.postgres?.restart({ crash: true }));
  }

  async function killServer(
    n: number,
    recorder: Recorder,
    { betweenCommitAndAnswer }: { readonly betweenCommitAndAnswer: boolean },
  ): Promise<void> {
    const wire = wires[n] as TcpProxy;
    await recorder.fault("server killed", async () => {
      if (betweenCommitAndAnswer) {
        wire.hold("answers");
        await wire.heldAnswers(moreThanOthers);
      }
      const { port } = running[n] as ServerProcess;
      await running[n]?.kill();
      wire.mend();
      running[n] = await nodes.start(port);
      logs.push(running[n]);
    });
  }
});

describe("the history of a PostgreSQL that acknowledges commits before it has written them", () => {
  it(
    "shows which acknowledged changes a crash of such a PostgreSQL has lost",
    async () => {
      const postgresSettings = { synchronous_commit: "off", wal_writer_delay: "10s" };
      // A node that was silent for longer is marked in the registry, which writes what was committed before.
      const ownEnv = { ...env, TOKENPAIR_MAX_STALENESS: "60" };
      const nodes = await openNodes({ database: "PostgreSQL", servers: 1, env: ownEnv, postgresSettings });
      onTestFinished(nodes.close);
      const [postgres, url] = [nodes.postgres as PostgresServer, nodes.servers[0]?.url ?? ""];
      const user = await nodes.addUser("alice", "correct horse battery staple");
      await query(postgres.url, "CHECKPOINT");
      const walWriter = await findWalWriter(postgres);
      // It would write what the test wants to lose.
      process.kill(walWriter, "SIGSTOP");
      // A stopped process would keep PostgreSQL from stopping.
      const killWalWriter = () => spawnSync("kill", ["-KILL", String(walWriter)]);
      onTestFinished(() => void killWalWriter());

      const recorder = createRecorder(settings);
      const logIn = () => recorder.issue(user, async () => (await nodes.auth.issue(user)) as Pair) as Promise<Pair>;
      const [staying, leaving] = [await logIn(), await logIn()];
      expect((await recorder.logout(url, { text: leaving.refresh }))?.status).toBe(200);
      killWalWriter();
      await postgres.restart({ crash: true });
      await expect
        .poll(() => recorder.refresh(url, { text: staying.refresh }, createAttempt()))
        .toMatchObject({ status: 401 });
      await recordDatabase(nodes, recorder);
      const found = new Set(recorder.check().violations.map(({ invariant }) => invariant));
      expect(found).toContain("I6");
      expect(found).toContain("I10");
    },
    5 * minute,
  );
});

async function findWalWriter({ url }: PostgresServer): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  const find = client.query("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
  const { rows } = await find.finally(() => client.end());
  return rows[0].pid;
}

const toUrls = (wires: readonly TcpProxy[]) => wires.map(({ port }) => `http://127.0.0.1:${port}`);
