import { StoreUnavailableError } from "../core/errors.ts";

/** What `together` answers for an item that has to go by itself. */
export const alone: unique symbol = Symbol("alone");

export interface BatcherOptions<Item, Answer> {
  /**
   * Commits the items in one transaction; an answer for each, in their order, `alone` for one that was left out of it. Where
   * it throws, none of them was carried out as far as anybody knows, and all are answered with that error.
   */
  readonly together: (items: readonly Item[]) => Promise<readonly (Answer | typeof alone)[]>;
  /** Commits one item that could not go in company. */
  readonly alone: (item: Item) => Promise<Answer>;
  /** Items with one key are carried out one after the other, in their order; `null`: the item minds no other. */
  readonly toKey: (item: Item) => string | null;
  /** What the item is, for the errors. */
  readonly toOperation: (item: Item) => string;
  /** How many batches may be under way. */
  readonly maxUnderWay: number;
  /** How many items a batch may have. */
  readonly maxItems: number;
  /** How many items may wait for a batch; the next is refused at once. */
  readonly maxWaiting: number;
  /** Milliseconds that an item waits for a batch at most. */
  readonly patience: number;
  /** Told of every item that is refused. */
  readonly onRefuse?: () => void;
}

interface Entry<Item, Answer> {
  readonly item: Item;
  readonly key: string | null;
  /** On the monotonic clock. */
  readonly deadline: number;
  readonly resolve: (answer: Answer | Promise<Answer>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: what arrives while the database is busy with others is committed together, and shares one flush to the
 * disk. What arrives when it is idle goes at once, with what has arrived in the same turn of the event loop. An item
 * succeeds or fails by itself.
 *
 * @throws StoreUnavailableError where too many wait, or the wait takes too long.
 */
export function createBatcher<Item, Answer>(options: BatcherOptions<Item, Answer>): (item: Item) => Promise<Answer> {
  const { toKey, toOperation, maxUnderWay, maxItems, maxWaiting, patience } = options;
  let waiting: Entry<Item, Answer>[] = [];
  const busyKeys = new Set<string>();
  let underWay = 0;
  let isScheduled = false;
  let watch: NodeJS.Timeout | null = null;

  /** Starts a batch once the event loop has read what lies ready for it. */
  function schedule(): void {
    if (isScheduled || waiting.length === 0) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      start();
    });
  }

  function start(): void {
    while (underWay < maxUnderWay) {
      const batch = take();
      if (batch.length === 0) break;
      underWay += 1;
      void carryOut(batch);
    }
    if (watch === null && waiting.length > 0) watch = setTimeout(refuseLate, patience).unref();
  }

  /** The oldest items that may go in one batch. */
  function take(): Entry<Item, Answer>[] {
    const batch: Entry<Item, Answer>[] = [];
    waiting = waiting.filter((entry) => {
      const mustWait = batch.length === maxItems || (entry.key !== null && busyKeys.has(entry.key));
      if (mustWait) return true;
      batch.push(entry);
      if (entry.key !== null) busyKeys.add(entry.key);
      return false;
    });
    return batch;
  }

  async function carryOut(batch: readonly Entry<Item, Answer>[]): Promise<void> {
    try {
      const answers = await options.together(batch.map(({ item }) => item));
      batch.forEach((entry, i) => {
        settle(entry, answers[i] as Answer | typeof alone);
      });
    } catch (error) {
      for (const entry of batch) {
        entry.reject(error);
        free(entry);
      }
    }
    underWay -= 1;
    schedule();
  }

  function settle(entry: Entry<Item, Answer>, answer: Answer | typeof alone): void {
    if (answer !== alone) {
      entry.resolve(answer);
      free(entry);
      return;
    }
    const byItself = options.alone(entry.item).finally(() => {
      free(entry);
      schedule();
    });
    entry.resolve(byItself);
  }

  function free({ key }: Entry<Item, Answer>): void {
    if (key !== null) busyKeys.delete(key);
  }

  function toRefusal(item: Item, reason: string): StoreUnavailableError {
    options.onRefuse?.();
    return new StoreUnavailableError(`${toOperation(item)}: ${reason}`);
  }

  function refuseLate(): void {
    const now = performance.now();
    const late = waiting.filter(({ deadline }) => deadline <= now);
    waiting = waiting.filter(({ deadline }) => deadline > now);
    for (const { item, reject } of late) reject(toRefusal(item, "waited for too long"));
    const [first] = waiting;
    watch = first === undefined ? null : setTimeout(refuseLate, first.deadline - now).unref();
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= maxWaiting) throw toRefusal(item, "too many wait");
      waiting.push({ item, key: toKey(item), deadline: performance.now() + patience, resolve, reject });
      schedule();
    });
}
