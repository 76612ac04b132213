import type { Clock } from "../../core/runtime/clock.ts";
import { createLoop } from "../../core/runtime/loop.ts";
import type { Schedule } from "../../core/runtime/schedule.ts";
import type { Delivery, OutboxStore } from "../../core/store/outbox.ts";
import type { EventListener } from "../events.ts";
import { sendMessage, type WebhookTarget } from "./webhook-request.ts";

/** Sends the messages in the outbox. Each message is sent at least once. The nodes share the work. */
export interface Webhook {
  /** Starts sending. Does nothing if it has already started. */
  readonly start: () => void;
  /**
   * Stops sending. Fulfils when the requests in flight have been answered. After a second, they are aborted and postponed.
   */
  readonly stop: () => Promise<void>;
}

/** The options of `createWebhook`. */
export interface WebhookOptions {
  readonly target: WebhookTarget;
  readonly store: OutboxStore;
  readonly clock: Pick<Clock, "now">;
  /** Called with `webhook_failed` events. */
  readonly emit: EventListener;
  readonly schedule: Schedule;
  /** Returns a random number from 0 to 1. */
  readonly jitter: () => number;
}

/** The maximum number of messages that a node sends at the same time. */
export const batchSize = 10;

/** How long a node claims a message, in seconds. This is longer than a request may take. */
export const lease = 60;

/** How long after the event a message is given up, in seconds. */
export const giveUpAfter = 3 * 86_400;

/** The number of milliseconds between two reads of the outbox. */
const pollInterval = 1_000;

/** How long `stop` waits for responses, in milliseconds. It is short because the process is about to exit. */
const stopTimeout = 1_000;

/** The number of seconds before the second attempt. The delay is doubled for each further attempt, up to `lastDelay`. */
const firstDelay = 5;
const lastDelay = 3_600;

/** Creates a webhook that sends nothing until it is started. */
export function createWebhook({ target, store, clock, emit, schedule, jitter }: WebhookOptions): Webhook {
  // After an error, claimed messages become due again when their lease is over.
  const loop = createLoop({ step: sendBatch, onError: () => pollInterval, schedule });
  const stopping = new AbortController();
  let isStarted = false;

  async function sendBatch(): Promise<number> {
    const deliveries = await store.claim({ limit: batchSize, lease });
    await Promise.allSettled(deliveries.map(deliver));
    return deliveries.length === batchSize ? 0 : pollInterval;
  }

  async function deliver(delivery: Delivery): Promise<void> {
    const reason = await sendMessage(target, delivery, clock.now(), stopping.signal);
    if (reason === null) {
      await store.remove(delivery);
      return;
    }
    const isGivenUp = delivery.now - delivery.at >= giveUpAfter;
    const isOurs = isGivenUp
      ? await store.remove(delivery)
      : await store.postpone(delivery, toDelay(delivery.attempts, jitter()));
    // Another node has claimed it since and reports its own attempt.
    if (!isOurs) return;
    const { id: messageId, attempts } = delivery;
    emit({ type: "webhook_failed", time: clock.now(), messageId, attempts, isGivenUp, reason });
  }

  return {
    start() {
      if (!isStarted) loop.wake();
      isStarted = true;
    },
    async stop() {
      const timeout = schedule(() => stopping.abort(), stopTimeout);
      await loop.stop();
      timeout.cancel();
    },
  };
}

/**
 * Returns the number of seconds before the next attempt. It grows exponentially. `jitter` shortens it by up to a half, to
 * spread the attempts.
 */
function toDelay(attempts: number, jitter: number): number {
  return Math.ceil(Math.min(firstDelay * 2 ** (attempts - 1), lastDelay) * (1 - jitter / 2));
}
