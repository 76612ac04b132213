/**
 * Builds the site from its lock file, and checks every internal link and anchor.
 *
 * Usage: node test/site/run.ts [--smoke], after `npm run build`. With `--smoke`, it is left out if its packages can't be installed.
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
  if (!run(process.execPath, [join(site, "build.ts")])) process.exitCode = 1;
} else {
  console.log("site: skipped, because its packages can't be installed");
  if (!isSmoke) process.exitCode = 1;
}
