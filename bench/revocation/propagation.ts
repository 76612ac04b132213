/**
 * How long it takes, from the call that ends a session, until three other nodes refuse its access tokens: over PostgreSQL,
 * with nothing else to do and while a thousand other tokens are revoked in every second.
 */
import { setTimeout } from "node:timers/promises";
import type { FeedStore } from "../../src/core/store/feed.ts";
import { type Auth, createAuth } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { startPostgres } from "../../test/support/postgres.ts";
import type { Harness } from "../harness/harness.ts";
import { toFigure } from "../harness/markdown.ts";
import { quantile } from "../harness/statistics.ts";
import { type Child, startChild } from "../http/child.ts";
import { signingKey } from "../refresh/crowd.ts";
import { readSharedClock, type Seen, type Watch } from "./watch.ts";

const schema = "propagation";
const backgroundRate = 1_000;

export async function measurePropagation(harness: Harness): Promise<void> {
  const postgres = await startPostgres({ fsync: "on" });
  const store = postgresStore({ connectionString: postgres.url, schema });
  // Of yet another node, so that nobody waits for its connections.
  const busyStore = postgresStore({ connectionString: postgres.url, schema });
  await store.migrate();
  const auth = createAuth({ store, signingKey, maxSessionsPerUser: null });
  await auth.ready();
  const nodes = [1, 2, 3].map(() => startChild("../revocation/node.ts", postgres.url, schema));
  try {
    await Promise.all(nodes.map((node) => node.ask()));
    const count = harness.quick ? 50 : 500;
    const idle = await measure("alice", auth, nodes, count);
    const background = startBackground(busyStore.feed);
    const busy = await measure("bob", auth, nodes, count);
    const rate = await background.stop();
    harness.table(
      "From the call that ends a session until each of three nodes refuses, over PostgreSQL",
      ["", "seen", "p50 ms", "p99 ms", "max ms"],
      [
        ["idle", ...idle],
        [`${toFigure(rate)} other revocations a second`, ...busy],
      ],
    );
  } finally {
    for (const node of nodes) await node.stop();
    await auth.close();
    await Promise.all([store.close(), busyStore.close()]);
    await postgres.stop();
  }
}

/** Revokes sessions of a new user, one after the other: how many of the nodes' answers came, and after how long. */
async function measure(username: string, auth: Auth, nodes: readonly Child[], count: number) {
  const { id } = await auth.users.create({ username });
  const logins = await Promise.all(Array.from({ length: count }, () => auth.issue(id)));
  const watch: Watch = { tokens: logins.map(({ access }) => access) };
  await Promise.all(nodes.map((node) => node.ask(watch)));

  const endedAt = new Map<string, number>();
  const delays: number[] = [];
  const note = ({ sessionId, at }: Seen) => void delays.push(at - (endedAt.get(sessionId) ?? Number.NaN));
  const stops = nodes.map((node) => node.listen(note));
  for (const { session } of logins) {
    endedAt.set(session.id, readSharedClock());
    await auth.sessions.revoke(session.id);
    // At no fixed distance, so that no poll is met again and again.
    await setTimeout(Math.random() * 40);
  }
  const expected = count * nodes.length;
  for (let waited = 0; delays.length < expected && waited < 5_000; waited += 20) await setTimeout(20);
  for (const stop of stops) stop();
  const sorted = delays.sort((a, b) => a - b);
  return [`${delays.length} of ${expected}`, ...[0.5, 0.99, 1].map((q) => quantile(sorted, q).toFixed(1))];
}

/** Revokes tokens at `backgroundRate`, or as many as the database takes; `stop` tells how many a second it came to. */
function startBackground(feed: FeedStore): { stop(): Promise<number> } {
  const startedAt = performance.now();
  const readElapsed = () => (performance.now() - startedAt) / 1_000;
  let [begun, done, isOver] = [0, 0, false];
  const revokeNext = async () => {
    begun += 1;
    await feed.revokeToken(`background ${begun}`);
    done += 1;
  };
  const running = (async () => {
    while (!isOver) {
      while (begun < readElapsed() * backgroundRate && begun - done < 100) void revokeNext();
      await setTimeout(5);
    }
    while (done < begun) await setTimeout(5);
  })();
  return {
    async stop() {
      const rate = done / readElapsed();
      isOver = true;
      await running;
      return rate;
    },
  };
}
