import type { Clock } from "../core/runtime/clock.ts";
import { createLoop } from "../core/runtime/loop.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import type { Delivery, OutboxStore } from "../core/store/outbox.ts";
import type { EventListener } from "./events.ts";
import { sendMessage, type WebhookTarget } from "./webhook-request.ts";

/** Sends the messages in the outbox, each at least once. Nodes share the work. */
export interface Webhook {
  /** Starts sending. Idempotent. */
  readonly start: () => void;
  /** Sends no more messages. Fulfils when those in flight are answered or, after a second, aborted and postponed. */
  readonly stop: () => Promise<void>;
}

/** What a webhook needs. */
export interface WebhookOptions {
  readonly target: WebhookTarget;
  readonly store: OutboxStore;
  readonly clock: Pick<Clock, "now">;
  /** Called with `webhook_failed`. */
  readonly emit: EventListener;
  readonly schedule: Schedule;
  /** Returns a random number from 0 to 1. */
  readonly jitter: () => number;
}

/** The maximum number of messages that a node sends at once. */
export const batchSize = 10;

/** Seconds for which a node claims a message: longer than a request may take. */
export const lease = 60;

/** Seconds after which a message is given up. */
export const giveUpAfter = 3 * 86_400;

/** Milliseconds between two reads of the outbox. */
const pollInterval = 1_000;

/** Milliseconds for which `stop` waits for responses, as the process must end soon. */
const stopTimeout = 1_000;

/** Seconds before the second attempt. Doubled for each further one, up to `lastDelay`. */
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

/** Returns the seconds before the next attempt: exponential, and up to a half less by `jitter`, to spread the attempts. */
function toDelay(attempts: number, jitter: number): number {
  return Math.ceil(Math.min(firstDelay * 2 ** (attempts - 1), lastDelay) * (1 - jitter / 2));
}
