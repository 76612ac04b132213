import type { Clock } from "../core/runtime/clock.ts";
import { createLoop } from "../core/runtime/loop.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import type { AuditStore } from "../core/store/audit.ts";
import { toAuditRow } from "./audit-row.ts";
import type { AuthEvent, EventListener } from "./events.ts";

/** The queue of events that are written to the audit log in batches, because they are not part of a transaction. */
export interface AuditQueue {
  /** Adds an event. Never throws. If too many events are waiting, it drops the event and counts it. */
  readonly add: (event: AuthEvent) => void;
  /**
   * Writes the events that are waiting. Later events are dropped. Fulfils when everything has been written or the store has
   * failed.
   */
  readonly stop: () => Promise<void>;
}

/** The options of `createAuditQueue`. */
export interface AuditQueueOptions {
  readonly store: Pick<AuditStore, "append">;
  readonly clock: Pick<Clock, "now">;
  /** Called with `audit_dropped` events. */
  readonly emit: EventListener;
  readonly schedule: Schedule;
}

/** The maximum number of events that can wait. It limits the memory that is used while the store is unavailable. */
export const maxWaiting = 1_000;

/**
 * The maximum number of events in one batch. Together with `gatherTime`, it limits how many events per second are written.
 */
export const batchSize = 100;

/** How long events are gathered before they are written, in milliseconds. */
const gatherTime = 250;

/** The number of milliseconds before the next attempt after the store refused a batch. */
const retryDelay = 1_000;

/** Creates an empty queue. */
export function createAuditQueue({ store, clock, emit, schedule }: AuditQueueOptions): AuditQueue {
  const waiting: AuthEvent[] = [];
  let dropped = 0;
  let isStopped = false;
  const loop = createLoop({ step: write, schedule });

  async function write(): Promise<number | null> {
    reportDropped();
    const isWritten = await writeBatch();
    if (waiting.length === 0) return null;
    return isWritten ? gatherTime : retryDelay;
  }

  /** Writes a batch. Returns false if the store refused it. In that case, its events stay in the queue. */
  async function writeBatch(): Promise<boolean> {
    const batch = waiting.slice(0, batchSize);
    if (batch.length === 0) return true;
    try {
      await store.append(batch.map(toAuditRow));
      waiting.splice(0, batch.length);
      return true;
    } catch {
      return false;
    }
  }

  function reportDropped(): void {
    if (dropped === 0) return;
    const count = dropped;
    dropped = 0;
    emit({ type: "audit_dropped", time: clock.now(), count });
  }

  return {
    add(event) {
      if (isStopped || waiting.length >= maxWaiting) {
        dropped += 1;
        return;
      }
      waiting.push(event);
      // Otherwise a run is due already, and an event must not shorten the delay after a refusal.
      if (waiting.length === 1) loop.wake(gatherTime);
    },
    async stop() {
      isStopped = true;
      await loop.stop();
      while (waiting.length > 0 && (await writeBatch()));
      dropped += waiting.splice(0).length;
      reportDropped();
    },
  };
}
