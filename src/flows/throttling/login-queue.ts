/**
 * Attempts to log in that wait for others to be settled, on this node. For each key, one attempt at a time looks whether there is
 * room for it; the others wait for their turn, in the order in which they came.
 */
export interface LoginQueue {
  /**
   * Waits for this attempt's turn to look.
   *
   * @returns a function that ends the turn; `null` if 20 attempts wait for the key already, or after 10 seconds.
   */
  readonly enter: (key: string) => Promise<(() => void) | null>;
  /**
   * Waits until an attempt that was counted under `key` is settled on this node, or for 50 ms: another node may have
   * settled one.
   */
  readonly pause: (key: string) => Promise<void>;
  /** Ends the pauses of these keys. */
  readonly wake: (keys: readonly string[]) => void;
}

/** The maximum number of attempts that wait for one key, the one whose turn it is included. */
const maxWaiting = 20;

/** Milliseconds for which an attempt waits for its turn. */
const longestWait = 10_000;

/** Milliseconds after which a waiting attempt looks again. */
const pollInterval = 50;

/** Creates an empty queue. */
export function createLoginQueue(): LoginQueue {
  /** By key, what gives an attempt its turn. The first attempt has it. */
  const turns = new Map<string, Set<() => void>>();
  const pauses = new Map<string, Set<() => void>>();

  function leave(key: string, start: () => void): void {
    const line = turns.get(key);
    if (line === undefined) return;
    const [first] = line;
    line.delete(start);
    const [next] = line;
    if (next === undefined) turns.delete(key);
    else if (first === start) next();
  }

  return Object.freeze<LoginQueue>({
    enter(key) {
      const line = turns.get(key) ?? new Set();
      if (line.size >= maxWaiting) return Promise.resolve(null);
      turns.set(key, line);
      return new Promise((resolve) => {
        const start = (): void => {
          clearTimeout(timer);
          resolve(() => leave(key, start));
        };
        const timer = setTimeout(() => {
          leave(key, start);
          resolve(null);
        }, longestWait);
        line.add(start);
        if (line.size === 1) start();
      });
    },

    async pause(key) {
      const others = pauses.get(key) ?? new Set();
      pauses.set(key, others);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(end, pollInterval);
        function end(): void {
          clearTimeout(timer);
          others.delete(end);
          if (others.size === 0 && pauses.get(key) === others) pauses.delete(key);
          resolve();
        }
        others.add(end);
      });
    },

    wake(keys) {
      for (const key of keys) for (const end of [...(pauses.get(key) ?? [])]) end();
    },
  });
}
