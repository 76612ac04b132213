import { toUnavailableReason } from "../core/errors.ts";
import type { FeedCursor, Revocation } from "../core/revocation.ts";
import { clockMargin, toRevocationHorizon } from "../core/revocation-horizon.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { createLoop } from "../core/runtime/loop.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import { unrefSchedule } from "../core/runtime/schedule.ts";
import type { FeedStore } from "../core/store/feed.ts";
import type { EventListener } from "../events/events.ts";
import type { RevocationIndex } from "./revocation-index.ts";

/** Keeps a `RevocationIndex` up to date with the store, and knows how stale it may be. */
export interface Feed {
  /**
   * Fulfils when every revocation in the store has been applied. If the load fails, the feed tries again every
   * `pollInterval`; call `start` again to wait for that. Later calls start nothing else.
   *
   * @throws what the store throws; TypeError after `stop`.
   */
  start(): Promise<void>;
  /** Applies revocations that this process has just committed, without waiting for the next read. */
  apply(revocations: readonly Revocation[]): void;
  /** Returns whether the index can be relied on: it is loaded, and not staler than `maxStaleness`. */
  isFresh(): boolean;
  /** Returns whether every revocation has been applied once. */
  isLoaded(): boolean;
  /** Returns the seconds since the start of the last read that reached the feed's end; `Infinity` before the first. */
  staleness(): number;
  /** Stops reading for good. A read in flight changes nothing more. */
  stop(): void;
}

/** What a feed needs. */
export interface FeedOptions {
  readonly store: FeedStore;
  readonly index: RevocationIndex;
  readonly clock: Clock;
  /** Seconds. */
  readonly accessTokenLifetime: number;
  /** Seconds. */
  readonly leeway: number;
  /** Seconds. */
  readonly maxStaleness: number;
  /** Called for every entry when the index has it. An entry may come more than once. */
  readonly onApplied?: ((revocation: Revocation) => void) | undefined;
  /** Called for every entry that is read after the first load, with the seconds since it was appended. */
  readonly onLag?: ((seconds: number) => void) | undefined;
  /** Called with the events of the feed and of the store's notifications. */
  readonly emit: EventListener;
  readonly schedule?: Schedule | undefined;
}

/** Milliseconds in which wake-ups are gathered, so that a busy store isn't read once for every revocation. */
const WAKE_DELAY = 10;

const unanswered = "no read has been answered";

/** Creates a feed that does nothing until it is started. */
export function createFeed(options: FeedOptions): Feed {
  const { store, index, clock, maxStaleness, onApplied, onLag, emit, schedule = unrefSchedule } = options;
  const horizon = toRevocationHorizon(options);
  let cursor: FeedCursor | null = null;
  let freshAt = Number.NEGATIVE_INFINITY;
  let wallAhead = Number.NEGATIVE_INFINITY;
  let failure = unanswered;
  let reportedStale = false;
  let unsubscribe: (() => void) | null = null;
  let stopped = false;
  let isListening = true;
  /** While the whole feed is read, and not only its new entries: how many entries have been read. */
  let loading: number | null = 0;
  // Two loops: while a read waits for an answer, expired entries must still be swept and staleness reported.
  const reads = createLoop({ step: read, onError: () => null, schedule });
  const polls = createLoop({ step: poll, schedule });

  const isLoaded = () => freshAt !== Number.NEGATIVE_INFINITY;
  const staleness = () => (clock.monotonic() - freshAt) / 1000;
  const isFresh = () => staleness() <= maxStaleness;

  function apply(revocations: readonly Revocation[]): void {
    for (const revocation of revocations) {
      index.apply(revocation);
      onApplied?.(revocation);
    }
  }

  /** While the wall clock was ahead, entries were dropped that are needed again after it is set back. */
  function reloadIfClockWasSetBack(): void {
    const ahead = clock.now() - clock.monotonic() / 1000;
    if (ahead < wallAhead - clockMargin / 2) {
      cursor = null;
      loading = 0;
      wallAhead = ahead;
    }
    wallAhead = Math.max(wallAhead, ahead);
  }

  /** Adds the whole time of the read to each age, so that no lag is reported too short and no two clocks are compared. */
  function reportLags(ages: readonly (number | null)[], readAt: number): void {
    if (onLag === undefined) return;
    const readTime = clock.monotonic() - readAt;
    for (const age of ages) if (age !== null) onLag((age + readTime) / 1000);
  }

  async function readToEnd(): Promise<void> {
    reloadIfClockWasSetBack();
    const wasLoaded = isLoaded();
    for (let more = true; more; ) {
      const startedAt = clock.monotonic();
      const batch = await store.read({ after: cursor, horizon });
      if (stopped) throw new Error("the feed was stopped before it was loaded");
      apply(batch.revocations);
      cursor = batch.cursor;
      more = batch.more;
      if (!more) freshAt = startedAt;
      if (batch.isRestarted) loading ??= 0;
      if (loading !== null) loading += batch.revocations.length;
      else reportLags(batch.ages ?? [], startedAt);
    }
    failure = unanswered;
    if (loading !== null && wasLoaded) emit({ type: "feed_reloaded", time: clock.now(), revocations: loading });
    loading = null;
  }

  async function read(): Promise<null> {
    try {
      await readToEnd();
      return null;
    } catch (error) {
      failure = `reading failed: ${toUnavailableReason(error)}`;
      throw error;
    } finally {
      if (!stopped) reportStaleness();
    }
  }

  async function poll(): Promise<number> {
    index.sweep();
    reportStaleness();
    // A failure shows as staleness.
    reads.run().catch(() => {});
    return store.pollInterval;
  }

  function reportStaleness(): void {
    const isStale = isLoaded() && !isFresh();
    if (isStale === reportedStale) return;
    reportedStale = isStale;
    const time = clock.now();
    emit(
      isStale
        ? { type: "feed_stale", time, staleSeconds: staleness(), reason: failure }
        : { type: "feed_recovered", time },
    );
  }

  function reportListening(isNow: boolean, reason = "unknown"): void {
    if (stopped || isNow === isListening) return;
    isListening = isNow;
    const time = clock.now();
    emit(isNow ? { type: "listen_recovered", time } : { type: "listen_lost", time, reason });
  }

  return {
    async start() {
      if (stopped) throw new TypeError("this feed has been stopped");
      unsubscribe ??= store.subscribe(() => reads.wake(WAKE_DELAY), reportListening);
      polls.wake(store.pollInterval);
      if (!isLoaded()) await reads.run();
    },
    apply,
    isFresh,
    isLoaded,
    staleness,
    stop() {
      stopped = true;
      unsubscribe?.();
      // Without waiting: a read may get no answer, and changes nothing any more.
      void reads.stop();
      void polls.stop();
    },
  };
}
