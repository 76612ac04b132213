import { AuthError } from "../core/errors.ts";
import type { CommitPosition, Confirmation, FeedState } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { createLoop } from "../core/runtime/loop.ts";
import type { Schedule, Timer } from "../core/runtime/schedule.ts";
import { keepProcessAlive, unrefSchedule } from "../core/runtime/schedule.ts";
import type { NodeStore, RegistryNode, RegistrySnapshot } from "../core/store/nodes.ts";
import { noReaders, type ReadersKnowledge } from "./readers/readers-knowledge.ts";
import { createRegistryTrust, toWait } from "./registry-trust.ts";
import { createSweeper } from "./sweeper.ts";

/** Waits until a committed revocation is in force on every node. The rules are on the page docs/revocation.md. */
export interface Confirmer {
  /**
   * Waits until no node accepts a token that the transaction has revoked. Call it after the commit has been answered and
   * this node's index has applied the entries.
   *
   * @param position the transaction's position in the feed.
   * @param options.timeout the number of milliseconds after which the result is `pending`. `null` waits until the
   * revocation is confirmed, which takes at most the longest `maxStaleness` of a node. Default: `null`.
   * @param options.isProbe whether no caller waits for the result. If so, it isn't reported. Default: false.
   * @throws AuthError `unavailable` if the database no longer has the revocation, because it was replaced by an older copy.
   */
  confirm(
    position: CommitPosition,
    options?: { readonly timeout?: number | null; readonly isProbe?: boolean },
  ): Promise<Confirmation>;
  /** Takes the state of the installation from a read of the feed. Call it as soon as the answer arrives. */
  observe(state: Pick<FeedState, "incarnation" | "isSettled" | "longestLease">): void;
  /** Gives every confirmation that is still waiting the result `pending`, and stops reading the registry. */
  stop(): void;
}

/** The options of `createConfirmer`. */
export interface ConfirmerOptions {
  readonly nodes: NodeStore;
  readonly clock: Clock;
  /** Returns this node's id in the registry. Returns `null` if this process isn't a node, for example a command. */
  readonly nodeId: () => string | null;
  /** What the readers of this process may still accept. Default: it has no readers. */
  readonly readers?: ReadersKnowledge | undefined;
  /** Returns the longest lease of this node and its readers, in milliseconds. Default: 0. */
  readonly longestLease?: (() => number) | undefined;
  /** Called with the result of every confirmation and its milliseconds. */
  readonly onConfirmed?: ((confirmation: Confirmation, ms: number) => void) | undefined;
  readonly schedule?: Schedule | undefined;
}

/** A revocation that a caller waits for. */
interface Waiter {
  readonly position: CommitPosition;
  readonly incarnation: string;
  /** The time, on the monotonic clock, at which the commit had been answered. */
  readonly committedAt: number;
  readonly settle: (result: Confirmation | AuthError) => void;
  /** Whether this process's own readers know it. */
  readersKnow: boolean;
  /** Whether the registry has been read since the commit, in the commit's incarnation. */
  hasLooked: boolean;
  /** The nodes that had not acknowledged the revocation when the registry was last read. */
  silent: readonly RegistryNode[];
  expiry: Timer;
}

/**
 * The number of milliseconds between two reads of the registry if no acknowledgement comes before: at first, and at most.
 * In between, it is a quarter of the time since the commit. A command polls because it has no connection on which it could
 * be notified.
 */
const readInterval = { first: 4, last: 50 };

/** The number of milliseconds between two reads of the registry for which no caller waits. */
const sweepInterval = 1_000;

