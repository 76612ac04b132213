import { toUnavailableReason } from "../core/errors.ts";
import type { FeedBatch } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { EventListener } from "../events/events.ts";

/** Emits the events of a feed, each once for every change. */
export interface FeedReports {
  /** The whole feed will be read, and not only its new entries. */
  reloading(): void;
  /** A batch was applied. `sentAt`: the monotonic clock before it was asked for. */
  applied(batch: FeedBatch, sentAt: number): void;
  /** A read has reached the end. */
  loaded(): void;
  /** A read has failed. */
  failed(error: unknown): void;
  /** The node knows every revocation up to `seconds` ago. */
  staleness(seconds: number, isFresh: boolean): void;
  /** The store is notified of new entries, or is not any more. */
  listening(isListening: boolean, reason?: string): void;
}

/** What the reports need. */
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
  /** While the whole feed is read: how many entries have been read. */
  let loading: number | null = 0;

  /** Adds the whole time of the read to each age, so that no lag is reported too short and no two clocks are compared. */
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
