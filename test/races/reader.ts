import { setTimeout as sleep } from "node:timers/promises";
import type { RevocableToken, Revocation } from "../../src/core/revocation.ts";
import { systemClock } from "../../src/core/runtime/clock.ts";
import type { Store } from "../../src/core/store/index.ts";
import { createLease, toInstant } from "../../src/revocation/lease.ts";
import { toWait } from "../../src/revocation/registry-trust.ts";
import { createRevocationIndex } from "../../src/revocation/revocation-index.ts";

/** The connection between a node and its reader, which a test can break. */
export interface ReaderWire {
  /** Loses everything. */
  isCut: boolean;
  /** Holds everything back, until it is set to false. */
  isHeld: boolean;
  /** Delays everything by this many milliseconds. */
  delay: number;
}

/** What a node sends to its reader. */
interface Frame {
  readonly revocations: readonly Revocation[];
  readonly position: number;
  /** How stale the node was when it sent the frame, in milliseconds. */
  readonly age: number;
}

/** A node's side of a reader. */
export interface Upstream {
  /** The store for the node, which acknowledges only what the reader has acknowledged too. */
  readonly store: Store;
  /** Returns what is new after a position. */
  readonly send: (position: number, staleSeconds: number) => Frame;
  /** Notes what the reader has applied. */
  readonly acknowledge: (position: number) => void;
}

/**
 * Wraps the store of a node that has one reader. The node's lease in the registry covers the reader's, and the node acknowledges a
 * revocation when the reader has, or when the lease of the last frame is over.
 *
 * @param lease the reader's, in milliseconds.
 * @param waitsForReader false breaks the rule on purpose.
 */
export function createUpstream(inner: Store, lease: number, waitsForReader = true): Upstream {
  const log: Revocation[] = [];
  let acknowledged = 0;
  let sentAt = Number.NEGATIVE_INFINITY;
  const isReaderBehind = (end: number) => acknowledged < end && performance.now() - sentAt <= toWait(lease);
  const store: Store = {
    ...inner,
    feed: {
      ...inner.feed,
      async read(options) {
        const batch = await inner.feed.read(options);
        // Before the node applies them: the frames have everything that the node's staleness counts for.
        if (batch.isCursorLost !== true) log.push(...batch.revocations);
        return batch;
      },
    },
    nodes: {
      ...inner.nodes,
      async register(node) {
        const registered = await inner.nodes.register(node);
        await inner.nodes.raiseLease(node.id, lease);
        return registered;
      },
      async acknowledge(id, acknowledgement) {
        const end = log.length;
        while (waitsForReader && isReaderBehind(end)) await sleep(2);
        await inner.nodes.acknowledge(id, acknowledgement);
      },
    },
  };
  return {
    store,
    send(position, staleSeconds) {
      sentAt = performance.now();
      return { revocations: log.slice(position), position: log.length, age: staleSeconds * 1_000 };
    },
    acknowledge(position) {
      acknowledged = Math.max(acknowledged, position);
    },
  };
}

/** A stand-in for a service without a database that verifies access tokens: it reads the revocations from a node. */
export interface Reader {
  readonly wire: ReaderWire;
  /** Judges an access token. Its signature isn't verified, because the test's tokens are genuine. */
  readonly ask: (access: string) => "ok" | "refused" | "unknown";
  /** How many tokens it has accepted. */
  readonly accepted: number;
  readonly stop: () => Promise<void>;
}

/** Milliseconds between two polls. A real reader waits for the answer instead. */
const pollInterval = 5;

/**
 * Starts a reader.
 *
 * @param maxStaleness of the reader, in seconds, counted from the node's read on.
 * @param toStaleness returns the node's staleness in seconds.
 */
export function startReader(
  upstream: Upstream,
  { maxStaleness, toStaleness }: { readonly maxStaleness: number; readonly toStaleness: () => number },
): Reader {
  const wire: ReaderWire = { isCut: false, isHeld: false, delay: 0 };
  const index = createRevocationIndex({ leeway: 0, clock: systemClock });
  const lease = createLease(systemClock, maxStaleness);
  let position = 0;
  let isStopped = false;
  let accepted = 0;

  async function pass(): Promise<void> {
    if (wire.delay > 0) await sleep(wire.delay);
    while (wire.isHeld && !isStopped) await sleep(2);
    if (wire.isCut || isStopped) throw new Error("the wire is cut");
  }

  async function poll(): Promise<void> {
    const readAt = toInstant(systemClock);
    await pass();
    const frame = upstream.send(position, toStaleness());
    await pass();
    for (const revocation of frame.revocations) index.apply(revocation);
    position = frame.position;
    lease.extend({ monotonic: readAt.monotonic - frame.age, wall: readAt.wall - frame.age });
    await pass();
    upstream.acknowledge(position);
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      await poll().catch(() => {});
      await sleep(pollInterval);
    }
  }

  const running = run();
  return {
    wire,
    ask(access) {
      if (!lease.holds()) return "unknown";
      if (index.isRevoked(toToken(access))) return "refused";
      accepted += 1;
      return "ok";
    },
    get accepted() {
      return accepted;
    },
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

function toToken(access: string): RevocableToken {
  const claims = JSON.parse(Buffer.from(access.split(".")[1] ?? "", "base64url").toString());
  const { sid: sessionId, user_id: userId, ue: userEpoch, ge: globalEpoch, jti: tokenId, iat: issuedAt } = claims;
  return { sessionId, userId, userEpoch, globalEpoch, tokenId, issuedAt };
}