/** Creates the confirmer of a process. */
export function createConfirmer(options: ConfirmerOptions): Confirmer {
  const { nodes, clock, nodeId, onConfirmed, schedule = unrefSchedule } = options;
  const { readers = noReaders, longestLease = () => 0 } = options;
  const trust = createRegistryTrust({ nodes, clock });
  const sweeper = createSweeper({ nodes, clock });
  const waiters = new Set<Waiter>();
  const reads = createLoop({ step: readRegistry, onError: toNextRead, schedule });
  let unsubscribe: (() => void) | null = null;
  let isStopped = false;

  /** Reads the registry. One read serves all waiters. */
  async function readRegistry(): Promise<number | null> {
    if (waiters.size > 0) unsubscribe ??= nodes.subscribe(() => reads.wake());
    const sentAt = clock.monotonic();
    const registry = await nodes.readRegistry();
    trust.observe(registry);
    const isBelieved = trust.isBelieved(registry, sentAt);
    for (const waiter of [...waiters]) if (waiter.committedAt <= sentAt) judge(waiter, registry, isBelieved);
    await sweeper.sweep(registry);
    return toNextRead();
  }

  function toNextRead(): number | null {
    const [oldest] = waiters;
    if (oldest === undefined) {
      unsubscribe?.();
      unsubscribe = null;
      const next = isStopped ? null : sweeper.toNextSweep();
      return next === null ? null : Math.max(next, sweepInterval);
    }
    const age = clock.monotonic() - oldest.committedAt;
    return Math.min(Math.max(readInterval.first, age / 4), readInterval.last);
  }

  function judge(waiter: Waiter, registry: RegistrySnapshot, isBelieved: boolean): void {
    if (registry.incarnation !== waiter.incarnation) {
      // Another incarnation may have lost the registry and the entry: `expire` looks for the entry itself.
      waiter.hasLooked = false;
      setExpiry(waiter, toWait(trust.longestLease()));
      return;
    }
    const own = nodeId();
    const silent = registry.nodes.filter(
      ({ id, seen }) => id !== own && (seen === null || !nodes.covers(seen, waiter.position)),
    );
    if (isBelieved && silent.length === 0 && waiter.readersKnow) {
      finish(waiter, "acks");
      return;
    }
    waiter.hasLooked = true;
    waiter.silent = silent;
    // A failover may also have lost a longer lease, which this process still knows.
    const unknown = isBelieved ? 0 : trust.longestLease();
    const ofReaders = waiter.readersKnow ? 0 : longestLease();
    const lease = Math.max(unknown, ofReaders, ...silent.map((node) => node.lease));
    setExpiry(waiter, toWait(lease));
  }

  /** Sets the waiter to expire `wait` milliseconds after its commit. */
  function setExpiry(waiter: Waiter, wait: number): void {
    waiter.expiry.cancel();
    const left = waiter.committedAt + wait - clock.monotonic();
    if (left <= 0) void expire(waiter);
    else waiter.expiry = schedule(() => void expire(waiter), Math.ceil(left));
  }

  /** Ends the wait with `expiry`: by now, every lease from before the commit has ended. */
  async function expire(waiter: Waiter): Promise<void> {
    if (!waiters.has(waiter)) return;
    const { silent, position } = waiter;
    if (waiter.hasLooked) {
      finish(waiter, "expiry");
      await sweeper.mark(silent);
      reads.wake(sweeper.toNextSweep() ?? sweepInterval);
      return;
    }
    try {
      if (!(await nodes.hasCommit(position))) {
        finish(waiter, new AuthError("unavailable", "the database has lost the revocation"));
        return;
      }
      // A node with a longer lease may have registered since this process last read the longest one.
      trust.observe(await nodes.readRegistry());
      if (!waiters.has(waiter)) return;
      const wait = toWait(trust.longestLease());
      if (clock.monotonic() < waiter.committedAt + wait) setExpiry(waiter, wait);
      else finish(waiter, "expiry");
    } catch {
      finish(waiter, "pending");
    }
  }

  /** This node has applied the revocation, but its row in the registry also covers its readers. */
  function waitForReaders(waiter: Waiter): void {
    const known = readers.whenKnown();
    if (known === null) return;
    waiter.readersKnow = false;
    void known.then(() => {
      waiter.readersKnow = true;
      if (waiters.has(waiter)) reads.wake();
    });
  }

  function finish(waiter: Waiter, result: Confirmation | AuthError): void {
    if (!waiters.delete(waiter)) return;
    waiter.expiry.cancel();
    waiter.settle(result);
  }

  /**
   * Ends the wait with `pending`. The oldest waiter stays in the list, so that silent nodes are still found and removed.
   * One waiter is enough for that.
   */
  function giveUp(waiter: Waiter): void {
    const [oldest] = waiters;
    if (waiter === oldest) waiter.settle("pending");
    else finish(waiter, "pending");
  }

  async function wait(position: CommitPosition, timeout: number | null): Promise<Confirmation> {
    if (isStopped) return "pending";
    const committedAt = clock.monotonic();
    let deadline: Timer | undefined;
    try {
      return await new Promise<Confirmation>((resolve, reject) => {
        const waiter: Waiter = {
          position,
          incarnation: nodes.toIncarnation(position),
          committedAt,
          settle: (result) => (result instanceof AuthError ? reject(result) : resolve(result)),
          readersKnow: true,
          hasLooked: false,
          silent: [],
          expiry: { cancel() {} },
        };
        waiters.add(waiter);
        waitForReaders(waiter);
        // In case that no read succeeds.
        setExpiry(waiter, toWait(trust.longestLease()));
        if (timeout !== null) deadline = schedule(() => giveUp(waiter), timeout);
        reads.wake();
      });
    } finally {
      deadline?.cancel();
    }
  }

  return {
    async confirm(position, { timeout = null, isProbe = false } = {}) {
      if (isProbe) return wait(position, timeout);
      const startedAt = clock.monotonic();
      const release = keepProcessAlive();
      try {
        const confirmation = await wait(position, timeout);
        onConfirmed?.(confirmation, clock.monotonic() - startedAt);
        return confirmation;
      } finally {
        release();
      }
    },
    observe: trust.observe,
    stop() {
      isStopped = true;
      for (const waiter of [...waiters]) finish(waiter, "pending");
      unsubscribe?.();
      unsubscribe = null;
      void reads.stop();
    },
  };
}
