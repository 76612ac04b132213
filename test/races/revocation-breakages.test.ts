import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { AuthError } from "../../src/core/errors.ts";
import type { FeedBatch } from "../../src/core/revocation.ts";
import { type Clock, systemClock } from "../../src/core/runtime/clock.ts";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { FeedRead } from "../../src/core/store/feed.ts";
import type { Store } from "../../src/core/store/index.ts";
import { createDeps } from "../../src/create-deps.ts";
import { authenticate } from "../../src/flows/tokens/authenticate.ts";
import { type Auth, createAuth } from "../../src/index.ts";
import type { FeedReaders } from "../../src/revocation/readers/readers.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { longTimeouts } from "../support/long-timeouts.ts";
import { type PostgresServer, query, startPostgres } from "../support/postgres.ts";
import { createRecorder, type Recorder } from "../support/recorder.ts";
import { waitUntil } from "../support/wait-until.ts";
import type { Pair } from "../support/wire.ts";
import { startReader } from "./reader.ts";

// Each breakage of the protocol is one that a node or a revoker could have. The judge must find it, and nothing without it.

const minute = 60_000;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 5 * minute);

/** What is between a node and its store, and the node's clocks. */
interface Wire {
  /** Reads the feed for the node, in place of its store. */
  read: (options: FeedRead, read: Store["feed"]["read"]) => Promise<FeedBatch>;
  clock: Clock;
}

/** One node that accepts tokens, and one that revokes, over a PostgreSQL. */
interface Scene {
  readonly postgres: PostgresServer;
  readonly wire: Wire;
  readonly revoker: Auth;
  /** The store of the revoker, as the revoker sees it. */
  readonly store: Store;
  readonly recorder: Recorder;
  /** What the node hands its revocations to readers with. */
  readonly readers: FeedReaders;
  /** Stops the node. */
  readonly stopNode: () => Promise<void>;
  /** Issues a pair that the node accepts. */
  logIn(): Promise<Pair>;
  /** Revokes the pair's session, and asks the node about the access token after the confirmed answer. */
  revoke(pair: Pair): Promise<string | undefined>;
}

interface SceneOptions {
  /** Seconds. */
  readonly maxStaleness: number;
  /** What the revoker does instead of what its store does. */
  readonly revokerNodes?: (nodes: Store["nodes"]) => Partial<Store["nodes"]>;
  /** What the node has in place of its own store. */
  readonly nodeStore?: (store: Store) => Store;
}

const cutOff: Wire["read"] = () => Promise.reject(new Error("the node is cut off"));

async function openScene(options: SceneOptions): Promise<Scene> {
  const { maxStaleness, revokerNodes = () => ({}), nodeStore = (store) => store } = options;
  const postgres = await startPostgres();
  closing.push(postgres.stop);
  const signingKey = randomBytes(48).toString("hex");
  const wire: Wire = { read: (options, read) => read(options), clock: systemClock };
  const openStore = async () => {
    const inner = postgresStore({ connectionString: postgres.url, ...longTimeouts });
    closing.push(inner.close);
    await inner.migrate();
    return inner;
  };
  const settings: Partial<Settings> = {
    maxStaleness,
    onStale: "refuse",
    confirmTimeout: 60,
    maxSessionsPerUser: null,
    passwordMemoryCost: 64,
    passwordTimeCost: 1,
  };
  const inner = await openStore();
  const store: Store = { ...inner, nodes: { ...inner.nodes, ...revokerNodes(inner.nodes) } };
  const revoker = createAuth({ store, signingKey, ...settings });
  closing.push(revoker.close);
  await query(postgres.url, `UPDATE tokenpair.installation SET longest_lease_ms = ${maxStaleness * 1_000}`);
  await revoker.ready();
  const {
    ask: node,
    readers,
    stop: stopNode,
  } = await openNode(nodeStore(await openStore()), wire, { signingKey, ...settings });

  const bound = maxStaleness * 1_000;
  const recorder = createRecorder({
    ...{ reuseInterval: 10, revocationBound: bound, maxStaleness: bound },
    invariants: ["I13"],
  });
  const user = await revoker.users.create({ username: "alice", password: "correct horse battery staple" });
  const ask = ({ access }: Pair) =>
    recorder.ask(access, () =>
      node(access).then(
        () => "ok",
        (error) => (error instanceof AuthError && error.code === "unavailable" ? "unknown" : "refused"),
      ),
    );
  return {
    postgres,
    wire,
    revoker,
    store,
    recorder,
    readers,
    stopNode,
    async logIn() {
      const pair = (await recorder.issue(user.id, () => revoker.issue(user.id) as Promise<Pair>)) as Pair;
      await expect.poll(() => ask(pair)).toBe("ok");
      return pair;
    },
    async revoke(pair) {
      const { sid } = JSON.parse(Buffer.from(pair.access.split(".")[1] ?? "", "base64url").toString());
      const confirmed = await recorder.end(sid, () => revoker.sessions.revoke(sid, { confirmed: true }));
      await ask(pair);
      return confirmed;
    },
  };
}

