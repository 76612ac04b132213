import type { PostgresListenClient } from "../connection/driver.ts";
import { toReason } from "../connection/unavailable.ts";

interface ListenerOptions {
  readonly createClient: () => PostgresListenClient;
  readonly channel: string;
  readonly onNotification: (payload: string | undefined) => void;
  /** Called when it hears again, as it may have missed something. */
  readonly onConnected: () => void;
  /** Called for every connection that was lost or could not be had; `reason` never holds a value of ours. */
  readonly onLost: (reason: string) => void;
}

/** Listens while it is started, and comes back by itself. */
interface Listener {
  /** Idempotent. */
  readonly start: () => void;
  /** Idempotent. */
  readonly stop: () => void;
}

/** Milliseconds before the connection is made again: the first, doubled each time up to the last. */
const firstDelay = 100;
const lastDelay = 10_000;

/** Milliseconds between two LISTENs, and for the answer: a network may swallow a connection without a word. */
const heartbeat = { interval: 15_000, timeout: 5_000 };

/** Makes a listener on `channel`, with a connection of its own. */
export function createListener(options: ListenerOptions): Listener {
  const { createClient, channel, onNotification, onConnected, onLost } = options;
  let client: PostgresListenClient | null = null;
  /** Of the next connection, or of the next LISTEN on the one that we have. */
  let timer: NodeJS.Timeout | null = null;
  let isStarted = false;
  let delay = firstDelay;

  /** Where `lost` is the connection that we have, makes another after a while. */
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
    const made = tryToCreate();
    if (made === null) return;
    client = made;
    made.on("error", (error) => reconnect(made, toReason(error)));
    made.on("end", () => reconnect(made, "the connection ended"));
    made.on("notification", ({ payload }) => {
      if (client === made) onNotification(payload);
    });
    listen(made).catch((error: unknown) => reconnect(made, toReason(error)));
  }

  /** `pg` reads the certificates that a connection string names; a file that is gone must not end the process. */
  function tryToCreate(): PostgresListenClient | null {
    try {
      return createClient();
    } catch (error) {
      onLost(toReason(error));
      connectLater();
      return null;
    }
  }

  async function listen(made: PostgresListenClient): Promise<void> {
    await made.connect();
    made.unref?.();
    await made.query({ text: `LISTEN "${channel}"` });
    if (client !== made) return;
    delay = firstDelay;
    onConnected();
    listenAgain(made);
  }

  function listenAgain(made: PostgresListenClient): void {
    timer = setTimeout(() => {
      made.query({ text: `LISTEN "${channel}"`, query_timeout: heartbeat.timeout }).then(
        () => client === made && listenAgain(made),
        (error: unknown) => reconnect(made, toReason(error)),
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
