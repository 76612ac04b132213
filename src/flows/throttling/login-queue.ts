/** Attempts to log in that wait for others to be settled, on this node. */
export interface LoginQueue {
  /**
   * Waits until an attempt that was counted under `key` is settled on this node, or for 50 ms: another node may have
   * settled one.
   *
   * @returns false, at once, if 20 attempts wait for the key already.
   */
  readonly wait: (key: string) => Promise<boolean>;
  /** Wakes the attempts that wait for one of these keys. */
  readonly wake: (keys: readonly string[]) => void;
}

/** The most attempts that wait for one key. */
const maxWaiting = 20;

/** Milliseconds after which a waiting attempt looks again. */
const pollInterval = 50;

/** Creates an empty queue. */
export function createLoginQueue(): LoginQueue {
  const waiting = new Map<string, Set<() => void>>();
  return Object.freeze<LoginQueue>({
    async wait(key) {
      const others = waiting.get(key) ?? new Set();
      if (others.size >= maxWaiting) return false;
      waiting.set(key, others);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(end, pollInterval);
        function end(): void {
          clearTimeout(timer);
          others.delete(end);
          if (others.size === 0 && waiting.get(key) === others) waiting.delete(key);
          resolve();
        }
        others.add(end);
      });
      return true;
    },
    wake(keys) {
      for (const key of keys) for (const end of [...(waiting.get(key) ?? [])]) end();
    },
  });
}
