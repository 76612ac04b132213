/**
 * Runs the examples that have packages of their own: installs those from their lock files, compiles the examples, and tests them.
 *
 * Usage: node test/examples/run.ts [--smoke], after `npm run build`. With `--smoke`, only one or a few tests of each example, and
 * what can't be installed is left out.
 */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";

const isSmoke = process.argv.includes("--smoke");
const root = resolve(import.meta.dirname, "../..");
const folders = ["realtime", "frontend", "logins", "own-users", "opentelemetry", "trpc"];

function run(command: string, args: readonly string[], cwd = root): boolean {
  return spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

for (const folder of folders) {
  const path = join(root, "examples", folder);
  const install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--fetch-retries=1"];
  if (run("npm", install, path)) {
    if (!run(join(root, "node_modules/.bin/tsc"), ["-p", path])) process.exitCode = 1;
  } else {
    console.log(`examples: ${folder}: skipped, because its packages can't be installed`);
    if (!isSmoke) process.exitCode = 1;
  }
}
const firstTests = [
  ...["shows each change", "continues after refreshes", "sqlite signs", "exports a login", "protects procedures"],
  ...["logs in by the button", "finds the same user", "creates a user", "registered before", "asks for a code"],
];
const filter = isSmoke ? [`--testNamePattern=${firstTests.join("|")}`] : [];
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=verbose", "test/examples/", ...filter];
if (!run(process.execPath, vitest)) process.exitCode = 1;
