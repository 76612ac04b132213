import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { createAttempt, createRecorder, type Recorder } from "../support/recorder.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import { type Pair, toPair } from "../support/wire.ts";
import { untilAnswered } from "./progress.ts";

const minute = 60_000;
const password = "correct horse battery staple";

/** Seconds. */
const maxStaleness = 4;

describe("two servers without a connection to PostgreSQL", () => {
  let nodes: Nodes;
  let wire: TcpProxy;
  let urls: readonly string[];
  let userId: string;
  let recorder: Recorder;

  beforeAll(async () => {
    const env = {
      TOKENPAIR_MAX_STALENESS: String(maxStaleness),
      TOKENPAIR_DATABASE_CONNECT_TIMEOUT: "2",
      TOKENPAIR_DATABASE_STATEMENT_TIMEOUT: "2",
      TOKENPAIR_LOG_LEVEL: "silent",
    };
    nodes = await openNodes({ database: "PostgreSQL", servers: 2, env });
    wire = nodes.databaseWire as TcpProxy;
    urls = nodes.servers.map(({ url }) => url);
    userId = await nodes.addUser("alice", password);
  }, 5 * minute);
  afterAll(() => nodes.close(), 5 * minute);

  beforeEach(() => {
    const bound = maxStaleness * 1_000;
    const settings = { reuseInterval: 10, revocationBound: bound, maxStaleness: bound };
    recorder = createRecorder({ ...settings, invariants: ["I1", "I2", "I3", "I4", "I6", "I9", "I10", "I11", "I14"] });
  });

  afterEach(() => wire.mend());

  const logIn = async () =>
    (await recorder.issue(userId, async () =>
      toPair({ status: 200, body: await nodes.auth.issue(userId), replayed: false }),
    )) as Pair;
  const [first, second] = [() => urls[0] ?? "", () => urls[1] ?? ""];
  const everywhere = (pair: Pair) => Promise.all(urls.map((url) => recorder.access(url, { text: pair.access })));
  const row = async (sessionId: string) => (await nodes.store.sessions.find(sessionId))?.session;

  it.each([
    ["whose connections to PostgreSQL break", (proxy: TcpProxy) => proxy.cut()],
    ["whose network to PostgreSQL drops everything", (proxy: TcpProxy) => proxy.hold("everything")],
  ])(
    "servers %s answer from memory until that is too stale, change nothing, and recover by themselves",
    async (_, partition) => {
      const [kept, leaving, revoked] = [await logIn(), await logIn(), await logIn()];
      const attempt = createAttempt();
      const ids = [kept, leaving].map(toSessionId);
      const before = await Promise.all(ids.map(row));
      const live = await nodes.auth.sessions.list(userId);

      await recorder.fault("partition", async () => {
        partition(wire);
        for (let tries = 1; tries < 3 && (await everywhere(kept)).includes(503); tries++) {
          // The machine has paused until they were too stale.
          wire.mend();
          await expect.poll(() => everywhere(kept)).toEqual([200, 200]);
          partition(wire);
        }
        // They answer from memory, and can't know of later revocations.
        expect(await everywhere(kept)).toEqual([200, 200]);
        await recorder.end(toSessionId(revoked), () => nodes.auth.logout(revoked.refresh));
        const [login, refresh, logout, statuses] = await Promise.all([
          recorder.login(first(), userId, { username: "alice", password }),
          recorder.refresh(second(), { text: kept.refresh }, attempt),
          recorder.logout(first(), { text: leaving.refresh }),
          untilUnavailable(kept, revoked),
        ]);
        expect([login, refresh, logout].map((answer) => [answer?.status, answer?.body.code])).toEqual(
          Array(3).fill([503, "unavailable"]),
        );
        // Once too stale, a server stays too stale: it accepts no token after its first 503.
        expect(statuses.join(" ")).toMatch(/^(200 )*(503 ?)+$/);
        expect(await Promise.all(urls.map(readHealth))).toEqual([
          [200, 503],
          [200, 503],
        ]);
        expect(await Promise.all(ids.map(row))).toEqual(before);
        expect(await nodes.auth.sessions.list(userId)).toHaveLength(live.length - 1);

        wire.mend();
        await expect.poll(() => everywhere(kept)).toEqual([200, 200]);
        expect(await untilFresh(revoked)).toEqual([401, 401]);
      });

      const refreshed = await untilAnswered(() => recorder.refresh(second(), { text: kept.refresh }, attempt));
      expect(refreshed.status).toBe(200);
      expect(await row(toSessionId(kept))).toMatchObject({ generation: 1 });
      await expectLoggedOut(leaving);
      const login = () => recorder.login(first(), userId, { username: "alice", password });
      expect((await untilAnswered(login)).status).toBe(200);
      recorder.expectSound();
    },
    5 * minute,
  );

  it(
    "servers whose answer from PostgreSQL was lost after the commit answer the retry with the committed successor",
    async () => {
      const pair = await logIn();
      const attempt = createAttempt();
      // Afterwards, its pool has a connection: the answers to the handshake of a new one would be lost too.
      await untilAnswered(() => recorder.login(first(), userId, { username: "alice", password }));
      await recorder.fault("answers lost", async () => {
        wire.hold("answers");
        expect((await recorder.refresh(first(), { text: pair.refresh }, attempt))?.status).toBe(503);
        await expect.poll(() => row(toSessionId(pair))).toMatchObject({ generation: 1 });
        wire.mend();
      });
      await expect
        .poll(() => recorder.refresh(second(), { text: pair.refresh }, attempt))
        .toMatchObject({ status: 200, replayed: true });
      recorder.expectSound();
    },
    5 * minute,
  );

  it(
    "servers with 100 ms of latency to PostgreSQL refresh and log out as usual",
    async () => {
      const [pair, attempt] = [await logIn(), createAttempt()];
      wire.delay(100);
      const refreshed = await untilAnswered(() => recorder.refresh(first(), { text: pair.refresh }, attempt));
      expect(refreshed.status).toBe(200);
      await expectLoggedOut(pair);
      await expect.poll(() => everywhere(pair)).toEqual([401, 401]);
      wire.mend();
      recorder.expectSound();
    },
    5 * minute,
  );

  /** Logs out, again if a timeout of the database makes the server answer 503: then the first try may have been committed. */
  async function expectLoggedOut({ refresh }: Pair): Promise<void> {
    const answer = await recorder.logout(first(), { text: refresh });
    if (answer?.status !== 503) expect(answer?.status).toBe(200);
    else expect([200, 401]).toContain((await untilAnswered(() => recorder.logout(first(), { text: refresh }))).status);
  }

  /** Sends an access token to both servers until neither is too stale. Returns the statuses. */
  async function untilFresh(pair: Pair): Promise<readonly number[]> {
    for (;;) {
      const statuses = await everywhere(pair);
      if (!statuses.includes(503) || statuses.includes(200)) return statuses;
      await sleep(50);
    }
  }

  /** Sends these tokens to both servers until all answers are 503. Returns the statuses of the first server and token. */
  async function untilUnavailable(...pairs: readonly Pair[]): Promise<readonly number[]> {
    const statuses: number[] = [];
    for (;;) {
      const all = (await Promise.all(pairs.map(everywhere))).flat();
      statuses.push(all[0] ?? 0);
      if (all.every((status) => status === 503)) return statuses;
      await sleep(50);
    }
  }
});

const toSessionId = ({ refresh }: Pair): string =>
  JSON.parse(Buffer.from(refresh.split(".")[1] ?? "", "base64url").toString()).sid;

/** Returns the statuses of liveness and readiness. */
const readHealth = (url: string) =>
  Promise.all(["healthz", "readyz"].map(async (path) => (await fetch(`${url}/${path}`)).status));
