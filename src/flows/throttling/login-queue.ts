/**
 * The login attempts on this node that wait until other attempts are settled. For each key, one attempt at a time checks
 * whether it can be admitted. The others wait for their turn, in the order of their arrival.
 */
export interface LoginQueue {
  /**
   * Waits until it is this attempt's turn to check.
   *
   * @returns a function that ends the turn. `null` if 20 attempts are already waiting for the key, or after 10 seconds.
   */
  readonly enter: (key: string) => Promise<(() => void) | null>;
  /**
   * Waits until an attempt that was counted under `key` is settled on this node, but for at most 50 ms, because another
   * node may have settled one.
   */
  readonly pause: (key: string) => Promise<void>;
  /** Ends all pauses for these keys. */
  readonly wake: (keys: readonly string[]) => void;
}

/** The maximum number of attempts that wait for one key, including the one whose turn it is. */
const maxWaiting = 20;

/** How long an attempt waits for its turn, in milliseconds. */
const longestWait = 10_000;

/** How often a waiting attempt checks again, in milliseconds. */
const pollInterval = 50;

/** Creates an empty queue. */
export function createLoginQueue(): LoginQueue {
  /** For each key, the functions that start the turns of its attempts. The first one is the attempt whose turn it is. */
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
