import type { Clock } from "../core/runtime/clock.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import type { Delivery, OutboxStore } from "../core/store/outbox.ts";
import type { EventListener } from "./events.ts";
import { sendMessage, type WebhookTarget } from "./webhook-request.ts";

/** Sends what the outbox holds, at least once. Nodes share the work. */
export interface Webhook {
  /** Idempotent. */
  readonly start: () => void;
  /** Takes no more, and fulfils once what is under way has been answered or, after a moment, been put off. */
  readonly stop: () => Promise<void>;
}

export interface WebhookOptions {
  readonly target: WebhookTarget;
  readonly store: OutboxStore;
  readonly clock: Pick<Clock, "now">;
  /** Hears `webhook_failed`. */
  readonly emit: EventListener;
  readonly schedule: Schedule;
  /** From 0 to 1. */
  readonly jitter: () => number;
}

/** How many messages are under way at once. */
export const batchSize = 10;

/** Seconds for which a node has a message for itself: longer than an answer may take. */
export const lease = 60;

/** Seconds after which a message is given up. */
export const giveUpAfter = 3 * 86_400;

/** Milliseconds between two looks at the outbox. */
const pollInterval = 1_000;

/** Milliseconds in which what is under way may still be answered at the end: a process has not much more to end in. */
const lastCall = 1_000;

/** Seconds before the next try: the first, doubled each time up to the last. */
const firstDelay = 5;
const lastDelay = 3_600;

/** Makes a webhook that sends nothing until it is started. */
export function createWebhook({ target, store, clock, emit, schedule, jitter }: WebhookOptions): Webhook {
  let timer: { cancel(): void } | null = null;
  let running: Promise<void> | null = null;
  let isStopped = false;
  const ending = new AbortController();

  function wake(milliseconds: number): void {
    if (isStopped) return;
    timer = schedule(() => {
      running = run().finally(() => {
        running = null;
      });
    }, milliseconds);
  }

  async function run(): Promise<void> {
    let claimed = 0;
    try {
      const deliveries = await store.claim({ limit: batchSize, lease });
      claimed = deliveries.length;
      await Promise.allSettled(deliveries.map(deliver));
    } catch {
      // The store is away. What was claimed comes back when its lease is over.
    }
    wake(claimed === batchSize ? 0 : pollInterval);
  }

  async function deliver(delivery: Delivery): Promise<void> {
    const reason = await sendMessage(target, delivery, clock.now(), ending.signal);
    if (reason === null) {
      await store.remove(delivery);
      return;
    }
    const isGivenUp = delivery.now - delivery.at >= giveUpAfter;
    const isOurs = isGivenUp
      ? await store.remove(delivery)
      : await store.postpone(delivery, toDelay(delivery.attempts, jitter()));
    if (!isOurs) return;
    const { id: messageId, attempts } = delivery;
    emit({ type: "webhook_failed", time: clock.now(), messageId, attempts, isGivenUp, reason });
  }

  return {
    start() {
      if (timer === null) wake(0);
    },
    async stop() {
      isStopped = true;
      timer?.cancel();
      const patience = schedule(() => ending.abort(), lastCall);
      await running;
      patience.cancel();
    },
  };
}

/** Exponential, and up to a half less by `jitter`, so that messages that failed together do not come back together. */
function toDelay(attempts: number, jitter: number): number {
  return Math.ceil(Math.min(firstDelay * 2 ** (attempts - 1), lastDelay) * (1 - jitter / 2));
}
