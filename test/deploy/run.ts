/**
 * Checks the files of deploy/ by the schemas of their programs, which it installs, and runs the packed package as in a container.
 *
 * Usage: node test/deploy/run.ts [--smoke], after `npm run build`. With `--smoke`, what can't be installed is left out.
 */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";

const isSmoke = process.argv.includes("--smoke");
const root = resolve(import.meta.dirname, "../..");

function run(command: string, args: readonly string[], cwd = root): boolean {
  const env = { ...process.env, TOKENPAIR_LONG_TESTS: "true" };
  return spawnSync(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

const install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--fetch-retries=1"];
const isInstalled = run("npm", install, join(root, "test/deploy/lint"));
if (!isInstalled && !isSmoke) process.exitCode = 1;
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=verbose", "test/deploy/"];
if (run(process.execPath, vitest)) {
  console.log(
    `deploy: the files of deploy/${isInstalled ? ", also by their schemas" : ""}, and the packed package: passed`,
  );
} else process.exitCode = 1;
