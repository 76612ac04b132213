/**
 * Runs the browser tests in Chromium, which npm installs, and in Firefox and WebKit if Debian's packages are installed.
 *
 * Usage: node scripts/browsers.ts [PATH...]
 *
 * Each PATH names test files; without one, all browser tests run. The last lines say what ran in which browser.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type BrowserName, browsers, findMissing } from "../test/browser/browsers.ts";

const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "tokenpair-browsers-"));
const paths = process.argv.slice(2);
const results: string[] = [];

for (const name of Object.keys(browsers) as BrowserName[]) {
  const missing = findMissing(name);
  const result = missing === undefined ? runIn(name) : `skipped: install Debian's package ${missing}`;
  results.push(`browsers: ${name}: ${result}`);
}
console.log(results.join("\n"));
rmSync(folder, { recursive: true });

/** Runs the tests in one browser. Firefox and WebKit take a process for each device, so few tests run at once. */
function runIn(name: BrowserName): string {
  const report = join(folder, `${name}.json`);
  const limits =
    name === "chromium"
      ? []
      : ["--maxConcurrency=2", "--no-file-parallelism", "--testTimeout=300000", "--hookTimeout=300000"];
  const reporters = ["--reporter=verbose", "--reporter=json", `--outputFile.json=${report}`];
  const { status } = spawnSync(
    join(root, "node_modules/.bin/vitest"),
    ["run", "--project=system", ...reporters, ...limits, ...(paths.length > 0 ? paths : ["test/browser"])],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, TOKENPAIR_TEST_BROWSER: name, TOKENPAIR_LONG_TESTS: "true" },
    },
  );
  if (status !== 0) process.exitCode = 1;
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, "utf8"));
  return `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`;
}
