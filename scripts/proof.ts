/**
 * `npm run proof -- NAME`: a long run that tries to break the code. Without a name, lists the runs.
 *
 * Usage: node scripts/proof.ts [NAME [--smoke | --record]]
 *        node scripts/proof.ts --names
 *
 * `--smoke` takes seconds and shows that the run works. `--record` writes the result, with date and commit, to
 * docs/correctness.md; it needs a commit of everything else. Exit codes: 0 passed, 1 failed, 2 misused.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { execute, type ProofResult, toDuration } from "./proof/execute.ts";
import { recordProof } from "./proof/record.ts";
import { type ProofRun, proofRuns } from "./proof/runs.ts";

const root = resolve(import.meta.dirname, "..");
const page = "docs/correctness.md";
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: "boolean" }, record: { type: "boolean" }, names: { type: "boolean" } },
});
const [name, ...unexpected] = positionals;
const run = proofRuns.find((one) => one.name === name);

if (options.names) for (const one of proofRuns) console.log(one.name);
else if (name === undefined) for (const one of proofRuns) console.log(`${one.name.padEnd(10)}${one.description}`);
else if (run === undefined || unexpected.length > 0 || (options.smoke && options.record)) {
  console.error(`usage: npm run proof -- NAME [--smoke | --record]; the names: ${toNames()}`);
  process.exitCode = 2;
} else if (options.record && !isCommitted()) {
  console.error("--record: commit your changes first, since the result names the commit");
  process.exitCode = 2;
} else process.exitCode = await prove(run);

async function prove(chosen: ProofRun): Promise<number> {
  const { toFigures } = chosen;
  const commit = options.record ? readCommit() : "";
  const result = await execute(root, { ...(options.smoke ? chosen.smoke : chosen), toFigures }, console.log);
  const verdict = `${result.isPassed ? "passed" : "failed"} in ${toDuration(result.seconds)}`;
  console.log(`proof: ${chosen.name}${options.smoke ? " (smoke)" : ""}: ${verdict}`);
  if (options.record) record(chosen, commit, result, verdict);
  return result.isPassed ? 0 : 1;
}

function record({ name }: ProofRun, commit: string, { figures }: ProofResult, verdict: string): void {
  const path = join(root, page);
  const date = new Date().toISOString().slice(0, 10);
  const result = [verdict, ...figures];
  const text = recordProof(readFileSync(path, "utf8"), { name, date, commit, result });
  writeFileSync(path, text);
}

function toNames(): string {
  return proofRuns.map((one) => one.name).join(", ");
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
}

function readCommit(): string {
  return git("rev-parse", "--short", "HEAD");
}

/** Several runs may be recorded one after the other. */
function isCommitted(): boolean {
  return git("status", "--porcelain", "--", ".", `:!${page}`) === "";
}
