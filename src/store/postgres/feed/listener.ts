import { createLoop, type Loop } from "../../../core/runtime/loop.ts";
import { type Schedule, unrefSchedule } from "../../../core/runtime/schedule.ts";
import type { PostgresListenClient } from "../connection/driver.ts";
import { toReason } from "../connection/errors.ts";

interface ListenerOptions {
  readonly createClient: () => PostgresListenClient;
  readonly channel: string;
  readonly onNotification: (payload: string | undefined) => void;
  /**
   * Called each time the listener starts to listen, the first time and after each reconnect. Notifications before that may
   * have been missed.
   */
  readonly onConnected: () => void;
  /** Called for every connection that was lost or couldn't be opened. `reason` never contains a stored value. */
  readonly onLost: (reason: string) => void;
  readonly schedule?: Schedule;
  /** Returns a random number from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/** Listens to notifications between `start` and `stop`. Reconnects automatically. */
interface Listener {
  /** Starts listening. Does nothing if it has already started. */
  readonly start: () => void;
  /** Stops listening. Does nothing if it has already stopped. */
  readonly stop: () => void;
}

/** The number of milliseconds before the first reconnect. It doubles for each further reconnect, up to the last delay. */
const firstDelay = 100;
const lastDelay = 10_000;

/**
 * The number of milliseconds between two LISTEN statements on a connection, and the timeout for their answers. They detect
 * a connection that the network has dropped silently.
 */
const heartbeat = { interval: 15_000, timeout: 5_000 };

/** Creates a listener on a channel, with its own connection. */
export function createListener(options: ListenerOptions): Listener {
  const { createClient, channel, onNotification, onConnected, onLost } = options;
  const { schedule = unrefSchedule, random = Math.random } = options;
  const text = `LISTEN "${channel}"`;
  let loop: Loop | null = null;
  let client: PostgresListenClient | null = null;
  /** Why the last connection was lost. `null` once this has been reported. */
  let failure: string | null = null;
  let delay = firstDelay;

  /** Makes the loop report the loss and reconnect, if `lost` is the current connection. */
  function lose(lost: PostgresListenClient | null, reason: string): void {
    if (client !== lost) return;
    client = null;
    lost?.end().catch(() => {});
    failure = reason;
    loop?.wake();
  }

  function open(): PostgresListenClient {
    const opened = createClient();
    opened.on("error", (error) => lose(opened, toReason(error)));
    opened.on("end", () => lose(opened, "the connection ended"));
    opened.on("notification", ({ payload }) => {
      if (client === opened) onNotification(payload);
    });
    return opened;
  }

  async function connect(opened: PostgresListenClient): Promise<void> {
    await opened.connect();
    opened.unref?.();
    await opened.query({ text });
    if (client !== opened) return;
    delay = firstDelay;
    onConnected();
  }

  /** Reports a loss, connects, or repeats LISTEN on the connection, which shows whether it still works. */
  async function step(): Promise<number | null> {
    if (failure !== null) {
      onLost(failure);
      failure = null;
      const current = delay;
      delay = Math.min(delay * 2, lastDelay);
      return current * (0.5 + random() / 2);
    }
    let current = client;
    try {
      if (current === null) {
        // `pg` reads the certificates that a connection string names, and throws if a file is missing.
        current = open();
        client = current;
        await connect(current);
      } else {
        await current.query({ text, query_timeout: heartbeat.timeout });
      }
    } catch (error) {
      lose(current, toReason(error));
    }
    return heartbeat.interval;
  }

  return {
    start() {
      if (loop !== null) return;
      loop = createLoop({ step, schedule });
      loop.run().catch(() => {});
    },

    stop() {
      const [stopped, last] = [loop, client];
      [loop, client, failure] = [null, null, null];
      void stopped?.stop();
      last?.end().catch(() => {});
    },
  };
}
