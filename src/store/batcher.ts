import { StoreUnavailableError } from "../core/errors.ts";

/** The value that `runBatch` returns for an item that it left out of the batch. */
export const leftOut: unique symbol = Symbol("left out of the batch");

/** The functions and limits of a batcher. */
export interface BatcherOptions<Item, Result> {
  /**
   * Commits the items in one transaction. Returns a result for each item in the order of the items, or `leftOut` for an
   * item that it left out. If it throws, every item is rejected with that error.
   */
  readonly runBatch: (items: readonly Item[]) => Promise<readonly (Result | typeof leftOut)[]>;
  /** Commits one item that was left out of its batch. */
  readonly runAlone: (item: Item) => Promise<Result>;
  /**
   * Returns the key of an item, or `null` if the item has no key. Items with the same key run one after another, in their
   * order.
   */
  readonly toKey: (item: Item) => string | null;
  /** Returns the operation's name, for error messages. */
  readonly toOperation: (item: Item) => string;
  /** The maximum number of batches that run at the same time. */
  readonly maxConcurrent: number;
  /** The maximum number of items in a batch. */
  readonly maxItems: number;
  /** The maximum number of items that wait for a batch. Further items are rejected immediately. */
  readonly maxWaiting: number;
  /** How long an item may wait for a batch, in milliseconds. */
  readonly maxWait: number;
  /** Called for every item that is rejected because too many items are waiting, or because it waited too long. */
  readonly onReject?: () => void;
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly key: string | null;
  /** The time until which the item may wait, in milliseconds on the monotonic clock. */
  readonly deadline: number;
  readonly resolve: (result: Result | Promise<Result>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Creates a function that commits items in groups. Items that arrive while the database is busy are committed together and
 * share one flush to the disk. If the database is idle, an item runs immediately, together with the other items from the
 * same turn of the event loop. Each item succeeds or fails independently.
 *
 * @returns a function that takes an item and fulfils with its result. It rejects with a StoreUnavailableError if too many
 * items are waiting, or if the item waited too long.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): (item: Item) => Promise<Result> {
  const { toKey, toOperation, maxConcurrent, maxItems, maxWaiting, maxWait } = options;
  let waiting: Entry<Item, Result>[] = [];
  const busyKeys = new Set<string>();
  let running = 0;
  let isScheduled = false;
  let deadlineTimer: NodeJS.Timeout | null = null;

  /** Starts batches after the event loop has read all data that has arrived. */
  function schedule(): void {
    if (isScheduled || waiting.length === 0) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      startBatches();
    });
  }

  function startBatches(): void {
    while (running < maxConcurrent) {
      const batch = takeBatch();
      if (batch.length === 0) break;
      running += 1;
      void run(batch);
    }
    if (deadlineTimer === null && waiting.length > 0) deadlineTimer = setTimeout(rejectOverdue, maxWait).unref();
  }

  /** Takes the oldest items that may run together. */
  function takeBatch(): Entry<Item, Result>[] {
    const batch: Entry<Item, Result>[] = [];
    waiting = waiting.filter((entry) => {
      const mustWait = batch.length === maxItems || (entry.key !== null && busyKeys.has(entry.key));
      if (mustWait) return true;
      batch.push(entry);
      if (entry.key !== null) busyKeys.add(entry.key);
      return false;
    });
    return batch;
  }

  async function run(batch: readonly Entry<Item, Result>[]): Promise<void> {
    try {
      const results = await options.runBatch(batch.map(({ item }) => item));
      batch.forEach((entry, i) => {
        settle(entry, results[i] as Result | typeof leftOut);
      });
    } catch (error) {
      for (const entry of batch) {
        entry.reject(error);
        releaseKey(entry);
      }
    }
    running -= 1;
    schedule();
  }

  function settle(entry: Entry<Item, Result>, result: Result | typeof leftOut): void {
    if (result !== leftOut) {
      entry.resolve(result);
      releaseKey(entry);
      return;
    }
    const alone = options.runAlone(entry.item).finally(() => {
      releaseKey(entry);
      schedule();
    });
    entry.resolve(alone);
  }

  function releaseKey({ key }: Entry<Item, Result>): void {
    if (key !== null) busyKeys.delete(key);
  }

  function toRejection(item: Item, problem: string): StoreUnavailableError {
    options.onReject?.();
    return new StoreUnavailableError(`${toOperation(item)}: ${problem}: the database is overloaded, try again later`);
  }

  function rejectOverdue(): void {
    const now = performance.now();
    const overdue = waiting.filter(({ deadline }) => deadline <= now);
    waiting = waiting.filter(({ deadline }) => deadline > now);
    for (const { item, reject } of overdue) reject(toRejection(item, `waited for longer than ${maxWait} ms`));
    const [first] = waiting;
    deadlineTimer = first === undefined ? null : setTimeout(rejectOverdue, first.deadline - now).unref();
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= maxWaiting) throw toRejection(item, `${maxWaiting} calls are waiting already`);
      waiting.push({ item, key: toKey(item), deadline: performance.now() + maxWait, resolve, reject });
      schedule();
    });
}
