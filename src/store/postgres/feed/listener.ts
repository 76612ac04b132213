import type { PostgresListenClient } from "../connection/driver.ts";
import { toReason } from "../connection/errors.ts";

interface ListenerOptions {
  readonly createClient: () => PostgresListenClient;
  readonly channel: string;
  readonly onNotification: (payload: string | undefined) => void;
  /** Called when it listens, for the first time or again. Notifications before that may have been missed. */
  readonly onConnected: () => void;
  /** Called for every connection that was lost or couldn't be opened. `reason` never holds a value of ours. */
  readonly onLost: (reason: string) => void;
}

/** Listens between `start` and `stop`, and reconnects by itself. */
interface Listener {
  /** Starts listening. Idempotent. */
  readonly start: () => void;
  /** Stops listening. Idempotent. */
  readonly stop: () => void;
}

/** Milliseconds before a reconnect: the first delay, doubled each time up to the last. */
const firstDelay = 100;
const lastDelay = 10_000;

/**
 * Milliseconds between two LISTENs on one connection, and for their answers: a network can drop a connection silently.
 */
const heartbeat = { interval: 15_000, timeout: 5_000 };

/** Creates a listener on a channel, with a connection of its own. */
export function createListener(options: ListenerOptions): Listener {
  const { createClient, channel, onNotification, onConnected, onLost } = options;
  let client: PostgresListenClient | null = null;
  /** The timer of the next reconnect, or of the next LISTEN on the current connection. */
  let timer: NodeJS.Timeout | null = null;
  let isStarted = false;
  let delay = firstDelay;

  /** Schedules a new connection if `lost` is the current one. */
  function reconnect(lost: PostgresListenClient, reason: string): void {
    if (client !== lost) return;
    client = null;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    lost.end().catch(() => {});
    if (!isStarted) return;
    onLost(reason);
    connectLater();
  }

  function connectLater(): void {
    timer = setTimeout(connect, delay * (0.5 + Math.random() / 2)).unref();
    delay = Math.min(delay * 2, lastDelay);
  }

  function connect(): void {
    timer = null;
    const created = tryToCreateClient();
    if (created === null) return;
    client = created;
    created.on("error", (error) => reconnect(created, toReason(error)));
    created.on("end", () => reconnect(created, "the connection ended"));
    created.on("notification", ({ payload }) => {
      if (client === created) onNotification(payload);
    });
    listen(created).catch((error: unknown) => reconnect(created, toReason(error)));
  }

  /** `pg` reads the certificates that a connection string names. A missing file must not end the process. */
  function tryToCreateClient(): PostgresListenClient | null {
    try {
      return createClient();
    } catch (error) {
      onLost(toReason(error));
      connectLater();
      return null;
    }
  }

  async function listen(created: PostgresListenClient): Promise<void> {
    await created.connect();
    created.unref?.();
    await created.query({ text: `LISTEN "${channel}"` });
    if (client !== created) return;
    delay = firstDelay;
    onConnected();
    scheduleHeartbeat(created);
  }

  function scheduleHeartbeat(created: PostgresListenClient): void {
    timer = setTimeout(() => {
      created.query({ text: `LISTEN "${channel}"`, query_timeout: heartbeat.timeout }).then(
        () => client === created && scheduleHeartbeat(created),
        (error: unknown) => reconnect(created, toReason(error)),
      );
    }, heartbeat.interval).unref();
  }

  return {
    start() {
      if (isStarted) return;
      isStarted = true;
      connect();
    },

    stop() {
      isStarted = false;
      if (timer !== null) clearTimeout(timer);
      timer = null;
      if (client !== null) reconnect(client, "stopped");
    },
  };
}
