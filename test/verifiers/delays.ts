import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** Times from the answer to a change until the services follow it, by service. */
export interface Delays {
  /** Notes one, in milliseconds. */
  add(name: string, delay: number): void;
  /** Returns the quantiles of the services whose names match. */
  toFigures(pattern?: RegExp): string;
  /** Returns the longest. */
  longest(pattern?: RegExp): number;
  /** Returns the names of the services. */
  names(): readonly string[];
}

/** Creates delays of which none is known yet. */
export function createDelays(): Delays {
  const all = new Map<string, number[]>();
  const select = (pattern: RegExp) =>
    [...all].flatMap(([name, delays]) => (pattern.test(name) ? delays : [])).sort((a, b) => a - b);
  return {
    add(name, delay) {
      all.set(name, [...(all.get(name) ?? []), delay]);
    },
    toFigures(pattern = /./) {
      const sorted = select(pattern);
      const at = (q: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0);
      return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms of ${sorted.length}`;
    },
    longest: (pattern = /./) => select(pattern).at(-1) ?? 0,
    names: () => [...all.keys()],
  };
}

/** Something that answers with a status, in time or not. */
export interface Asked {
  readonly name: string;
  ask(access: string): Promise<number>;
}

/** Milliseconds between two requests of a watch. */
const pause = 3;

/**
 * Asks until the status is another one.
 *
 * @returns when the first answer with that status had arrived, on the monotonic clock.
 * @throws Error if the status is neither this one nor one of `meanwhile`, or doesn't come within a minute.
 */
export async function untilStatus(
  { name, ask }: Asked,
  access: string,
  status: number,
  meanwhile: readonly number[],
): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const found = await ask(access);
    const now = performance.now();
    if (found === status) return now;
    if (!meanwhile.includes(found)) throw new Error(`${name} answered ${found} instead of ${meanwhile} or ${status}`);
    if (now - startedAt > 120_000) throw new Error(`${name} still answers ${found} instead of ${status}`);
    await sleep(pause);
  }
}

/** Prints a figure that the proof records. */
export function report(what: string): void {
  console.log(`verifiers: ${what}`);
}

/** Returns how busy the machine is, for figures that depend on it. */
export const toLoad = (): string => `load ${loadavg()[0]?.toFixed(1)}`;
