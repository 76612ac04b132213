import type { PostgresListenClient } from "../connection/driver.ts";
import { createListener } from "./listener.ts";

/**
 * Wakes the processes that wait for acknowledgements. Wake-ups may be missing, so these processes also read the registry
 * regularly.
 */
export interface Acknowledgements {
  /** The channel on which other processes are notified. The statement that acknowledges notifies them. */
  readonly channel: string;
  /** Wakes the subscribers of this process. */
  readonly wake: () => void;
  /**
   * Adds a subscriber. It listens to the database only while there are subscribers.
   *
   * @returns a function that removes the subscriber.
   */
  readonly subscribe: (wake: () => void) => () => void;
  /** Stops listening. */
  readonly stop: () => void;
}

/**
 * How long it continues to listen after the last subscriber has left, in milliseconds, because another revocation may
 * follow soon.
 */
const keepListening = 10_000;

/** Creates the object for a channel. */
export function createAcknowledgements(
  channel: string,
  createListenClient: (() => PostgresListenClient) | null,
): Acknowledgements {
  const subscribers = new Set<() => void>();
  let stopping: NodeJS.Timeout | undefined;

  function wake(): void {
    for (const subscriber of subscribers) queueMicrotask(() => subscribers.has(subscriber) && subscriber());
  }

  const listener =
    createListenClient === null
      ? null
      : createListener({
          createClient: createListenClient,
          channel,
          onNotification: wake,
          onConnected: wake,
          onLost: () => {},
        });

  return {
    channel,
    wake,

    subscribe(subscriber) {
      clearTimeout(stopping);
      subscribers.add(subscriber);
      listener?.start();
      return () => {
        subscribers.delete(subscriber);
        if (subscribers.size > 0) return;
        clearTimeout(stopping);
        stopping = setTimeout(() => listener?.stop(), keepListening).unref();
      };
    },

    stop() {
      clearTimeout(stopping);
      subscribers.clear();
      listener?.stop();
    },
  };
}
