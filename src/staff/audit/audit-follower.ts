import { createLoop } from "../../core/runtime/loop.ts";
import { type Schedule, unrefSchedule } from "../../core/runtime/schedule.ts";
import type { AuditStore } from "../../core/store/audit.ts";

/** Looks for new audit entries while a stream follows the log. */
export interface AuditFollower {
  /**
   * Adds a stream.
   *
   * @returns a function that removes it, or `null` if too many streams follow the log, or the node is stopping.
   */
  follow(stream: FollowingStream): (() => void) | null;
  /** Ends all streams, and takes no more. */
  drain(): void;
  /** Ends all streams, and stops looking. */
  stop(): Promise<void>;
}

/** A stream that follows the log. */
export interface FollowingStream {
  /** Called when there are new entries. */
  onEntries(): void;
  /** Called when the stream must end, because the node stops. */
  onStop(): void;
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
  const streams = new Set<FollowingStream>();
  let isStopping = false;
  let cursor: string | null = null;
  const loop = createLoop({
    schedule,
    onError: () => interval,
    async step() {
      if (streams.size === 0) {
        cursor = null;
        return null;
      }
      const isFirst = cursor === null;
      const { entries, cursor: next } = await audit.read({ after: cursor, limit: 100 });
      cursor = next;
      if (isFirst || entries.length > 0) for (const stream of [...streams]) stream.onEntries();
      return entries.length === 100 ? 0 : interval;
    },
  });
  function drain(): void {
    isStopping = true;
    for (const stream of [...streams]) stream.onStop();
  }

  return {
    follow(stream) {
      if (isStopping || streams.size >= maxStreams) return null;
      streams.add(stream);
      loop.wake();
      return () => streams.delete(stream);
    },
    drain,
    async stop() {
      drain();
      await loop.stop();
    },
  };
}
