/**
 * Tests the client for native apps: installs the packages of examples/native, compiles the example, bundles it with Metro and runs the
 * bundle, and kills simulated apps.
 *
 * Usage: node test/native/run.ts [--smoke], after `npm run build`. With `--smoke`, it installs nothing and kills fewer apps.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const isSmoke = process.argv.includes("--smoke");
const root = resolve(import.meta.dirname, "../..");
const example = join(root, "examples/native");

function run(command: string, args: readonly string[], cwd = root): boolean {
  const env = { ...process.env, TOKENPAIR_KILLS: isSmoke ? "1000" : "20000" };
  const { status } = spawnSync(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) process.exitCode = 1;
  return status === 0;
}

if (!isSmoke && run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps"], example)) {
  // Metro follows no links out of the app's folder.
  const target = join(example, "node_modules/tokenpair");
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  cpSync(join(root, "package.json"), join(target, "package.json"));
  cpSync(join(root, "dist"), join(target, "dist"), { recursive: true });
  run(join(root, "node_modules/.bin/tsc"), ["-p", example]);
}
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=verbose"];
run(process.execPath, [...vitest, "test/native/", "test/client/native.test.ts"]);
