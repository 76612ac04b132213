import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { Store } from "../../src/core/store/index.ts";
import { type Auth, createAuth } from "../../src/index.ts";
import type { FrameHeader } from "../../src/revocation/readers/frame.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { createFrameParser } from "../../src/verifier/frame-parser.ts";
import { createVerifier } from "../../src/verifier/index.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { longTimeouts } from "../support/long-timeouts.ts";
import { query, startPostgres } from "../support/postgres.ts";
import { createRecorder, type Recorder } from "../support/recorder.ts";
import { addService } from "../support/services.ts";
import { waitUntil } from "../support/wait-until.ts";
import type { Pair } from "../support/wire.ts";
import { toSessionId } from "./issuers.ts";
import { audience, issuer } from "./services.ts";

// Each breakage is one that a verifier, or the node that it reads from, could have. The judge must find it, and nothing without it.

const minute = 60_000;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 5 * minute);

/** What is between a verifier and the node it reads from. */
interface Link {
  /** Whether nothing reaches the verifier any more. */
  isCut: boolean;
  /** Changes a request of the verifier. */
  toRequest: (url: URL) => void;
  /** Called with each frame of a stream before the verifier gets it. */
  onFrame: (header: FrameHeader, request: Request) => Promise<void>;
}

interface SceneOptions {
  /** Seconds, of the nodes. */
  readonly maxStaleness: number;
  /** Seconds, of the verifier. Default: the same. */
  readonly verifierStaleness?: number;
  /** What the node has in place of its own store. */
  readonly nodeStore?: (store: Store) => Store;
  /** Changes a request of the verifier. */
  readonly toRequest?: Link["toRequest"];
}

/** Revokes by one node what a verifier has accepted that reads from another one. @returns what was recorded. */
async function revokeOnce(
  options: SceneOptions,
  prepare: (link: Link, auth: Auth) => Promise<void>,
): Promise<Recorder> {
  const {
    maxStaleness,
    verifierStaleness = maxStaleness,
    nodeStore = (store) => store,
    toRequest = () => {},
  } = options;
  const postgres = await startPostgres();
  closing.push(postgres.stop);
  const keyEncryptionKey = `2026:${randomBytes(32).toString("base64url")}`;
  const settings: Partial<Settings> = {
    ...{ maxStaleness, issuer, audience, maxSessionsPerUser: null, confirmTimeout: 60 },
    ...{ passwordMemoryCost: 64, passwordTimeCost: 1 },
  };
  const openNode = async (toStore: (store: Store) => Store) => {
    const inner = postgresStore({ connectionString: postgres.url, ...longTimeouts });
    closing.push(inner.close);
    await inner.migrate();
    await query(postgres.url, `UPDATE tokenpair.installation SET longest_lease_ms = ${maxStaleness * 1_000}`);
    const store = toStore(inner);
    const auth = createAuth({ store, keyEncryptionKey, ...settings });
    closing.push(auth.close);
    await auth.ready();
    return { auth, store: inner };
  };
  const { auth: revoker, store } = await openNode((one) => one);
  const { auth: node } = await openNode(nodeStore);
  const { credential } = await addService({ store }, ["feed"]);
  const link: Link = { isCut: false, toRequest, onFrame: async () => {} };
  const verifier = createVerifier({
    ...{ issuer, audience, credential, maxStaleness: verifierStaleness },
    fetch: (input, init) => send(link, node, new URL(String(input)), init),
  });
  closing.push(verifier.close);
  await verifier.ready();

  const bound = maxStaleness * 1_000;
  const recorder = createRecorder({
    ...{ reuseInterval: 10, revocationBound: bound, maxStaleness: bound },
    invariants: ["I13"],
  });
  const { id } = await revoker.users.create({ username: "alice" });
  const pair = (await recorder.issue(id, async () => (await revoker.issue(id)) as Pair)) as Pair;
  const ask = () => recorder.ask(pair.access, async () => toOutcome(() => verifier.verify(pair.access)));
  await waitUntil("the verifier accepts the token", async () => (await ask()) === "ok");
  await prepare(link, node);
  const sessionId = toSessionId(pair);
  await recorder.end(sessionId, () => revoker.sessions.revoke(sessionId, { confirmed: true }));
  await ask();
  return recorder;
}

