import type { PostgresListenClient } from "../connection/driver.ts";
import { createListener } from "./listener.ts";

/** Wakes the processes that wait for acknowledgements. Only hints: they look by themselves too. */
export interface Acknowledgements {
  /** The channel on which the other processes are notified, by the statement that acknowledges. */
  readonly channel: string;
  /** Wakes the subscribers of this process. */
  readonly wake: () => void;
  /** Adds a subscriber. Listens only while there is one. @returns a function that removes it. */
  readonly subscribe: (wake: () => void) => () => void;
  /** Stops listening. */
  readonly stop: () => void;
}

/** Milliseconds for which it keeps listening after the last subscriber has left: another revocation may follow. */
const keepListening = 10_000;

/** Creates the acknowledgements on a channel. */
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
