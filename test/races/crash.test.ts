import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Nodes, openNodes } from "../support/nodes.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { post, postRefresh } from "../support/wire.ts";

const rounds = 12;
const clients = 12;

describe("a server that is killed again and again", () => {
  let nodes: Nodes;
  let server: ServerProcess;
  let wire: TcpProxy;

  beforeAll(async () => {
    // No reuse interval to hide behind: only the attempt id makes a retry safe.
    nodes = await openNodes({ database: "SQLite", servers: 1, env: { TOKENPAIR_REUSE_INTERVAL: "0" } });
    server = nodes.servers[0] as ServerProcess;
    wire = await startTcpProxy(server.port);
  });
  afterAll(() => Promise.all([nodes.close(), wire.close()]));

  it("never logs out a client that repeats its Idempotency-Key, and never forgets a logout", async () => {
    const userId = await nodes.addUser("survivor", "correct horse battery staple");
    const { port } = server;
    const url = `http://127.0.0.1:${wire.port}`;
    const end = new AbortController();
    const tally = { refreshed: 0, retried: 0, replayed: 0, loggedOut: 0 };

    const refreshing = Array.from({ length: clients }, async () => {
      let { refresh } = await nodes.auth.issue(userId);
      while (!end.signal.aborted) {
        refresh = await refreshUntilAnswered(url, refresh, tally);
      }
      return refresh;
    });
    const acknowledged: string[] = [];
    const leaving = (async () => {
      while (!end.signal.aborted) {
        const { refresh } = await nodes.auth.issue(userId);
        const answer = await post(`${url}/api/token/blacklist/`, { refresh }).catch(() => null);
        if (answer?.status === 200) acknowledged.push(refresh);
      }
    })();

    for (let round = 0; round < rounds; round++) {
      await sleep(100 + (round % 4) * 60);
      // Every other kill falls between commits and their answers, so that these clients must ask again.
      if (round % 2 === 0) {
        wire.hold("answers");
        await wire.heldAnswers(clients);
      }
      await server.kill();
      wire.mend();
      server = await nodes.start(port);
    }
    end.abort();
    const survivors = await Promise.all(refreshing);
    await leaving;

    for (const refresh of survivors) expect((await postRefresh(url, refresh)).status).toBe(200);
    for (const refresh of acknowledged) expect((await postRefresh(url, refresh)).status).toBe(401);
    expect(tally.retried).toBeGreaterThan(0);
    expect(tally.replayed).toBeGreaterThan(0);
    expect(acknowledged.length).toBeGreaterThan(0);
    console.log(
      `crashes: ${rounds} kills, ${clients} clients, ${tally.refreshed} refreshes, ${tally.retried} retries of which ` +
        `${tally.replayed} were replays, ${acknowledged.length} logouts held, nobody logged out`,
    );
    await server.stop();
  }, 120_000);
});

/** The client's side of the rule: one attempt id, repeated until there is an answer. A 401 would be a false logout. */
async function refreshUntilAnswered(
  url: string,
  refresh: string,
  tally: { refreshed: number; retried: number; replayed: number },
): Promise<string> {
  const attemptId = randomBytes(16).toString("base64url");
  for (;;) {
    const answer = await postRefresh(url, refresh, attemptId).catch(() => null);
    if (answer === null || answer.status === 503) {
      tally.retried++;
      await sleep(20);
      continue;
    }
    expect(answer.status, answer.body.detail).toBe(200);
    tally.refreshed++;
    if (answer.replayed) tally.replayed++;
    return answer.body.refresh ?? "";
  }
}
