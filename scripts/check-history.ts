/**
 * Holds a recorded history, or the log of a server, against the invariants of the design: docs/correctness.md.
 *
 * Usage: node scripts/check-history.ts [--log] FILE…
 *
 * Prints each violation with the lines that prove it, and what was judged how often. Exit codes: 0 all hold, 1 something
 * does not, 2 the files cannot be read.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkHistory } from "./history/check.ts";
import { invariants, parseHistory } from "./history/format.ts";
import { toHistoryOfLog } from "./history/server-log.ts";

try {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { log: { type: "boolean" } } });
  if (positionals.length === 0) throw new TypeError("usage: node scripts/check-history.ts [--log] FILE…");
  const text = positionals.map((path) => readFileSync(path, "utf8")).join("\n");
  process.exitCode = report(values.log ? toLines(toHistoryOfLog(text)) : text);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}

function toLines(entries: readonly object[]): string {
  return entries.map((entry) => JSON.stringify(entry)).join("\n");
}

function report(text: string): number {
  const { violations, judged } = checkHistory(parseHistory(text));
  const sources = text.split("\n");
  for (const { invariant, sentence, lines } of violations) {
    console.log(`${invariant} does not hold: ${sentence}`);
    for (const line of lines) console.log(`  ${line}: ${sources[line - 1]}`);
  }
  console.log(`judged: ${invariants.map((name) => `${name} ${judged.get(name) ?? "-"}`).join(", ")}`);
  console.log(`violations: ${violations.length}`);
  return violations.length === 0 ? 0 : 1;
}
