import { randomUUID } from "node:crypto";
import type { FeedStore } from "../../../core/store/feed.ts";
import type { Connection } from "../connection/connection.ts";
import type { PostgresListenClient } from "../connection/driver.ts";
import { createListener } from "./listener.ts";

/** Tells readers of the feed that there is something to read. Only hints: whatever fails here, the poll finds it. */
export interface Notifications {
  /** Wakes the subscribers of this process at once and asks the database to wake those of the others. */
  readonly announce: () => void;
  readonly subscribe: FeedStore["subscribe"];
  /** Waits for what has been announced, then ends the listening. */
  readonly stop: () => Promise<void>;
}

type OnListening = NonNullable<Parameters<FeedStore["subscribe"]>[1]>;

/** The notifications on a channel of the schema; without `createListenClient` those of other processes go unheard. */
export function createNotifications(
  connection: Connection,
  schema: string,
  createListenClient: (() => PostgresListenClient) | null,
): Notifications {
  const channel = `${schema}_revocations`;
  /** Tells our own notifications from the others'. */
  const sender = randomUUID();
  const subscribers = new Map<() => void, OnListening | undefined>();
  let sending: Promise<void> | null = null;
  let isAnnouncedMeanwhile = false;

  function wake(): void {
    for (const subscriber of subscribers.keys()) queueMicrotask(() => subscribers.has(subscriber) && subscriber());
  }

  const tell: OnListening = (isListening, reason) => {
    for (const onListening of subscribers.values()) onListening?.(isListening, reason);
  };

  const listener =
    createListenClient === null
      ? null
      : createListener({
          createClient: createListenClient,
          channel,
          onNotification: (payload) => {
            if (payload !== sender) wake();
          },
          onConnected: () => {
            tell(true);
            wake();
          },
          onLost: (reason) => tell(false, reason),
        });

  /** One at a time: NOTIFY makes commits queue up, so it has a transaction of its own, and few of them. */
  async function send(): Promise<void> {
    do {
      isAnnouncedMeanwhile = false;
      await connection.run("feed.notify", "SELECT pg_notify(:channel, :sender)", { channel, sender }).catch(() => {});
    } while (isAnnouncedMeanwhile);
    sending = null;
  }

  return {
    announce() {
      wake();
      isAnnouncedMeanwhile = true;
      sending ??= send();
    },

    subscribe(subscriber, onListening) {
      subscribers.set(subscriber, onListening);
      listener?.start();
      return () => {
        subscribers.delete(subscriber);
        if (subscribers.size === 0) listener?.stop();
      };
    },

    async stop() {
      subscribers.clear();
      listener?.stop();
      await sending;
    },
  };
}
