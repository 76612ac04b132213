import { type Channel, type Environment, listenTo } from "./environment.ts";
import type { SessionRecord } from "./records.ts";
import type { User } from "./session-state.ts";
import { createTimeout, toAnswer } from "./transport.ts";

/** What one tab tells the others. Never holds a token. */
export interface TabMessage {
  readonly record: SessionRecord;
  readonly user?: User;
}

/** The other tabs. They save requests and spread news; nothing is wrong without them. */
export interface Tabs {
  readonly post: (message: TabMessage) => void;
  /**
   * Runs one thing after the other in this tab and, where Web Locks are and the lock is free in time, in all tabs.
   * `locked` says whether the lock is held. To be called by nothing that runs inside it.
   */
  readonly exclusive: <T>(run: (locked: boolean) => Promise<T>) => Promise<T>;
  readonly close: () => void;
}

/** How long a tab waits for another that holds the lock; it may be frozen. Milliseconds. */
const lockTimeout = 2000;

/** `name` is that of the channel and the lock. */
export function createTabs(env: Environment, name: string, onMessage: (message: TabMessage) => void): Tabs {
  let channel: Channel | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  const close = () => {
    channel?.close();
    channel = undefined;
  };
  const open = () => {
    close();
    channel = env.openChannel?.(name, (message) => {
      if (toAnswer(message)["record"]) onMessage(message as TabMessage);
    });
  };

  async function withLock<T>(run: (locked: boolean) => Promise<T>): Promise<T> {
    if (!env.locks) return run(false);
    const { signal, stop } = createTimeout(env, lockTimeout);
    let entered = false;
    try {
      return await env.locks.request(name, { signal }, () => {
        entered = true;
        return run(true);
      });
    } catch (error) {
      if (entered) throw error;
    } finally {
      stop();
    }
    return run(false);
  }

  open();
  // An open channel can keep a page out of the back/forward cache.
  const stopListening = listenTo(env.page, ["pagehide", "pageshow"], (event) =>
    (event === "pagehide" ? close : open)(),
  );
  return {
    post: (message) => channel?.postMessage(message),
    exclusive<T>(run: (locked: boolean) => Promise<T>): Promise<T> {
      const turn = queue.then(() => withLock(run));
      queue = turn.catch(() => undefined);
      return turn;
    },
    close() {
      stopListening();
      close();
    },
  };
}