function toOutcome(verify: () => unknown): "ok" | "refused" | "unknown" {
  try {
    verify();
    return "ok";
  } catch (error) {
    return (error as { readonly code?: string }).code === "unavailable" ? "unknown" : "refused";
  }
}

async function send(link: Link, node: Auth, url: URL, init: RequestInit | undefined): Promise<Response> {
  if (link.isCut) throw new TypeError("the link is cut");
  link.toRequest(url);
  const request = new Request(url, init);
  const response = await node.fetch(request);
  if (!url.searchParams.has("stream") || response.body === null) return response;
  const parser = createFrameParser();
  const passed = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      async transform(piece, controller) {
        for (const { header } of parser.push(piece)) await link.onFrame(header, request);
        if (!link.isCut) controller.enqueue(piece);
      },
    }),
  );
  return new Response(passed, response);
}

/** Runs the scene as it is, in which every confirmed answer is true, and with the breakage, which the judge must find. */
function expectBreakageFound(name: string, run: (isBroken: boolean) => Promise<Recorder>): void {
  it.runIf(hasLongTests)(
    `a breakage of the confirmation by verifiers is found: ${name}`,
    async () => {
      const sound = (await run(false)).check();
      expect([sound.violations, sound.judged.get("I13")]).toEqual([[], 1]);
      expect((await run(true)).check().violations.map(({ invariant }) => invariant)).toEqual(["I13"]);
      console.log(`breakage found: ${name}`);
    },
    5 * minute,
  );
}

/** Seconds: of the nodes, and of a verifier with a longer lease. */
const [short, long] = [4, 12];

const cutLink = async (link: Link) => {
  link.isCut = true;
};

expectBreakageFound("a verifier acknowledges a frame before it has applied it", (isBroken) =>
  revokeOnce({ maxStaleness: long }, async (link, node) => {
    link.onFrame = async ({ isAwaited, cursor }, { url, headers }) => {
      if (!isAwaited) return;
      const { origin, pathname, searchParams } = new URL(url);
      const query = new URLSearchParams({ after: cursor, reader: searchParams.get("reader") ?? "" });
      const acknowledgement = new Request(`${origin}${pathname}?${query}`, { method: "POST", headers });
      if (isBroken) expect((await node.fetch(acknowledgement)).status).toBe(204);
      // On a busy machine, the confirmation and the request that finds the breakage take seconds.
      await sleep(isBroken ? 10_000 : 500);
    };
  }),
);

expectBreakageFound("a verifier accepts tokens for longer than the lease that it has asked for", (isBroken) =>
  revokeOnce(
    {
      maxStaleness: short,
      verifierStaleness: long,
      toRequest({ searchParams }) {
        if (isBroken && searchParams.has("lease")) searchParams.set("lease", String(short * 1_000));
      },
    },
    cutLink,
  ),
);

expectBreakageFound("a node acknowledges before its readers have", (isBroken) =>
  revokeOnce(
    {
      // Only the sound node waits for the lease. The breakage is found only while the verifier isn't stale.
      maxStaleness: isBroken ? long : short,
      nodeStore: (store) => ({
        ...store,
        feed: {
          ...store.feed,
          async read(options) {
            const batch = await store.feed.read(options);
            const { nodeId } = options;
            if (isBroken && nodeId !== null && batch.revocations.length > 0) {
              await store.nodes.acknowledge(nodeId, { seen: batch.seen, clockAhead: 0 });
            }
            return batch;
          },
        },
      }),
    },
    cutLink,
  ),
);

let isNodeCut = false;

expectBreakageFound("a node serves a reader before it has registered the reader's lease", (isBroken) => {
  isNodeCut = false;
  return revokeOnce(
    {
      maxStaleness: short,
      verifierStaleness: long,
      nodeStore: (store) => ({
        ...store,
        nodes: { ...store.nodes, raiseLease: async (id, lease) => isBroken || store.nodes.raiseLease(id, lease) },
        feed: {
          ...store.feed,
          read: (options) => (isNodeCut ? Promise.reject(new Error("the node is cut off")) : store.feed.read(options)),
        },
      }),
    },
    async (link) => {
      link.isCut = true;
      isNodeCut = true;
    },
  );
});
