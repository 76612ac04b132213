import { randomUUID } from "node:crypto";
import type { FeedStore } from "../../../core/store/feed.ts";
import type { PostgresConnection } from "../connection/connection.ts";
import type { PostgresListenClient } from "../connection/driver.ts";
import { type Acknowledgements, createAcknowledgements } from "./acknowledgements.ts";
import { createListener } from "./listener.ts";

/** Wakes the readers of the feed. Wake-ups may be missing: if a notification is lost, the next poll finds the entries. */
export interface Notifications {
  /**
   * Wakes the subscribers of this process immediately, and those of other processes through the database. `isAwaited` says
   * whether a caller waits until the nodes have read the new entries.
   */
  readonly notify: (isAwaited: boolean) => void;
  /** The notifications for callers that wait until the nodes have read the new entries. */
  readonly acknowledgements: Acknowledgements;
  /**
   * Adds a subscriber.
   *
   * @returns a function that removes the subscriber.
   */
  readonly subscribe: FeedStore["subscribe"];
  /** Waits until the current notification has been sent, then stops listening. */
  readonly stop: () => Promise<void>;
}

type Wake = Parameters<FeedStore["subscribe"]>[0];
type OnListening = NonNullable<Parameters<FeedStore["subscribe"]>[1]>;

/**
 * The end of the payload of a notification for which a caller waits. Version 0.1 only compares payloads with its own, so it
 * can ignore it.
 */
const awaitedMark = ":c";

// Notifications aren't durable, so their transaction needn't wait until its commit is.
const notify = `WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
  SELECT pg_notify(:channel, :payload) FROM quick`;

/**
 * Creates the notifications on the channel of a schema.
 *
 * @param createListenClient creates the connection for LISTEN. If it is `null`, notifications of other processes are not
 * received.
 */
export function createNotifications(
  connection: PostgresConnection,
  schema: string,
  createListenClient: (() => PostgresListenClient) | null,
): Notifications {
  const channel = `${schema}_revocations`;
  /** The payload of this process's own notifications. */
  const ownId = randomUUID();
  const subscribers = new Map<Wake, OnListening | undefined>();
  const acknowledgements = createAcknowledgements(`${schema}_acks`, createListenClient);
  let sending: Promise<void> | null = null;
  let isNotifyPending = false;
  let isAwaitedPending = false;

  function wake(isAwaited: boolean): void {
    for (const subscriber of subscribers.keys()) {
      queueMicrotask(() => {
        if (subscribers.has(subscriber)) subscriber(isAwaited);
      });
    }
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
          onNotification: (payload = "") => {
            const isAwaited = payload.endsWith(awaitedMark);
            if (payload.slice(0, ownId.length) !== ownId) wake(isAwaited);
          },
          onConnected: () => {
            reportListening(true);
            wake(false);
          },
          onLost: (reason) => reportListening(false, reason),
        });

  /** Sends one NOTIFY at a time, in a separate transaction, because NOTIFY serializes commits. */
  async function send(): Promise<void> {
    do {
      const payload = isAwaitedPending ? ownId + awaitedMark : ownId;
      [isNotifyPending, isAwaitedPending] = [false, false];
      await connection.run("feed.notify", notify, { channel, payload }).catch(() => {});
    } while (isNotifyPending);
    sending = null;
  }

  return {
    notify(isAwaited) {
      wake(isAwaited);
      isNotifyPending = true;
      isAwaitedPending ||= isAwaited;
      sending ??= send();
    },

    acknowledgements,

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
      acknowledgements.stop();
      await sending;
    },
  };
}
