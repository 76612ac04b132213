import { AuthError } from "../core/errors.ts";
import type { FeedBatch, FeedCursor, Revocation } from "../core/revocation.ts";
import { clockMargin } from "../core/revocation-horizon.ts";
import { createLoop } from "../core/runtime/loop.ts";
import { unrefSchedule } from "../core/runtime/schedule.ts";
import { trace } from "../core/tracing.ts";
import { createAcknowledgements } from "./acknowledgements.ts";
import { createClockSteps } from "./clock-steps.ts";
import type { FeedOptions } from "./feed-options.ts";
import { createFeedReports } from "./feed-reports.ts";
import { createFreshWaits } from "./fresh-waits.ts";
import { createLease, type Instant, toInstant } from "./lease.ts";
import { createMembership } from "./membership.ts";
import { noReaders } from "./readers/readers-knowledge.ts";

/** Keeps a `RevocationIndex` up to date with the store, and knows how stale it may be. */
export interface Feed {
  /**
   * Registers the node. Fulfils when every revocation in the store has been applied. If that fails, the feed tries again at
   * every poll. To wait for the next attempt, call `start` again.
   *
   * @throws the errors of the store.
   * @throws TypeError after `stop`.
   */
  start(): Promise<void>;
  /** Applies revocations that this process has just committed, without waiting for the next read. */
  apply(revocations: readonly Revocation[]): void;
  /**
   * Returns whether the index can be used: it is loaded, and its staleness is at most `maxStaleness`. Call it before the
   * index, with no `await` in between.
   *
   * @param wall the time of the wall clock in milliseconds, if the caller has already read it.
   */
  isFresh(wall?: number): boolean;
  /**
   * Waits until the index can be used, but for at most half a second. It waits for the read in flight or, if there is none,
   * starts a new read. If the last read failed, it doesn't wait.
   *
   * @returns whether the index can be used now.
   */
  whenFresh(): Promise<boolean>;
  /** Returns whether every revocation has been applied once. */
  isLoaded(): boolean;
  /** Returns the number of seconds since the start of the last complete read, or `Infinity` before the first one. */
  staleness(): number;
  /** Returns this node's id in the registry, or `null` if it is not registered. */
  nodeId(): string | null;
  /** Returns the longest lease of this node and its readers, in milliseconds. */
  longestLease(): number;
  /**
   * Fulfils when the registry has at least this lease for the node, and a complete read has begun and ended after that. A frame
   * for a reader with that lease may be made then: the reader relies on that read or a later one.
   *
   * @param ms milliseconds.
   * @throws what the store throws; AuthError `unavailable` if the registration was lost again and again.
   */
  requireLease(ms: number): Promise<void>;
  /** Stops accepting at once and reading for good, and removes the node from the registry. Never rejects. */
  stop(): Promise<void>;
}

/** Milliseconds in which wake-ups are gathered, so that a busy store isn't read once for every revocation. */
const wakeDelay = { awaited: 2, other: 10 };

/** The longest time between two reads, in milliseconds. */
const longestPoll = 250;

/** Milliseconds between two sweeps of the index. */
const sweepInterval = 1_000;

/** How often a run reads again because the read before counted for nothing. */
const maxReads = 5;

/** How long a cursor is used, in seconds. The store keeps entries for a day longer than they are needed. */
const longestCursor = 86_400;

