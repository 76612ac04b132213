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
          // The change is committed, and a listener can't undo it.
        }
      }
    },
  };
}

/** What a publisher needs. */
export interface PublisherOptions {
  /** Gives an event to the listeners. */
  readonly emit: EventListener;
  /** Adds an event to the queue of the audit log. */
  readonly queue: EventListener;
  readonly settings: Pick<Settings, "auditRetention" | "auditRotations">;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Creates the function that publishes an event: to the listeners and, if its audit policy is "batch", to the audit log
 * through `queue`. An event with the policy "transaction" has been recorded when it is published.
 */
export function createPublisher(options: PublisherOptions): EventListener {
  const { emit, queue, settings, clock } = options;
  const isDuplicate = createDeduplicator(clock);
  return (event) => {
    emit(event);
    if (settings.auditRetention === 0 || toAuditPolicy(event, settings) !== "batch") return;
    if (!isDuplicate(event)) queue(event);
  };
}