/** Opens a node whose reads and clocks go by the wire. */
async function openNode(inner: Store, wire: Wire, options: Partial<Settings> & { readonly signingKey: string }) {
  const store: Store = {
    ...inner,
    feed: { ...inner.feed, read: (read) => wire.read(read, inner.feed.read) },
  };
  const clock: Clock = {
    now: () => wire.clock.now(),
    wall: () => wire.clock.wall(),
    monotonic: () => wire.clock.monotonic(),
  };
  const { deps, confirmer, signals, auditQueue, storeMonitor } = createDeps({ ...options, store }, () => {}, { clock });
  const stop = async () => {
    deps.readers.stop();
    const left = deps.feed.stop();
    confirmer.stop();
    signals.stop();
    await Promise.all([left, storeMonitor.stop(), auditQueue.stop()]);
  };
  closing.push(stop);
  await deps.feed.start();
  return {
    /** Accepts an access token, or rejects. */
    ask: async (access: string): Promise<unknown> => authenticate(deps, access),
    readers: deps.readers,
    stop,
  };
}

/** Runs the scene as it is, in which every confirmed answer is true, and with the breakage, which the judge must find. */
function expectBreakageFound(name: string, run: (isBroken: boolean) => Promise<Recorder>, isQuick = false): void {
  const title = `a breakage of the confirmation is found: ${name}`;
  it.runIf(isQuick || hasLongTests)(
    title,
    async () => {
      expect((await run(false)).check().violations).toEqual([]);
      let found: readonly string[] = [];
      // A pause of the machine can make the node too stale to accept anything.
      let tries = 0;
      for (; tries < 3 && found.length === 0; tries++) {
        found = (await run(true)).check().violations.map(({ invariant }) => invariant);
      }
      expect(found).toEqual(["I13"]);
      console.log(`breakage found: ${name}${tries === 1 ? "" : `, at try ${tries}`}`);
    },
    5 * minute,
  );
}

