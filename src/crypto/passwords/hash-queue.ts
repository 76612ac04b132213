import { AuthError } from "../../core/errors.ts";

/** The state of a hash queue. */
export interface HashLoad {
  /** Hashes that run at this moment. */
  readonly inFlight: number;
  /** Hashes that wait for their turn. */
  readonly waiting: number;
  /** Hashes refused since the start, because too many waited. */
  readonly rejected: number;
}

/** Runs a few hashes at a time and lets a few more wait. Refuses any more at once, so that no login waits for long. */
export interface HashQueue {
  /** Runs `work` when its turn comes. @throws AuthError `unavailable`, without running it, if the queue is full. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Checks before any other work that a hash has a place. @throws AuthError `unavailable` if `run` would refuse now. */
  requireRoom(): void;
  /** Returns whether `run` would start at once. */
  isFree(): boolean;
  /** Returns the state of the queue. */
  load(): HashLoad;
}

/** The options of `createHashQueue`. */
export interface HashQueueOptions {
  /** How many hashes run at a time. */
  readonly concurrency: number;
  /** How many hashes may wait. */
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

  /** Gives the place to the next in the queue, so that no later call can take it. */
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
