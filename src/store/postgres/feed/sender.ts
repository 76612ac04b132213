import type { PostgresConnection } from "../connection/connection.ts";

/** Sends notifications on a channel. They are only hints, so a failure is ignored. */
export interface NotificationSender {
  /** Sends a notification. Those that are asked for while one is being sent become one. */
  readonly send: () => void;
  /** Fulfils when nothing is being sent. */
  readonly sent: () => Promise<void>;
}

// Notifications aren't durable, so their transaction needn't wait until its commit is.
const notify = `WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
  SELECT pg_notify(:channel, :payload) FROM quick`;

/**
 * Creates the sender of a channel. It sends one NOTIFY at a time, in its own transaction, because NOTIFY serializes commits.
 *
 * @param operation names the statement in errors.
 * @param toPayload returns the payload. Called when the notification is sent.
 */
export function createNotificationSender(
  connection: PostgresConnection,
  operation: string,
  channel: string,
  toPayload: () => string,
): NotificationSender {
  let sending: Promise<void> | null = null;
  let isPending = false;

  async function sendAll(): Promise<void> {
    do {
      isPending = false;
      await connection.run(operation, notify, { channel, payload: toPayload() }).catch(() => {});
    } while (isPending);
    sending = null;
  }

  return {
    send() {
      isPending = true;
      sending ??= sendAll();
    },
    sent: async () => {
      await sending;
    },
  };
}
