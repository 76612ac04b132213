import { type Comparison, measure, type Results, toComparisonTable } from "./comparison.ts";
import { toRatio, toTable } from "./markdown.ts";
import type { Spread } from "./statistics.ts";
import type { TimingOptions } from "./timing.ts";

/** What a subject measures with and writes its part of the report through. */
export interface Harness extends TimingOptions {
  /** Whether figures are wanted soon rather than exact: fewer rounds, and, by the subject's choice, smaller sizes. */
  readonly quick: boolean;
  /** How often each contender is measured. */
  readonly rounds: number;
  /** Measures contenders side by side and adds their table. */
  compare(comparison: Comparison): Promise<Results>;
  /** Adds a table of figures that were measured in another way. */
  table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void;
  /** Adds a paragraph: what the figures beside it mean. */
  note(text: string): void;
  /** Adds a line that says whether `value` reached what the project wants of it. */
  goal(what: string, value: Spread | number, least: number): void;
}

/** What a file of this folder exports as `run`. */
export type Subject = (harness: Harness) => Promise<void>;

/**
 * A harness that hands every part of the report, in Markdown, to `write` as soon as it is there, and to `progress` what it is
 * at.
 */
export function createHarness({
  quick,
  write,
  progress,
}: {
  readonly quick: boolean;
  readonly write: (markdown: string) => void;
  readonly progress: (text: string) => void;
}): Harness {
  const rounds = quick ? 5 : 21;
  return {
    quick,
    rounds,
    roundTime: quick ? 40 : 150,
    async compare(comparison) {
      const results = await measure(comparison, rounds, (round) =>
        progress(`${comparison.title}: ${round === 0 ? "warming up" : `round ${round} of ${rounds}`}`),
      );
      write(`### ${comparison.title}\n\n${toComparisonTable(comparison, results)}\n`);
      return results;
    },
    table: (title, head, rows) => write(`### ${title}\n\n${toTable(head, rows)}\n`),
    note: (text) => write(`${text}\n`),
    goal(what, value, least) {
      const spread = typeof value === "number" ? { median: value, min: value, max: value } : value;
      const verdict = spread.median >= least ? "reached" : "NOT reached";
      write(`- ${what}: ${toRatio(spread)}, wanted ${least} or more: ${verdict}\n`);
    },
  };
}
