import { createLoop } from "../core/runtime/loop.ts";
import { type Schedule, unrefSchedule } from "../core/runtime/schedule.ts";
import type { AuditStore } from "../core/store/audit.ts";

/** Looks for new audit entries while a stream follows the log. */
export interface AuditFollower {
  /**
   * Adds a listener that is called when there are new entries.
   *
   * @returns a function that removes it, or `null` if too many streams follow the log.
   */
  follow(listener: () => void): (() => void) | null;
  /** Stops looking. */
  stop(): Promise<void>;
}

/** The maximum number of streams on a node. */
const maxStreams = 50;

/** How often the log is looked at, in milliseconds. */
const interval = 1_000;

/** Creates a follower, which looks at the log only while it has listeners: once for all of them. */
export function createAuditFollower(
  audit: Pick<AuditStore, "read">,
  schedule: Schedule = unrefSchedule,
): AuditFollower {
  const listeners = new Set<() => void>();
  let cursor: string | null = null;
  const loop = createLoop({
    schedule,
    onError: () => interval,
    async step() {
      if (listeners.size === 0) {
        cursor = null;
        return null;
      }
      const isFirst = cursor === null;
      const { entries, cursor: next } = await audit.read({ after: cursor, limit: 100 });
      cursor = next;
      if (isFirst || entries.length > 0) for (const listener of [...listeners]) listener();
      return entries.length === 100 ? 0 : interval;
    },
  });
  return {
    follow(listener) {
      if (listeners.size >= maxStreams) return null;
      listeners.add(listener);
      loop.wake();
      return () => listeners.delete(listener);
    },
    stop: () => loop.stop(),
  };
}
