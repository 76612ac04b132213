/**
 * `npm run bench`: measures us and the peers side by side and writes a report to bench/reports. `npm run bench -- verify`
 * measures one subject, `--quick` takes less time, `--stdout` writes no file, `--list` says what there is.
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createHarness, type Subject } from "./harness/harness.ts";
import { describeLoad, describePeers, describeRun } from "./harness/machine.ts";
import { toTable } from "./harness/markdown.ts";
import { installPeers } from "./harness/peers.ts";
import { subjects } from "./subjects.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    stdout: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});
const unknown = positionals.find((name) => !subjects.some((subject) => subject.name === name));

if (unknown !== undefined) {
  console.error(`There is no subject "${unknown}". There are: ${subjects.map(({ name }) => name).join(", ")}.`);
  process.exitCode = 2;
} else if (values.list) {
  for (const { name, title } of subjects) console.log(`${name.padEnd(14)}${title}`);
} else {
  await run(positionals, values);
}

async function run(names: readonly string[], { quick, stdout }: typeof values): Promise<void> {
  const chosen = subjects.filter(({ name }) => names.length === 0 || names.includes(name));
  const withPeers = chosen.some(({ needsPeers }) => needsPeers);
  if (withPeers) installPeers();

  const file = stdout ? null : createReportFile();
  const write = (markdown: string) => {
    showProgress("");
    console.log(markdown);
    if (file !== null) appendFileSync(file, `${markdown}\n`);
  };
  const peers = withPeers ? [["peers", describePeers()] as const] : [];
  write(`# Measured ${quick ? "quickly" : "in full"}\n\n${toTable(["", ""], [...describeRun(), ...peers])}\n`);
  const harness = createHarness({ quick, write, progress: showProgress });
  for (const { name, title } of chosen) {
    write(`## ${title}\n`);
    const startedAt = performance.now();
    const subject: { readonly run: Subject } = await import(`./${name}.ts`);
    await subject.run(harness);
    write(`Took ${Math.round((performance.now() - startedAt) / 1000)} s; load after: ${describeLoad()}.\n`);
  }
  if (file !== null) console.error(`Written to ${file}`);
}

/** On the terminal's last line, until the next call. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function createReportFile(): string {
  const folder = join(import.meta.dirname, "reports");
  mkdirSync(folder, { recursive: true });
  return join(folder, `${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.md`);
}
