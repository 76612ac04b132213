import type { Listener } from "./listen.ts";

/** The listeners of one process, which stop together. */
export interface Listeners extends Omit<Listener, "url"> {
  /** Adds a listener. Returns the same listener. */
  add(listener: Listener): Listener;
}

/** Creates an empty list of listeners. */
export function createListeners(): Listeners {
  const added: Listener[] = [];
  return Object.freeze({
    add(listener: Listener) {
      added.push(listener);
      return listener;
    },
    retire() {
      for (const listener of added) listener.retire();
    },
    async close(timeout: number) {
      await Promise.all(added.map((listener) => listener.close(timeout)));
    },
  });
}
