import type { Channel, Environment } from "../environment.ts";
import { createTimeout, toJsonObject } from "../transport/json-call.ts";
import { untilAborted } from "../transport/outgoing.ts";
import type { SessionRecord } from "./records.ts";
import type { User } from "./session-state.ts";

/** A message to the other tabs, without tokens. Other versions of this client read it, so its keys are fixed. */
export interface TabMessage {
  readonly record: SessionRecord;
  readonly user?: User | undefined;
}

/**
 * The connection to the other tabs. It saves requests and shares changes sooner, but the client is also correct without it.
 */
export interface Tabs {
  readonly post: (message: TabMessage) => void;
  /**
   * Runs `run` after all earlier calls in this tab have finished. If Web Locks are available and the lock is free in time,
   * it also waits for the calls in all other tabs. `locked` says whether this tab holds the lock. `run` must not call
   * `exclusive` again.
   */
  readonly lock: <T>(run: (locked: boolean) => Promise<T>) => Promise<T>;
  /** Opens the connection again. */
  readonly open: () => void;
  readonly close: () => void;
}

/** How long a tab waits for the lock, in seconds. The tab that holds the lock may be frozen. */
const lockTimeout = 2;

/** Opens the connection. `name` is the name of the channel and of the lock. */
export function createTabs(env: Environment, name: string, onMessage: (message: TabMessage) => void): Tabs {
  let channel: Channel | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const close = () => {
    channel?.close();
    channel = undefined;
  };
  const open = () => {
    close();
    try {
      channel = env.openChannel?.(name, (message) => {
        if (toJsonObject(message)["record"]) onMessage(message as TabMessage);
      });
    } catch {
      // Blocked by the browser, for example in a sandboxed frame.
    }
  };

  async function withLock<T>(run: (locked: boolean) => Promise<T>): Promise<T> {
    if (!env.locks) return run(false);
    const { signal, stop } = createTimeout(env, lockTimeout);
    let running: Promise<T> | undefined;
    const request = env.locks.request(name, { signal }, async () => {
      running = signal.aborted ? undefined : run(true);
      return running;
    });
    // Firefox never settles the request of a page that it has put in its back/forward cache.
    await untilAborted(request, signal).catch(stop);
    stop();
    return running ?? run(false);
  }

  open();
  return {
    open,
    close,
    post: (message) => channel?.postMessage(message),
    lock<T>(run: (locked: boolean) => Promise<T>): Promise<T> {
      const turn = queue.then(() => withLock(run));
      queue = turn.catch(() => undefined);
      return turn;
    },
  };
}
