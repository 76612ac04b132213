import type { Clock } from "../core/runtime/clock.ts";
import type { Settings } from "../core/settings/settings.ts";
import { toAuditPolicy } from "./catalogue/catalogue.ts";
import { createEntryLimit } from "./entry-limit.ts";
import type { EventListener } from "./events.ts";

/** The listeners of one `auth`. */
export interface Listeners {
  /**
   * Adds a listener.
   *
   * @returns a function that removes the listener.
   */
  readonly add: (listener: EventListener) => () => void;
  /** Passes an event to every listener, in the order in which they were added. Never throws. */
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

/** The options of `createPublisher`. */
export interface PublisherOptions {
  /** Passes an event to the listeners. */
  readonly emit: EventListener;
  /** Adds an event to the queue of the audit log. */
  readonly queue: EventListener;
  readonly settings: Pick<Settings, "auditRetention" | "auditRotations">;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Creates the function that publishes an event. It passes the event to the listeners. If the event's audit policy is
 * "batch", it also adds the event to `queue`. An event with the policy "transaction" has already been recorded when it is
 * published.
 */
export function createPublisher(options: PublisherOptions): EventListener {
  const { emit, queue, settings, clock } = options;
  const isOverLimit = createEntryLimit(clock);
  return (event) => {
    emit(event);
    if (settings.auditRetention === 0 || toAuditPolicy(event, settings) !== "batch") return;
    if (!isOverLimit(event)) queue(event);
  };
}
