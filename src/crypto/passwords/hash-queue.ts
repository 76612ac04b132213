import { AuthError } from "../../core/errors.ts";

/** How busy a queue is, and how often it has said no since it was made. */
export interface HashLoad {
  readonly inFlight: number;
  readonly waiting: number;
  readonly rejected: number;
}

/** Lets a few hashes run at a time and a few more wait; the next is refused at once, so that nobody waits for long. */
export interface HashQueue {
  /** Runs `work` when its turn comes. @throws AuthError `unavailable` at once, and nothing has run, where the queue is full. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** For what comes before the hash. @throws AuthError `unavailable` where `run` would refuse at this moment. */
  requireRoom(): void;
  /** Whether `run` would begin at this moment. */
  isFree(): boolean;
  load(): HashLoad;
}

export interface HashQueueOptions {
  /** How many run at a time. */
  readonly concurrency: number;
  /** How many wait at most. */
  readonly limit: number;
}

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

  /** Whoever is next takes the place over, so that nobody who comes now can get before it. */
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
