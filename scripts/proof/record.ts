/** The result of a run as docs/correctness.md records it. */
export interface ProofRecord {
  readonly name: string;
  /** Such as "2026-11-30". */
  readonly date: string;
  /** The abbreviated hash. */
  readonly commit: string;
  /** One line for each figure. */
  readonly result: readonly string[];
}

const begin = "<!-- proof: written by `npm run proof -- NAME --record` -->";
const end = "<!-- /proof -->";
const head = "| run | date | commit | result |\n|---|---|---|---|";

/**
 * Returns the page with this result in its table of runs, in the place of the run's earlier one.
 *
 * @throws Error if the page does not have the two comments around the table.
 */
export function recordProof(page: string, { name, date, commit, result }: ProofRecord): string {
  const [before, rest, ...more] = page.split(begin);
  const [table, after, ...others] = rest?.split(end) ?? [];
  if (before === undefined || table === undefined || after === undefined || more.length + others.length > 0) {
    throw new Error(`the page needs ${begin} and ${end}, once`);
  }
  const rows = table.split("\n").filter((line) => /^\| [a-z]/.test(line) && !line.startsWith("| run |"));
  const kept = rows.filter((row) => !row.startsWith(`| ${name} |`));
  const row = `| ${name} | ${date} | ${commit} | ${toCell(result)} |`;
  return `${before}${begin}\n${[head, ...[...kept, row].sort()].join("\n")}\n${end}${after}`;
}

/** Returns the verdict, and the figures below it. More than two of them are folded away. */
function toCell(result: readonly string[]): string {
  const [verdict = "", ...figures] = result.map((line) => line.replaceAll("|", "\\|"));
  if (figures.length <= 2) return [verdict, ...figures].join("<br>");
  return `${verdict}<details><summary>${figures.length} lines</summary>${figures.join("<br>")}</details>`;
}
