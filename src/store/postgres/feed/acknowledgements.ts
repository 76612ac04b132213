import type { PostgresConnection } from "../connection/connection.ts";
import type { PostgresListenClient } from "../connection/driver.ts";
import { createListener } from "./listener.ts";
import { createNotificationSender } from "./sender.ts";

/** Wakes the processes that wait for acknowledgements. Only hints: they look by themselves too. */
export interface Acknowledgements {
  /** Wakes the subscribers of this process at once, and those of other processes through the database. */
  readonly notify: () => void;
  /** Adds a subscriber. Listens only while there is one. @returns a function that removes it. */
  readonly subscribe: (wake: () => void) => () => void;
  /** Waits for the notification that is being sent, then stops listening. */
  readonly stop: () => Promise<void>;
}

/** Milliseconds for which it keeps listening after the last subscriber has left: another revocation may follow. */
const keepListening = 10_000;

/** Creates the acknowledgements on a channel. */
export function createAcknowledgements(
  connection: PostgresConnection,
  channel: string,
  createListenClient: (() => PostgresListenClient) | null,
): Acknowledgements {
  const subscribers = new Set<() => void>();
  const sender = createNotificationSender(connection, "nodes.notify", channel, () => "");
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
    notify() {
      wake();
      sender.send();
    },

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

    async stop() {
      clearTimeout(stopping);
      subscribers.clear();
      listener?.stop();
      await sender.sent();
    },
  };
}
