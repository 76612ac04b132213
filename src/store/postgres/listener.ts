import type { PostgresListenClient } from "./driver.ts";

interface ListenerOptions {
  readonly createClient: () => PostgresListenClient;
  readonly channel: string;
  readonly onNotification: (payload: string | undefined) => void;
  /** Called when it hears again, as it may have missed something. */
  readonly onConnected: () => void;
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

/** Makes a listener on `channel`, with a connection of its own. */
export function createListener({ createClient, channel, onNotification, onConnected }: ListenerOptions): Listener {
  let client: PostgresListenClient | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isStarted = false;
  let delay = firstDelay;

  /** Where `lost` is the connection that we have, makes another after a while. */
  function reconnect(lost: PostgresListenClient): void {
    if (client !== lost) return;
    client = null;
    lost.end().catch(() => {});
    if (!isStarted) return;
    timer = setTimeout(connect, delay * (0.5 + Math.random() / 2)).unref();
    delay = Math.min(delay * 2, lastDelay);
  }

  function connect(): void {
    timer = null;
    const made = createClient();
    client = made;
    made.on("error", () => reconnect(made));
    made.on("end", () => reconnect(made));
    made.on("notification", ({ payload }) => {
      if (client === made) onNotification(payload);
    });
    listen(made).catch(() => reconnect(made));
  }

  async function listen(made: PostgresListenClient): Promise<void> {
    await made.connect();
    made.unref?.();
    await made.query({ text: `LISTEN "${channel}"` });
    if (client !== made) return;
    delay = firstDelay;
    onConnected();
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
      if (client !== null) reconnect(client);
    },
  };
}
