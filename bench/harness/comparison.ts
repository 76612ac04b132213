import { toFigure, toRange, toRatio, toTable } from "./markdown.ts";
import { type Spread, toSpread } from "./statistics.ts";

/** What one round of one contender has measured, under the names of the columns. */
export type Figures = Readonly<Record<string, number>>;

/** Measures one round. It runs alone: nothing else of the comparison is under way. */
export type Contender = () => Figures | Promise<Figures>;

/** Things that do the same, measured side by side. */
export interface Comparison {
  readonly title: string;
  /** The names of the figures, with their units: `"ns"`, `"requests/s"`. Ratios are of the first. */
  readonly columns: readonly [string, ...string[]];
  /** Whether the first figure is better when it is lower, as a time is, or higher, as a rate is. */
  readonly better: "lower" | "higher";
  /** The contender that the others are held against. */
  readonly baseline: string;
  readonly contenders: Readonly<Record<string, Contender>>;
}

/** The rounds of a comparison. */
export interface Results {
  /** One figure of one contender. */
  figure(contender: string, column?: string): Spread;
  /**
   * How many times better `contender` was than `other` in the first figure: the ratios of the rounds, each of two
   * measurements that were neighbours in time, so that what slows the machine slows both.
   */
  ratio(contender: string, other?: string): Spread;
  /** One figure of `contender` as a multiple of the same figure of `other`, round by round. */
  multiple(contender: string, other: string, column: string): Spread;
}

/**
 * Measures the contenders in turn, `rounds` times, after one round that is thrown away. Every round begins with another
 * contender, so that none always runs behind the same one. `onRound` is called before each, with 0 for the first.
 */
export async function measure(
  { columns: [main], better, baseline, contenders }: Comparison,
  rounds: number,
  onRound: (round: number) => void,
): Promise<Results> {
  const names = Object.keys(contenders);
  const samples = new Map<string, Figures[]>(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    onRound(round + 1);
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round + 1) % names.length] as string;
      const figures = await (contenders[name] as Contender)();
      if (round >= 0) samples.get(name)?.push(figures);
    }
  }
  const read = (name: string, column: string) => {
    const figures = samples.get(name);
    if (figures === undefined) throw new RangeError(`no contender is called ${name}`);
    return figures.map((sample) => sample[column] ?? Number.NaN);
  };
  const multiple = (name: string, other: string, column: string) => {
    const others = read(other, column);
    return toSpread(read(name, column).map((value, i) => value / (others[i] ?? Number.NaN)));
  };
  return {
    figure: (name, column = main) => toSpread(read(name, column)),
    ratio: (name, other = baseline) =>
      better === "higher" ? multiple(name, other, main) : multiple(other, name, main),
    multiple,
  };
}

/** The results as a table: medians, the range of the first figure, and its ratio to the baseline's. */
export function toComparisonTable({ columns, baseline, contenders }: Comparison, results: Results): string {
  const [main, ...others] = columns;
  const rows = Object.keys(contenders).map((name) => [
    name,
    toFigure(results.figure(name).median),
    toRange(results.figure(name)),
    name === baseline ? "1" : toRatio(results.ratio(name)),
    ...others.map((column) => toFigure(results.figure(name, column).median)),
  ]);
  return toTable(["", main, "min–max", `× ${baseline}`, ...others], rows);
}
