import type { Clock } from "../core/runtime/clock.ts";
import type { Settings } from "../core/settings/settings.ts";
import { toAuditPolicy } from "./catalogue.ts";
import { createDeduplicator } from "./deduplicate.ts";
import type { EventListener } from "./events.ts";

/** The listeners of one `auth`. */
export interface Listeners {
  /** Adds a listener. @returns a function that removes it. */
  readonly add: (listener: EventListener) => () => void;
  /** Gives an event to every listener, in the order in which they were added. Never throws. */
  readonly emit: EventListener;
}

/** Creates an empty set of listeners. */
export function createListeners(): Listeners {
  const listeners = new Set<EventListener>();
  return {
    add(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    emit(event) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch {
          // A listener can't undo what has happened.
        }
      }
    },
  };
}

/**
 * Creates the function that publishes an event: to the listeners and, if its policy is "batch", to the audit log through
 * `queue`. Events with the policy "transaction" have been recorded by then.
 */
export function createPublisher(options: {
  readonly emit: EventListener;
  readonly queue: EventListener;
  readonly settings: Pick<Settings, "auditRetention" | "auditRotations">;
  readonly clock: Pick<Clock, "now">;
}): EventListener {
  const { emit, queue, settings, clock } = options;
  const isDuplicate = createDeduplicator(clock);
  return (event) => {
    emit(event);
    if (settings.auditRetention === 0 || toAuditPolicy(event, settings) !== "batch") return;
    if (!isDuplicate(event)) queue(event);
  };
}