/** Creates a feed that does nothing until it is started. */
export function createFeed(options: FeedOptions): Feed {
  const { store, index, clock, settings, onApplied, onState, onStaleness, emit, schedule = unrefSchedule } = options;
  const { follower, readers = noReaders } = options;
  const { maxStaleness, leeway, heartbeat } = settings;
  const lease = createLease(clock, maxStaleness);
  const steps = createClockSteps(clock);
  const membership = createMembership({
    nodes: store.nodes,
    clock,
    name: settings.nodeName ?? null,
    lease: Math.ceil(maxStaleness * 1000),
    accessTokenLifetime: settings.accessTokenLifetime,
    areReadersOver: readers.areOver,
  });
  const acknowledgements = createAcknowledgements({ membership, readers });
  const reports = createFeedReports({ clock, emit, onLag: options.onLag });
  const pollInterval = Math.min(maxStaleness * 250, longestPoll);
  /** The timeout for a read of new entries, in milliseconds. A read of all entries may take as long as the store allows. */
  const readTimeout = Math.max(maxStaleness * 400, 250);
  let cursor: FeedCursor | null = null;
  /** Whether the last read ended before its last batch. */
  let isUnfinished = false;
  let isLoaded = false;
  let beat = heartbeat === "write";
  /** Whether an entry for which a caller waits was applied, and no complete read has been reported since. */
  let isAwaited = false;
  /** The lease that the registry had when the last counted read began. */
  let grantedLease = 0;
  let hasFailed = false;
  let sweptAt = Number.NEGATIVE_INFINITY;
  let unsubscribe: (() => void) | null = null;
  let stopped = false;
  // Two loops: while a read waits for an answer, expired entries must still be swept and staleness reported.
  const reads = createLoop({ step: read, onError: () => null, schedule });
  const polls = createLoop({ step: poll, schedule });
  const waitUntilFresh = createFreshWaits({ lease, read: reads.run, schedule });

  function apply(revocations: readonly Revocation[]): void {
    applyToIndex(revocations);
    follower?.committed(revocations);
  }

  function applyToIndex(revocations: readonly Revocation[]): void {
    for (const revocation of revocations) {
      index.apply(revocation);
      onApplied?.(revocation);
    }
  }

  /**
   * Starts from the beginning if the wall clock was set back, because entries were dropped while it was ahead, or if the cursor
   * is so old that the store may have deleted entries after it.
   */
  function restartIfNecessary(readAt: Instant): void {
    const wasSetBack = steps.noteRead(readAt);
    if (wasSetBack || (isLoaded && lease.staleness() > longestCursor)) restart();
  }

  function restart(): void {
    cursor = null;
    isUnfinished = false;
    follower?.restarted();
    reports.reloading();
  }

  async function readBatch(nodeId: string): Promise<FeedBatch> {
    const sentAt = toInstant(clock);
    const request = {
      after: cursor,
      since: clock.now() - leeway - clockMargin,
      nodeId,
      beat,
      timeout: cursor === null ? null : readTimeout,
    };
    const batch = await trace(
      "tokenpair:feed",
      {},
      () => store.feed.read(request),
      (message, { revocations }) => {
        message.revocations = revocations.length;
      },
    );
    if (stopped) throw new Error("the feed was stopped before it was loaded");
    onState?.(batch.state, sentAt);
    if (batch.isCursorLost !== true) {
      applyToIndex(batch.revocations);
      follower?.read(batch);
      // Kept until a read is complete: this one may still fail, and the next one gets only later entries.
      isAwaited ||= batch.revocations.some(({ confirm }) => confirm === true);
      cursor = batch.cursor;
      isUnfinished = batch.more;
      reports.applied(batch, sentAt.monotonic);
    }
    return batch;
  }

  /** Reads to the end of the feed. @returns whether the read counts. */
  async function readToEnd(): Promise<boolean> {
    const nodeId = await membership.ensure();
    const { lease: registeredLease } = membership;
    // Before the first batch is sent: the node knows what was committed until then.
    const readAt = toInstant(clock);
    restartIfNecessary(readAt);
    const isContinued = isUnfinished;
    const hasBeat = beat;
    let batch: FeedBatch;
    do {
      batch = await readBatch(nodeId);
      if (batch.isCursorLost === true || batch.state.incarnation !== membership.incarnation) {
        // Positions and registrations of another incarnation prove nothing.
        membership.drop();
        restart();
        return false;
      }
      if (batch.state.membership !== "member") {
        membership.drop();
        return false;
      }
    } while (batch.more);

    // Its first batch is older than this call, and may be older than the registration.
    if (isContinued) return false;
    // While the wall clock was ahead, the index dropped entries of this read, or didn't take them.
    if (steps.wasSetForward(readAt)) return false;
    beat = heartbeat === "write" || (heartbeat === "auto" && batch.state.hasSynchronousStandby);
    // A former primary would still answer, but it couldn't commit.
    if (beat && !hasBeat) return false;
    await agreeOnGlobalEpoch(batch.state.globalEpoch);
    membership.noteCountedRead();
    lease.extend(readAt);
    grantedLease = registeredLease;
    acknowledgements.report(nodeId, batch.seen, isAwaited);
    isAwaited = false;
    return true;
  }

  /** "Revoke all" is also in the installation's row, so its entry may be forgotten. A restored database may have a lower epoch. */
  async function agreeOnGlobalEpoch(stored: number): Promise<void> {
    if (stored < index.globalEpoch) await store.nodes.raiseGlobalEpoch(index.globalEpoch);
    if (stored > index.globalEpoch) apply([{ kind: "all", epoch: stored, at: 0 }]);
  }

  /** @returns the milliseconds until the next read, if it should come before the next poll. */
  async function read(): Promise<number | null> {
    const startedAt = clock.monotonic();
    try {
      let counts = false;
      for (let n = 0; n < maxReads && !counts; n++) counts = await readToEnd();
      if (!counts) throw new Error("the node's registration was lost again and again");
      isLoaded = true;
      hasFailed = false;
      reports.loaded();
      return clock.monotonic() - startedAt > maxStaleness * 500 ? 0 : null;
    } catch (error) {
      hasFailed = true;
      reports.failed(error);
      throw error;
    } finally {
      if (!stopped) reportStaleness();
    }
  }

  async function poll(): Promise<number> {
    const now = clock.monotonic();
    // If the wall clock was set forward, not before a read has noticed it: it may be set back before that.
    if (now - sweptAt >= sweepInterval && !steps.wasSetForward()) {
      sweptAt = now;
      index.sweep();
      follower?.swept();
    }
    reportStaleness();
    // A failure shows as staleness.
    reads.run().catch(() => {});
    return pollInterval;
  }

  function reportStaleness(): void {
    if (!isLoaded) return;
    const staleness = lease.staleness();
    reports.staleness(staleness, lease.holds());
    onStaleness?.(staleness);
  }

  return {
    async start() {
      if (stopped) throw new TypeError("this feed has been stopped");
      unsubscribe ??= store.feed.subscribe(
        (isAwaited) => reads.wake(isAwaited ? wakeDelay.awaited : wakeDelay.other),
        (isListening, reason) => {
          if (!stopped) reports.listening(isListening, reason);
        },
      );
      polls.wake(pollInterval);
      if (!isLoaded) await reads.run();
    },
    apply,
    isFresh: lease.holds,
    whenFresh: async () => (hasFailed || stopped ? lease.holds() : waitUntilFresh()),
    isLoaded: () => isLoaded,
    staleness: lease.staleness,
    nodeId: () => membership.id,
    longestLease: () => membership.lease,
    async requireLease(ms) {
      for (let n = 0; grantedLease < ms; n++) {
        if (n === maxReads || stopped) throw new AuthError("unavailable", "the node's lease could not be raised");
        // Not as a part of a read: if it takes long, only readers wait.
        await membership.raise(ms);
        // The run in flight may have begun before.
        await reads.run();
      }
    },
    async stop() {
      stopped = true;
      lease.end();
      unsubscribe?.();
      // Without waiting: a read may get no answer, and changes nothing any more.
      void reads.stop();
      void polls.stop();
      await membership.leave();
    },
  };
}
