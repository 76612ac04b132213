import { toUnavailableReason } from "../core/errors.ts";
import type { FeedBatch } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { EventListener } from "../events/events.ts";

/** Emits the events of a feed. Each change is reported once. */
export interface FeedReports {
  /** Call it before the whole feed is read again, and not only its new entries. */
  reloading(): void;
  /**
   * Call it when a batch has been applied. `sentAt` is the time, on the monotonic clock, before the batch was requested.
   */
  applied(batch: FeedBatch, sentAt: number): void;
  /** Call it when a read has reached the end. */
  loaded(): void;
  /** Call it when a read has failed. */
  failed(error: unknown): void;
  /** Call it with the staleness: the node knows every revocation that is older than `seconds`. */
  staleness(seconds: number, isFresh: boolean): void;
  /** Call it when the store's notifications of new entries begin or stop. */
  listening(isListening: boolean, reason?: string): void;
}

/** The options of `createFeedReports`. */
export interface FeedReportsOptions {
  readonly clock: Clock;
  readonly emit: EventListener;
  readonly onLag: ((seconds: number) => void) | undefined;
}

const unanswered = "no read has been answered";

/** Creates the reports of a feed that has not been loaded. */
export function createFeedReports({ clock, emit, onLag }: FeedReportsOptions): FeedReports {
  let failure = unanswered;
  let reportedStale = false;
  let isListening = true;
  let isFirstLoad = true;
  /** The number of entries that have been read so far while the whole feed is read. Otherwise `null`. */
  let loading: number | null = 0;

  /**
   * Reports the lag of each entry. It adds the whole time of the read to each age, so that no lag is too short, and times
   * of two clocks are never compared.
   */
  function reportLags(ages: readonly (number | null)[], sentAt: number): void {
    if (onLag === undefined) return;
    const readTime = clock.monotonic() - sentAt;
    for (const age of ages) if (age !== null) onLag((age + readTime) / 1000);
  }

  return {
    reloading() {
      loading = 0;
    },
    applied({ revocations, ages = [] }, sentAt) {
      if (loading === null) reportLags(ages, sentAt);
      else loading += revocations.length;
    },
    loaded() {
      failure = unanswered;
      if (loading !== null && !isFirstLoad) emit({ type: "feed_reloaded", time: clock.now(), revocations: loading });
      loading = null;
      isFirstLoad = false;
    },
    failed(error) {
      failure = `reading failed: ${toUnavailableReason(error)}`;
    },
    staleness(staleSeconds, isFresh) {
      if (isFresh === !reportedStale) return;
      reportedStale = !isFresh;
      const time = clock.now();
      emit(isFresh ? { type: "feed_recovered", time } : { type: "feed_stale", time, staleSeconds, reason: failure });
    },
    listening(isNow, reason = "unknown") {
      if (isNow === isListening) return;
      isListening = isNow;
      const time = clock.now();
      emit(isNow ? { type: "listen_recovered", time } : { type: "listen_lost", time, reason });
    },
  };
}
