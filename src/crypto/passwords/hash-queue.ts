import { AuthError } from "../../core/errors.ts";

/** The state of a hash queue. */
export interface HashLoad {
  /** The number of hashes that are being computed. */
  readonly inFlight: number;
  /** The number of hashes that are waiting for their turn. */
  readonly waiting: number;
  /** The number of hashes that have been refused since the start, because too many were waiting. */
  readonly rejected: number;
}

/**
 * Runs a few hashes at a time and allows a few more to wait. Refuses any further hashes immediately, so that no login waits
 * for long.
 */
export interface HashQueue {
  /**
   * Runs `work` when it is its turn.
   *
   * @throws AuthError `unavailable`, without running it, if the queue is full.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Checks, before any other work, that there is room for another hash.
   *
   * @throws AuthError `unavailable` if `run` would refuse now.
   */
  requireRoom(): void;
  /** Returns whether `run` would start immediately. */
  isFree(): boolean;
  /** Returns the state of the queue. */
  load(): HashLoad;
}

/** The options of `createHashQueue`. */
export interface HashQueueOptions {
  /** The number of hashes that run at the same time. */
  readonly concurrency: number;
  /** The number of hashes that may wait. */
  readonly limit: number;
}

/** Creates an empty queue. */
export function createHashQueue({ concurrency, limit }: HashQueueOptions): HashQueue {
  const waiting: (() => void)[] = [];
  let inFlight = 0;
  let rejected = 0;

  const isFree = () => inFlight < concurrency;

  function requireRoom(): void {
    if (isFree() || waiting.length < limit) return;
    rejected += 1;
    throw new AuthError("unavailable", "too many passwords are waiting to be hashed");
  }

  /** Passes the place directly to the next hash in the queue, so that no later call can take it. */
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) inFlight -= 1;
    else next();
  }

  return Object.freeze({
    async run<T>(work: () => Promise<T>): Promise<T> {
      requireRoom();
      if (isFree()) inFlight += 1;
      else await new Promise<void>((start) => waiting.push(start));
      try {
        return await work();
      } finally {
        leave();
      }
    },
    requireRoom,
    isFree,
    load: () => ({ inFlight, waiting: waiting.length, rejected }),
  });
}
