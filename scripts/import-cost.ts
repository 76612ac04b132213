/**
 * Prints what each import of the built package costs a new process: milliseconds (median of nine), files by package, and
 * native addons.
 *
 * Usage: node scripts/import-cost.ts [specifier...], by default every entry of package.json.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LoadedFiles } from "./loaded-files.ts";

const root = join(import.meta.dirname, "..");
const runs = 9;

const manifest: { readonly exports: object } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = Object.keys(manifest.exports).filter((path) => path !== "./package.json");
const given = process.argv.slice(2);
const specifiers = given.length > 0 ? given : entries.map((path) => path.replace(".", "tokenpair"));

for (const specifier of specifiers) {
  const files = listFiles(specifier);
  const count = Object.values(files.packages).reduce((sum, one) => sum + one, 0);
  console.log(
    `${specifier}: ${measure(specifier).toFixed(0)} ms, ${count} files, ${files.addons.length} native addons`,
  );
  const sorted = Object.entries(files.packages).sort(([, a], [, b]) => b - a);
  console.log(`  ${sorted.map(([name, number]) => `${name} ${number}`).join(", ")}`);
}

/** Returns the median time of the import alone, without the start of the process, in milliseconds. */
function measure(specifier: string): number {
  const script = `const start = performance.now(); await import("${specifier}"); console.log(performance.now() - start);`;
  const times = Array.from({ length: runs }, () => Number(run(script))).sort((a, b) => a - b);
  return times[Math.floor(runs / 2)] ?? Number.NaN;
}

function listFiles(specifier: string): LoadedFiles {
  const recorder = JSON.stringify(join(import.meta.dirname, "loaded-files.ts"));
  return JSON.parse(
    run(`import { listLoadedFiles } from ${recorder}; await import("${specifier}");
      console.log(JSON.stringify(listLoadedFiles()));`),
  );
}

function run(script: string): string {
  return execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: root, encoding: "utf8" });
}
