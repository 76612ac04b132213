import { afterEach, describe, expect, it, vi } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import { alone, type BatcherOptions, createBatcher } from "../../src/store/batcher.ts";

/** A batcher whose batches are carried out when the test says so; "x!" is answered to "x". */
function createScene(changes: Partial<BatcherOptions<string, string>> = {}) {
  const batches: string[][] = [];
  const goes: ((error?: Error) => void)[] = [];
  const add = createBatcher<string, string>({
    together(items) {
      batches.push([...items]);
      return new Promise((resolve, reject) => {
        goes.push((error) => (error === undefined ? resolve(items.map((item) => `${item}!`)) : reject(error)));
      });
    },
    alone: async (item) => `${item}, alone`,
    // "a1" and "a2" have the key "a".
    toKey: (item) => item.slice(0, 1),
    toOperation: (item) => `change ${item}`,
    maxUnderWay: 2,
    maxItems: 3,
    maxWaiting: 5,
    patience: 100,
    ...changes,
  });
  return {
    add: (...items: string[]) => Promise.all(items.map(add)),
    batches,
    /** Lets the batches go that are under way, and waits until those that follow are. */
    go: async (error?: Error) => {
      for (const go of goes.splice(0)) go(error);
      await turn();
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

afterEach(() => void vi.useRealTimers());

describe("group commit", () => {
  it("commits together what arrives in one turn of the event loop, and answers each its own", async () => {
    const { add, batches, go } = createScene();
    const answers = add("a", "b", "c");
    await turn();
    expect(batches).toEqual([["a", "b", "c"]]);
    await go();
    expect(await answers).toEqual(["a!", "b!", "c!"]);
  });

  it("commits what arrives meanwhile in the next batch, when one of those under way is done", async () => {
    const { add, batches, go } = createScene();
    const answers: Promise<string[]>[] = [];
    for (const item of ["a", "b", "c", "d", "e"]) {
      answers.push(add(item));
      await turn();
    }
    expect(batches).toEqual([["a"], ["b"]]);
    await go();
    expect(batches).toEqual([["a"], ["b"], ["c", "d", "e"]]);
    await go();
    expect((await Promise.all(answers)).flat()).toEqual(["a!", "b!", "c!", "d!", "e!"]);
  });

  it("makes no batch larger than it may be", async () => {
    const { add, batches, go } = createScene({ maxWaiting: 10 });
    const answers = add("a", "b", "c", "d", "e", "f", "g");
    await turn();
    expect(batches).toEqual([
      ["a", "b", "c"],
      ["d", "e", "f"],
    ]);
    await go();
    expect(batches[2]).toEqual(["g"]);
    await go();
    expect(await answers).toHaveLength(7);
  });

  it("carries out items of one key one after the other, and lets others pass them", async () => {
    const { add, batches, go } = createScene();
    const answers = add("a1", "a2", "b1", "a3", "c1");
    await turn();
    expect(batches).toEqual([["a1", "b1", "c1"]]);
    await go();
    await go();
    expect(batches.slice(1)).toEqual([["a2"], ["a3"]]);
    await go();
    expect(await answers).toEqual(["a1!", "a2!", "b1!", "a3!", "c1!"]);
  });

  it("lets items of no key go together", async () => {
    const { add, batches } = createScene({ toKey: () => null });
    void add("a1", "a1", "a1");
    await turn();
    expect(batches).toEqual([["a1", "a1", "a1"]]);
  });

  it("sends alone what was left out of its batch, keeps its key, and goes on with the others meanwhile", async () => {
    let finish: (answer: string) => void = () => {};
    const seen: string[] = [];
    const { add } = createScene({
      maxUnderWay: 1,
      together: async (items) => {
        seen.push(...items);
        return items.map((item) => (item === "a1" ? alone : `${item}!`));
      },
      alone: () => new Promise((resolve) => (finish = resolve)),
    });
    const first = add("a1", "b");
    const second = add("a2");
    expect(await add("c")).toEqual(["c!"]);
    expect(seen).toEqual(["a1", "b", "c"]);
    finish("done");
    expect(await first).toEqual(["done", "b!"]);
    expect(await second).toEqual(["a2!"]);
  });

  it("fails what failed alone, and no other", async () => {
    const failure = new Error("poisoned");
    const { add } = createScene({
      together: async (items) => items.map(() => alone),
      alone: async (item) => {
        if (item === "b") throw failure;
        return item;
      },
    });
    const [a, b, c] = await Promise.allSettled([add("a"), add("b"), add("c")]);
    expect([a, c]).toMatchObject([{ value: ["a"] }, { value: ["c"] }]);
    expect(b).toMatchObject({ reason: failure });
  });

  it("answers a batch that failed as a whole with its error, and goes on with the next", async () => {
    const { add, batches, go } = createScene({ maxUnderWay: 1 });
    const failed = Promise.allSettled([add("a"), add("b")]);
    await turn();
    const next = add("a", "c");
    await go(new StoreUnavailableError("down"));
    expect(await failed).toMatchObject([{ reason: { message: "down" } }, { reason: { message: "down" } }]);
    expect(batches[1]).toEqual(["a", "c"]);
    await go();
    expect(await next).toEqual(["a!", "c!"]);
  });

  it("refuses at once what would wait behind too many", async () => {
    const { add, go } = createScene({ maxUnderWay: 1 });
    const first = add("a");
    await turn();
    const waiting = add("b", "c", "d", "e", "f");
    await expect(add("g")).rejects.toThrow(new StoreUnavailableError("change g: too many wait"));
    await go();
    expect(await first).toEqual(["a!"]);
    await go();
    await go();
    expect(await waiting).toHaveLength(5);
  });

  it("refuses what has waited for too long, and what came later after its own time", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { add, batches, go } = createScene({ maxUnderWay: 1 });
    const first = add("a");
    await turn();
    const late = Promise.allSettled([add("b")]);
    await turn();
    vi.advanceTimersByTime(60);
    const later = Promise.allSettled([add("c")]);
    vi.advanceTimersByTime(60);
    expect(await late).toMatchObject([{ reason: { message: "change b: waited for too long" } }]);
    vi.advanceTimersByTime(60);
    expect(await later).toMatchObject([{ reason: { name: "StoreUnavailableError" } }]);
    await go();
    expect(await first).toEqual(["a!"]);
    expect(batches).toEqual([["a"]]);
  });
});
