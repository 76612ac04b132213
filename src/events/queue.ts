import type { Clock } from "../core/runtime/clock.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import type { AuditStore } from "../core/store/audit.ts";
import { toAuditRow } from "./audit-row.ts";
import type { AuthEvent, EventListener } from "./events.ts";

/** Events on their way to the audit log that no transaction writes. Nobody waits for them. */
export interface AuditQueue {
  /** Never throws; where too many wait, the event is dropped and counted. */
  readonly add: (event: AuthEvent) => void;
  /** Writes what waits, once, and takes no more. Fulfils when that is done or has failed. */
  readonly stop: () => Promise<void>;
}

export interface AuditQueueOptions {
  readonly store: AuditStore;
  readonly clock: Pick<Clock, "now">;
  /** Hears `audit_dropped`. */
  readonly emit: EventListener;
  readonly schedule: Schedule;
}

/** The most events that wait: a bound on memory while the store is away. */
export const maxWaiting = 1_000;

/** The most events of one batch, which with the interval bounds what a flood of refusals can make the store write. */
export const batchSize = 100;

/** Milliseconds for which events are gathered. */
const interval = 250;

/** Milliseconds before the next try where the store has refused a batch. */
const retryInterval = 1_000;

/** Makes an empty queue. */
export function createAuditQueue({ store, clock, emit, schedule }: AuditQueueOptions): AuditQueue {
  const waiting: AuthEvent[] = [];
  let dropped = 0;
  let timer: { cancel(): void } | null = null;
  let writing: Promise<void> | null = null;
  let isStopped = false;

  function add(event: AuthEvent): void {
    if (isStopped || waiting.length >= maxWaiting) dropped += 1;
    else waiting.push(event);
    wake(interval);
  }

  function wake(milliseconds: number): void {
    if (isStopped || timer !== null || writing !== null) return;
    timer = schedule(() => {
      timer = null;
      writing = write().finally(() => {
        writing = null;
      });
    }, milliseconds);
  }

  async function write(): Promise<void> {
    sayDropped();
    const isWritten = await writeBatch();
    writing = null;
    if (waiting.length > 0) wake(isWritten ? interval : retryInterval);
  }

  /** False where the store refused: the events go on waiting. */
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

  function sayDropped(): void {
    if (dropped === 0) return;
    const count = dropped;
    dropped = 0;
    emit({ type: "audit_dropped", time: clock.now(), count });
  }

  return {
    add,
    async stop() {
      isStopped = true;
      timer?.cancel();
      await writing;
      while (waiting.length > 0 && (await writeBatch()));
      dropped += waiting.length;
      sayDropped();
    },
  };
}
