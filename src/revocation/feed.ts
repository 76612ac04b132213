import type { FeedCursor, Revocation } from "../core/revocation.ts";
import { clockMargin, toRevocationHorizon } from "../core/revocation-horizon.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import { unrefSchedule } from "../core/runtime/schedule.ts";
import type { FeedStore } from "../core/store/feed.ts";
import type { EventListener } from "../events/events.ts";
import type { RevocationIndex } from "./revocation-index.ts";

/** Keeps a `RevocationIndex` up with the store, and knows how far behind it may be. */
export interface Feed {
  /**
   * Fulfils once everything in the store has been applied. Rejects where the load fails, and goes on trying every
   * `pollInterval`; call it again to wait for the next attempt. Started once however often it is called.
   *
   * @throws what the store threw
   */
  start(): Promise<void>;
  /** Applies what this process has just committed, without waiting for the next read. */
  apply(revocations: readonly Revocation[]): void;
  /** Whether the index may be answered from: loaded, and not staler than `maxStaleness`. */
  isFresh(): boolean;
  /** Whether everything has been applied once. */
  isLoaded(): boolean;
  /** Seconds since the start of the last read that reached the end of the feed; `Infinity` before the first. */
  staleness(): number;
  /** Ends the reading for good. A read in flight changes nothing any more. */
  stop(): void;
}

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
  /** Called for every entry once the index has it; entries may come more than once. */
  readonly onApplied?: ((revocation: Revocation) => void) | undefined;
  /** Called for every entry that the feed brought after the first load, with the seconds from its appending until now. */
  readonly onLag?: ((seconds: number) => void) | undefined;
  /** Receives the events about feed and listening. */
  readonly emit: EventListener;
  readonly schedule?: Schedule | undefined;
}

/** Milliseconds in which wake-ups are gathered, so that a busy store is not read once for every revocation. */
const WAKE_DELAY = 10;

const unanswered = "no read has been answered";

/** Makes a feed that does nothing until it is started. */
export function createFeed(options: FeedOptions): Feed {
  const { store, index, clock, maxStaleness, onApplied, onLag, emit, schedule = unrefSchedule } = options;
  const horizon = toRevocationHorizon(options);
  let cursor: FeedCursor | null = null;
  let reading: Promise<void> | null = null;
  let freshAt = Number.NEGATIVE_INFINITY;
  let wallAhead = Number.NEGATIVE_INFINITY;
  let failure = unanswered;
  let reportedStale = false;
  let unsubscribe: (() => void) | null = null;
  let poll: { cancel(): void } | null = null;
  let wakeUp: { cancel(): void } | null = null;
  let wokenWhileReading = false;
  let stopped = false;
  let isListening = true;
  /** While everything is read, not only what is new: how many entries that were until now. */
  let loading: number | null = 0;

  const isLoaded = () => freshAt !== Number.NEGATIVE_INFINITY;
  const staleness = () => (clock.monotonic() - freshAt) / 1000;
  const isFresh = () => staleness() <= maxStaleness;

  function apply(revocations: readonly Revocation[]): void {
    for (const revocation of revocations) {
      index.apply(revocation);
      onApplied?.(revocation);
    }
  }

  /** Under a wall clock that ran ahead, entries were dropped that are needed again once it has been set back. */
  function reloadIfClockWasSetBack(): void {
    const ahead = clock.now() - clock.monotonic() / 1000;
    if (ahead < wallAhead - clockMargin / 2) {
      cursor = null;
      loading = 0;
      wallAhead = ahead;
    }
    wallAhead = Math.max(wallAhead, ahead);
  }

  /** The time on the way counts in full, so that no lag is told too short and no two clocks are compared. */
  function reportLags(ages: readonly (number | null)[], readAt: number): void {
    if (onLag === undefined) return;
    const onTheWay = clock.monotonic() - readAt;
    for (const age of ages) if (age !== null) onLag((age + onTheWay) / 1000);
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

  /** Joins the read in flight or begins one; there are never two. */
  function read(): Promise<void> {
    reading ??= readToEnd()
      .catch((error: unknown) => {
        failure = `reading failed: ${error instanceof Error ? error.name : typeof error}`;
        throw error;
      })
      .finally(() => {
        reading = null;
        if (stopped) return;
        reportStaleness();
        if (wokenWhileReading) wake();
      });
    return reading;
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

  function readInBackground(): void {
    // A failure shows as staleness.
    read().catch(() => {});
  }

  function wake(): void {
    if (stopped) return;
    wokenWhileReading = reading !== null;
    if (wokenWhileReading) return;
    wakeUp ??= schedule(() => {
      wakeUp = null;
      readInBackground();
    }, WAKE_DELAY);
  }

  function tick(): void {
    poll = schedule(tick, store.pollInterval);
    index.sweep();
    reportStaleness();
    readInBackground();
  }

  return {
    async start() {
      if (stopped) throw new TypeError("this feed has been stopped");
      unsubscribe ??= store.subscribe(wake, reportListening);
      poll ??= schedule(tick, store.pollInterval);
      if (!isLoaded()) await read();
    },
    apply,
    isFresh,
    isLoaded,
    staleness,
    stop() {
      stopped = true;
      unsubscribe?.();
      poll?.cancel();
      wakeUp?.cancel();
    },
  };
}
