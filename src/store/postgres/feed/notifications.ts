import { randomUUID } from "node:crypto";
import type { FeedStore } from "../../../core/store/feed.ts";
import type { PostgresConnection } from "../connection/connection.ts";
import type { PostgresListenClient } from "../connection/driver.ts";
import { createListener } from "./listener.ts";

/** Wakes the readers of the feed. Only hints: if a notification is lost, the next poll finds the entries. */
export interface Notifications {
  /** Wakes the subscribers of this process at once, and those of other processes through the database. */
  readonly notify: () => void;
  /** Adds a subscriber. @returns a function that removes it. */
  readonly subscribe: FeedStore["subscribe"];
  /** Waits for the notification that is being sent, then stops listening. */
  readonly stop: () => Promise<void>;
}

type OnListening = NonNullable<Parameters<FeedStore["subscribe"]>[1]>;

/**
 * Creates the notifications on the channel of a schema.
 *
 * @param createListenClient creates the connection for LISTEN; `null`: notifications of other processes are not
 *   received.
 */
export function createNotifications(
  connection: PostgresConnection,
  schema: string,
  createListenClient: (() => PostgresListenClient) | null,
): Notifications {
  const channel = `${schema}_revocations`;
  /** The payload of this process's own notifications. */
  const sender = randomUUID();
  const subscribers = new Map<() => void, OnListening | undefined>();
  let sending: Promise<void> | null = null;
  let isNotifyPending = false;

  function wake(): void {
    for (const subscriber of subscribers.keys()) queueMicrotask(() => subscribers.has(subscriber) && subscriber());
  }

  const reportListening: OnListening = (isListening, reason) => {
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
            reportListening(true);
            wake();
          },
          onLost: (reason) => reportListening(false, reason),
        });

  /** Sends one NOTIFY at a time, in a separate transaction, because NOTIFY serializes commits. */
  async function send(): Promise<void> {
    do {
      isNotifyPending = false;
      await connection.run("feed.notify", "SELECT pg_notify(:channel, :sender)", { channel, sender }).catch(() => {});
    } while (isNotifyPending);
    sending = null;
  }

  return {
    notify() {
      wake();
      isNotifyPending = true;
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
