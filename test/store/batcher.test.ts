import { afterEach, describe, expect, it, vi } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import { type BatcherOptions, createBatcher, leftOut } from "../../src/store/batcher.ts";

/** Creates a batcher whose batches finish when the test calls `finish`. The result of "x" is "x!". */
function createTestBatcher(changes: Partial<BatcherOptions<string, string>> = {}) {
  const batches: string[][] = [];
  const pending: ((error?: Error) => void)[] = [];
  const add = createBatcher<string, string>({
    runBatch(items) {
      batches.push([...items]);
      return new Promise((resolve, reject) => {
        pending.push((error) => (error === undefined ? resolve(items.map((item) => `${item}!`)) : reject(error)));
      });
    },
    runAlone: async (item) => `${item}, alone`,
    // "a1" and "a2" have the key "a".
    toKey: (item) => item.slice(0, 1),
    toOperation: (item) => `change ${item}`,
    maxConcurrent: 2,
    maxItems: 3,
    maxWaiting: 5,
    maxWait: 100,
    ...changes,
  });
  return {
    add: (...items: string[]) => Promise.all(items.map(add)),
    batches,
    /** Finishes the batches that are running, and waits until the next ones have started. */
    finish: async (error?: Error) => {
      for (const settle of pending.splice(0)) settle(error);
      await turn();
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

afterEach(() => void vi.useRealTimers());

describe("createBatcher", () => {
  it("runs the items of one turn of the event loop in one batch, and returns to each caller its own result", async () => {
    const { add, batches, finish } = createTestBatcher();
    const results = add("a", "b", "c");
    await turn();
    expect(batches).toEqual([["a", "b", "c"]]);
    await finish();
    expect(await results).toEqual(["a!", "b!", "c!"]);
  });

  it("puts items that arrive while all batches run into the next batch", async () => {
    const { add, batches, finish } = createTestBatcher();
    const results: Promise<string[]>[] = [];
    for (const item of ["a", "b", "c", "d", "e"]) {
      results.push(add(item));
      await turn();
    }
    expect(batches).toEqual([["a"], ["b"]]);
    await finish();
    expect(batches).toEqual([["a"], ["b"], ["c", "d", "e"]]);
    await finish();
    expect((await Promise.all(results)).flat()).toEqual(["a!", "b!", "c!", "d!", "e!"]);
  });

  it("puts at most maxItems items into a batch", async () => {
    const { add, batches, finish } = createTestBatcher({ maxWaiting: 10 });
    const results = add("a", "b", "c", "d", "e", "f", "g");
    await turn();
    expect(batches).toEqual([
      ["a", "b", "c"],
      ["d", "e", "f"],
    ]);
    await finish();
    expect(batches[2]).toEqual(["g"]);
    await finish();
    expect(await results).toHaveLength(7);
  });

  it("runs items with the same key one after another, and lets items with other keys overtake them", async () => {
    const { add, batches, finish } = createTestBatcher();
    const results = add("a1", "a2", "b1", "a3", "c1");
    await turn();
    expect(batches).toEqual([["a1", "b1", "c1"]]);
    await finish();
    await finish();
    expect(batches.slice(1)).toEqual([["a2"], ["a3"]]);
    await finish();
    expect(await results).toEqual(["a1!", "a2!", "b1!", "a3!", "c1!"]);
  });

  it("runs items without a key in one batch", async () => {
    const { add, batches } = createTestBatcher({ toKey: () => null });
    void add("a1", "a1", "a1");
    await turn();
    expect(batches).toEqual([["a1", "a1", "a1"]]);
  });

  it("runs an item that its batch left out alone, with its key still taken, and other items meanwhile", async () => {
    let finishAlone: (result: string) => void = () => {};
    const seen: string[] = [];
    const { add } = createTestBatcher({
      maxConcurrent: 1,
      runBatch: async (items) => {
        seen.push(...items);
        return items.map((item) => (item === "a1" ? leftOut : `${item}!`));
      },
      runAlone: () => new Promise((resolve) => (finishAlone = resolve)),
    });
    const first = add("a1", "b");
    const second = add("a2");
    expect(await add("c")).toEqual(["c!"]);
    expect(seen).toEqual(["a1", "b", "c"]);
    finishAlone("done");
    expect(await first).toEqual(["done", "b!"]);
    expect(await second).toEqual(["a2!"]);
  });

  it("rejects only the item that failed alone", async () => {
    const failure = new Error("poisoned");
    const { add } = createTestBatcher({
      runBatch: async (items) => items.map(() => leftOut),
      runAlone: async (item) => {
        if (item === "b") throw failure;
        return item;
      },
    });
    const [a, b, c] = await Promise.allSettled([add("a"), add("b"), add("c")]);
    expect([a, c]).toMatchObject([{ value: ["a"] }, { value: ["c"] }]);
    expect(b).toMatchObject({ reason: failure });
  });

  it("rejects every item of a batch that failed, and runs the next batch", async () => {
    const { add, batches, finish } = createTestBatcher({ maxConcurrent: 1 });
    const failed = Promise.allSettled([add("a"), add("b")]);
    await turn();
    const next = add("a", "c");
    await finish(new StoreUnavailableError("down"));
    expect(await failed).toMatchObject([{ reason: { message: "down" } }, { reason: { message: "down" } }]);
    expect(batches[1]).toEqual(["a", "c"]);
    await finish();
    expect(await next).toEqual(["a!", "c!"]);
  });

  it("rejects an item at once if maxWaiting items are waiting already", async () => {
    const { add, finish } = createTestBatcher({ maxConcurrent: 1 });
    const first = add("a");
    await turn();
    const waiting = add("b", "c", "d", "e", "f");
    await expect(add("g")).rejects.toThrow(
      new StoreUnavailableError("change g: 5 calls are waiting already: the database is overloaded, try again later"),
    );
    await finish();
    expect(await first).toEqual(["a!"]);
    await finish();
    await finish();
    expect(await waiting).toHaveLength(5);
  });

  it("rejects an item that has waited longer than maxWait, and a later item after its own wait", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { add, batches, finish } = createTestBatcher({ maxConcurrent: 1 });
    const first = add("a");
    await turn();
    const late = Promise.allSettled([add("b")]);
    await turn();
    vi.advanceTimersByTime(60);
    const later = Promise.allSettled([add("c")]);
    vi.advanceTimersByTime(60);
    expect(await late).toMatchObject([
      { reason: { message: expect.stringMatching(/^change b: waited for longer than 100 ms:/) } },
    ]);
    vi.advanceTimersByTime(60);
    expect(await later).toMatchObject([{ reason: { name: "StoreUnavailableError" } }]);
    await finish();
    expect(await first).toEqual(["a!"]);
    expect(batches).toEqual([["a"]]);
  });
});
