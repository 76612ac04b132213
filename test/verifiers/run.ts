/**
 * Runs the tests of this folder, one file after the other: two servers over PostgreSQL, and services in Node, Deno, Bun, workerd and
 * Python that hold no database. Installs the runtimes from the lock file in test/runtimes. What isn't installed otherwise is left out.
 *
 * Usage: node test/verifiers/run.ts [--smoke], after `npm run build`. With `--smoke`, for seconds, and it installs nothing.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { resolve } from "node:path";

const isSmoke = process.argv.includes("--smoke");
const root = resolve(import.meta.dirname, "../..");

if (!isSmoke) {
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: resolve(root, "test/runtimes"),
    stdio: ["ignore", "ignore", "inherit"],
  });
}

const sizes = isSmoke
  ? { TOKENPAIR_LOGOUTS: "5", TOKENPAIR_CONFIRMATIONS: "80" }
  : { TOKENPAIR_LOGOUTS: "200", TOKENPAIR_CONFIRMATIONS: "3000", TOKENPAIR_CUTS: "5,60", TOKENPAIR_COUNTED: "20" };
const pattern = isSmoke ? ["--testNamePattern=after its logout|after its revocation|a verifier acknowledges"] : [];
const { status } = spawnSync(
  process.execPath,
  // Services that share the machine with those of another file would be slower.
  [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=verbose",
    "--no-file-parallelism",
    ...pattern,
    "test/verifiers",
  ],
  { cwd: root, env: { ...process.env, TOKENPAIR_LONG_TESTS: "true", ...sizes }, stdio: "inherit" },
);
process.exitCode = status ?? 1;
