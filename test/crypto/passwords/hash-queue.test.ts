import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHashQueue } from "../../../src/crypto/passwords/hash-queue.ts";

/** Work that ends when told, and notes when it began. */
function createWork() {
  const begun: number[] = [];
  const ends = new Map<number, { readonly resolve: (id: number) => void; readonly reject: (error: Error) => void }>();
  return {
    begun,
    of: (id: number) => () => {
      begun.push(id);
      return new Promise<number>((resolve, reject) => ends.set(id, { resolve, reject }));
    },
    end: (id: number) => ends.get(id)?.resolve(id),
    fail: (id: number) => ends.get(id)?.reject(new Error(`work ${id}`)),
  };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("a hash queue", () => {
  it("runs as many at a time as it may, and the rest in order as places fall free", async () => {
    const queue = createHashQueue({ concurrency: 2, limit: 3 });
    const work = createWork();
    const results = [0, 1, 2, 3, 4].map((id) => queue.run(work.of(id)));
    expect(queue.load()).toEqual({ inFlight: 2, waiting: 3, rejected: 0 });
    expect(work.begun).toEqual([0, 1]);
    work.end(1);
    await settle();
    expect(work.begun).toEqual([0, 1, 2]);
    expect(queue.load()).toEqual({ inFlight: 2, waiting: 2, rejected: 0 });
    for (const id of [0, 2, 3, 4]) {
      work.end(id);
      await settle();
    }
    expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4]);
    expect(queue.load()).toEqual({ inFlight: 0, waiting: 0, rejected: 0 });
  });

  it("refuses at once where too many wait, has then run nothing, and counts it", async () => {
    const queue = createHashQueue({ concurrency: 1, limit: 0 });
    const work = createWork();
    const running = queue.run(work.of(0));
    await expect(queue.run(work.of(1))).rejects.toMatchObject({ code: "unavailable" });
    expect(() => queue.requireRoom()).toThrow();
    expect(work.begun).toEqual([0]);
    expect(queue.load()).toEqual({ inFlight: 1, waiting: 0, rejected: 2 });
    work.end(0);
    await running;
    expect(() => queue.requireRoom()).not.toThrow();
  });

  it("goes on after work that failed, and passes its error on", async () => {
    const queue = createHashQueue({ concurrency: 1, limit: 1 });
    const work = createWork();
    const failing = queue.run(work.of(0));
    const waiting = queue.run(work.of(1));
    work.fail(0);
    await expect(failing).rejects.toThrow("work 0");
    work.end(1);
    expect(await waiting).toBe(1);
    const thrown = queue.run(() => {
      throw new Error("before there was a promise");
    });
    await expect(thrown).rejects.toThrow("before there was a promise");
    expect(queue.isFree()).toBe(true);
  });

  it("never runs more than it may, leaves no place empty while one waits, and forgets nobody", async () => {
    const steps = fc.array(fc.constantFrom("run", "end", "fail"), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 }),
        fc.nat({ max: 3 }),
        steps,
        async (concurrency, limit, script) => {
          const queue = createHashQueue({ concurrency, limit });
          const work = createWork();
          const running: number[] = [];
          const accepted: Promise<unknown>[] = [];
          for (const [id, step] of script.entries()) {
            const { inFlight, waiting, rejected } = queue.load();
            if (step === "run") {
              accepted.push(queue.run(work.of(id)).catch(() => undefined));
              const isRejected = inFlight === concurrency && waiting === limit;
              expect(queue.load().rejected).toBe(isRejected ? rejected + 1 : rejected);
            } else if (running.length > 0) work[step](running.shift() ?? -1);
            await settle();
            running.push(...work.begun.splice(0));
            const now = queue.load();
            expect(now.inFlight).toBe(running.length);
            expect(now.inFlight).toBeLessThanOrEqual(concurrency);
            expect(now.waiting === 0 || now.inFlight === concurrency).toBe(true);
          }
          while (running.length > 0) {
            work.end(running.shift() ?? -1);
            await settle();
            running.push(...work.begun.splice(0));
          }
          await Promise.all(accepted);
          expect(queue.load()).toMatchObject({ inFlight: 0, waiting: 0 });
        },
      ),
      { numRuns: 100 },
    );
  });
});
