/**
 * Type-checks the site and builds it from its lock file, and checks every internal link and anchor, what the search finds, and the text
 * for coding agents.
 *
 * Usage: node test/site/run.ts [--smoke], after `npm run build`. With `--smoke`, it is left out if the npm registry can't be reached.
 */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";

const isSmoke = process.argv.includes("--smoke");
const site = resolve(import.meta.dirname, "../../site");

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { cwd: site, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

const install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--fetch-retries=1"];
if (run("npm", install)) {
  const isPassed =
    run(join(site, "node_modules/.bin/tsc"), ["-p", "."]) && run(process.execPath, [join(site, "build.ts")]);
  if (!isPassed) process.exitCode = 1;
} else if (isSmoke && !run("npm", ["ping", "--fetch-retries=1"])) {
  console.log("site: skipped, because the npm registry can't be reached");
} else {
  console.error("site: its packages can't be installed");
  process.exitCode = 1;
}