describe("the judge of revocations", () => {
  const isQuick = true;
  expectBreakageFound(
    "a node acknowledges entries before it has applied them",
    async (isBroken) => {
      const scene = await openScene({ maxStaleness: 60 });
      const pair = await scene.logIn();
      let isJudged = () => {};
      const judged = new Promise<void>((resolve) => {
        isJudged = resolve;
      });
      let reads = 0;
      scene.wire.read = async (options, read) => {
        reads += 1;
        const batch = await read(options);
        if (batch.revocations.length === 0) return batch;
        const { nodeId } = options;
        if (isBroken && nodeId !== null) {
          await scene.store.nodes.acknowledge(nodeId, { seen: batch.seen, clockAhead: 0 });
          await judged;
        } else await sleep(300);
        return batch;
      };
      await waitUntil("no read from before is under way", () => reads > 0);
      await scene.revoke(pair).finally(isJudged);
      return scene.recorder;
    },
    isQuick,
  );

  expectBreakageFound("a node counts its freshness from later than the start of its read", async (isBroken) => {
    const maxStaleness = 3;
    const scene = await openScene({ maxStaleness });
    const pair = await scene.logIn();
    const late = 0.8 * maxStaleness * 1_000;
    let answeredAt = 0;
    let answer: Promise<FeedBatch> | undefined;
    let isDelivered = false;
    scene.wire.read = async (options, read) => {
      if (isDelivered) return cutOff(options, read);
      if (answer === undefined) {
        answer = read(options);
        await answer;
        answeredAt = performance.now();
        if (isBroken) return cutOff(options, read);
        await sleep(late);
      } else if (performance.now() < answeredAt + late) return cutOff(options, read);
      isDelivered = true;
      return answer;
    };
    await waitUntil("the node has read", () => answeredAt > 0);
    await scene.revoke(pair);
    return scene.recorder;
  });

  expectBreakageFound("a node's first read counts although its registration isn't committed yet", async (isBroken) => {
    const scene = await openScene({
      maxStaleness: 4,
      nodeStore: (store) => ({
        ...store,
        nodes: {
          ...store.nodes,
          async register(node) {
            if (!isBroken) return store.nodes.register(node);
            // The transaction of the registration never gets to its commit.
            const { incarnation } = await store.nodes.readRegistry();
            return { incarnation, databaseTime: Date.now() };
          },
        },
        feed: {
          ...store.feed,
          async read(options) {
            const batch = await store.feed.read(options);
            return isBroken ? { ...batch, state: { ...batch.state, membership: "member" } } : batch;
          },
        },
      }),
    });
    const pair = await scene.logIn();
    scene.wire.read = cutOff;
    await scene.revoke(pair);
    return scene.recorder;
  });

  expectBreakageFound("a node counts its freshness by a clock that stands still in a suspend", async (isBroken) => {
    const scene = await openScene({ maxStaleness: 4 });
    const pair = await scene.logIn();
    scene.wire.read = cutOff;
    const suspendedAt = performance.now();
    const suspended = () => performance.now() - suspendedAt;
    // The wall clock goes on, and the node must ask it too.
    const wall = () => Date.now() - (isBroken ? suspended() : 0);
    scene.wire.clock = { now: systemClock.now, wall, monotonic: () => suspendedAt };
    await scene.revoke(pair);
    return scene.recorder;
  });

  expectBreakageFound("a node acknowledges before the reader that it serves has", async (isBroken) => {
    const maxStaleness = 4;
    const scene = await openScene({ maxStaleness });
    const reader = startReader(scene.readers, { maxStaleness, name: "reader" });
    closing.push(reader.stop);
    const pair = await scene.logIn();
    const { wire, store } = scene;
    wire.read = async (options, read) => {
      const batch = await read(options);
      const { seen } = batch;
      // A little later, when the node has applied the entries.
      const acknowledge = () => store.nodes.acknowledge(options.nodeId ?? "", { seen, clockAhead: 0 });
      if (isBroken && batch.revocations.length > 0) void sleep(100).then(acknowledge);
      return batch;
    };
    await expect.poll(() => scene.recorder.ask(pair.access, async () => reader.ask(pair.access))).toBe("ok");
    reader.wire.isCut = true;
    await scene.revoke(pair);
    await scene.recorder.ask(pair.access, async () => reader.ask(pair.access));
    return scene.recorder;
  });

  expectBreakageFound("a node that stops leaves the registry although its reader relies on it", async (isBroken) => {
    const maxStaleness = 4;
    const scene = await openScene({
      maxStaleness,
      nodeStore: (store) => ({
        ...store,
        nodes: {
          ...store.nodes,
          async markLeaving(id) {
            if (!isBroken) return store.nodes.markLeaving(id);
            await store.nodes.remove(id);
            return null;
          },
        },
      }),
    });
    const reader = startReader(scene.readers, { maxStaleness, name: "reader" });
    closing.push(reader.stop);
    const pair = await scene.logIn();
    const askReader = () => scene.recorder.ask(pair.access, async () => reader.ask(pair.access));
    await expect.poll(askReader).toBe("ok");
    await scene.stopNode();
    await scene.revoke(pair);
    await askReader();
    return scene.recorder;
  });

  expectBreakageFound("a revoker deletes a silent node in one step", async (isBroken) => {
    let allowRead = async () => {};
    const scene = await openScene({
      maxStaleness: 4,
      revokerNodes: (nodes) => ({
        async markLeaving(id) {
          await allowRead();
          if (!isBroken) return nodes.markLeaving(id);
          await nodes.remove(id);
          return null;
        },
      }),
    });
    const [first, second] = [await scene.logIn(), await scene.logIn()];
    scene.wire.read = cutOff;
    let isRemoved = () => {};
    const removed = new Promise<void>((resolve) => {
      isRemoved = resolve;
    });
    let isDelivered = false;
    // Just before the node is removed, a read of its succeeds, whose answer takes a while.
    allowRead = async () => {
      allowRead = async () => {};
      await new Promise<void>((sent) => {
        scene.wire.read = async (options, read) => {
          scene.wire.read = cutOff;
          const batch = await read(options);
          sent();
          await removed;
          isDelivered = true;
          return batch;
        };
      });
    };
    await scene.revoke(first);
    const silent = async () =>
      (await scene.store.nodes.readRegistry()).nodes.filter(({ isLeaving }) => !isLeaving).length;
    await waitUntil("the silent node is leaving or removed", async () => (await silent()) === 1);
    isRemoved();
    await waitUntil("the node has its answer", () => isDelivered);
    await scene.revoke(second);
    return scene.recorder;
  });

  expectBreakageFound("a revoker believes the registry at once after the database has lost it", async (isBroken) => {
    const scene = await openScene({
      maxStaleness: 12,
      revokerNodes: (nodes) => ({
        readRegistry: async () => {
          const look = await nodes.readRegistry();
          return isBroken ? { ...look, isSettled: true } : look;
        },
      }),
    });
    const pair = await scene.logIn();
    scene.wire.read = cutOff;
    await loseRegistry(scene);
    await scene.revoke(pair);
    return scene.recorder;
  });

  expectBreakageFound(
    "a revoker dates an incarnation from the sending of the query that showed it",
    async (isBroken) => {
      const maxStaleness = 12;
      const longest = maxStaleness * 1_002 + 5;
      let incarnation: string | null = null;
      let knownSince = 0;
      let onWire: Promise<void> | undefined;
      const scene = await openScene({
        maxStaleness,
        revokerNodes: (nodes) => ({
          readRegistry: async () => {
            const sentAt = performance.now();
            await onWire;
            const look = await nodes.readRegistry();
            if (look.incarnation !== incarnation) {
              [incarnation, knownSince] = [look.incarnation, isBroken ? sentAt : performance.now()];
            }
            return { ...look, isSettled: sentAt - knownSince > longest };
          },
        }),
      });
      const pair = await scene.logIn();
      let arrive = () => {};
      onWire = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      const slow = scene.store.nodes.readRegistry();
      onWire = undefined;
      await sleep(longest);
      scene.wire.read = cutOff;
      await loseRegistry(scene);
      arrive();
      await slow;
      await scene.revoke(pair);
      return scene.recorder;
    },
  );
});

/** Restarts the database, and empties its registry, as a failover to a standby that lags does. */
async function loseRegistry({ postgres, revoker }: Scene): Promise<void> {
  await postgres.restart({ crash: true });
  await query(postgres.url, "DELETE FROM tokenpair.nodes");
  await waitUntil("the revoker reaches the database", async () => (await revoker.health()).ok);
}
