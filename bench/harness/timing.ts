import { setImmediate } from "node:timers/promises";
import type { Contender, Figures } from "./comparison.ts";

/**
 * The columns of `timeCalls` and `timeAsyncCalls`: what one call takes of the processors, with every thread and the
 * collection of garbage, and on the clock. Ratios are of the first, which other work on the machine disturbs far less.
 */
export const timings = { columns: ["CPU ns", "ns"], better: "lower" } as const;

/** Calls between two looks at the clock: long beside the look, short enough for their inputs to stay in the cache. */
const batch = 500;

export interface TimingOptions {
  /** Milliseconds that are measured in one round. */
  readonly roundTime: number;
}

/**
 * A contender that calls `call` again and again, each time with another of the inputs that `createInputs` makes for every
 * batch while no time is taken. What `call` returns is looked at, so that no compiler can leave the call out.
 */
export function timeCalls<T>(
  call: (input: T) => unknown,
  createInputs: (count: number) => readonly T[],
  { roundTime }: TimingOptions,
): Contender {
  return () => {
    const stopwatch = createStopwatch();
    while (stopwatch.elapsed() < roundTime) {
      const inputs = createInputs(batch);
      stopwatch.start();
      for (const input of inputs) consume(call(input));
      stopwatch.stop(batch);
    }
    return stopwatch.figures();
  };
}

/** As `timeCalls`, for calls whose promises are awaited one after another; timers run between the batches. */
export function timeAsyncCalls<T>(
  call: (input: T) => Promise<unknown>,
  createInputs: (count: number) => readonly T[],
  { roundTime }: TimingOptions,
): Contender {
  return async () => {
    const stopwatch = createStopwatch();
    while (stopwatch.elapsed() < roundTime) {
      const inputs = createInputs(batch);
      stopwatch.start();
      for (const input of inputs) consume(await call(input));
      stopwatch.stop(batch);
      await setImmediate();
    }
    return stopwatch.figures();
  };
}

function createStopwatch() {
  let [wall, cpu, calls, startedAt] = [0, 0, 0, 0];
  let cpuAtStart: NodeJS.CpuUsage = { user: 0, system: 0 };
  return {
    start() {
      cpuAtStart = process.cpuUsage();
      startedAt = performance.now();
    },
    stop(count: number) {
      wall += performance.now() - startedAt;
      const { user, system } = process.cpuUsage(cpuAtStart);
      cpu += user + system;
      calls += count;
    },
    elapsed: () => wall,
    figures: (): Figures => ({ ns: (wall * 1e6) / calls, "CPU ns": (cpu * 1e3) / calls }),
  };
}

const nothing = Symbol("nothing returns this");

/** @throws Error never; but only the programmer knows. */
export function consume(value: unknown): void {
  if (value === nothing) throw new Error("unreachable");
}
