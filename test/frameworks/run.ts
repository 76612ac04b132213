/**
 * Builds the applications of frameworks that have packages of their own, with the package as npm would install it, and tests them
 * in a browser.
 *
 * Usage: node test/frameworks/run.ts [--smoke], after `npm run build`. With `--smoke`, only the newest major of each framework is
 * tested, and what can't be installed is left out.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { applicationOf, majors } from "./next-server.ts";

const isSmoke = process.argv.includes("--smoke");
const root = resolve(import.meta.dirname, "../..");
const packed = mkdtempSync(join(tmpdir(), "tokenpair-"));

function run(
  command: string,
  args: readonly string[],
  cwd = root,
  env: Readonly<Record<string, string>> = {},
): boolean {
  const options = { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "inherit", "inherit"] as const };
  return spawnSync(command, args, { ...options, stdio: [...options.stdio] }).status === 0;
}

/** Installs the packages of a folder, and tokenpair as it is published: the link would show it more than its users have. */
function install(folder: string): boolean {
  const options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--fetch-retries=1"];
  const modules = join(folder, "node_modules/tokenpair");
  if (!run("npm", ["ci", ...options], folder)) return false;
  rmSync(modules, { recursive: true, force: true });
  mkdirSync(modules, { recursive: true });
  const [tarball = ""] = readdirSync(packed);
  return run("tar", ["-xzf", join(packed, tarball), "-C", modules, "--strip-components=1"]);
}

/** Copies the shared sources beside the packages of this major, checks their types, and builds them. */
function build(major: string, variant: string, env: Readonly<Record<string, string>>): boolean {
  const folder = join(import.meta.dirname, major);
  const application = applicationOf(major, variant);
  rmSync(application, { recursive: true, force: true });
  mkdirSync(application, { recursive: true });
  cpSync(join(import.meta.dirname, "next"), application, { recursive: true });
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
    cpSync(join(folder, name), join(application, name));
  }
  const quiet = { NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production", ...env };
  return (
    run(join(root, "node_modules/.bin/tsc"), ["-p", application]) &&
    run(process.execPath, [join(folder, "node_modules/next/dist/bin/next"), "build"], application, quiet)
  );
}

if (!run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", packed])) process.exitCode = 1;
for (const major of isSmoke ? majors.slice(0, 1) : majors) {
  if (!install(join(import.meta.dirname, major))) {
    console.log(`frameworks: ${major}: skipped, because its packages can't be installed`);
    rmSync(applicationOf(major), { recursive: true, force: true });
    if (!isSmoke) process.exitCode = 1;
    continue;
  }
  if (!build(major, "plain", {})) process.exitCode = 1;
  for (const slash of isSmoke ? [] : ["true", "false"]) {
    if (!build(major, `slash-${slash}`, { TRAILING_SLASH: slash })) process.exitCode = 1;
  }
}
rmSync(packed, { recursive: true });
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=verbose", "test/frameworks/"];
const only = isSmoke ? ["--testNamePattern", "core"] : [];
const isAnyBuilt = majors.some((major) => existsSync(applicationOf(major)));
if (isAnyBuilt && !run(process.execPath, [...vitest, ...only])) process.exitCode = 1;
