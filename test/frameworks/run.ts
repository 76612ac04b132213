/**
 * Runs tokenpair, as it is packed, in applications of several frameworks: installs the packages of each application from its lock
 * file, builds it, and runs its tests.
 *
 * An application is a folder here with a `package.json`, its lock file, and if it needs one a script `build`. Its tests are
 * `NAME.test.ts`, or several `NAME-….test.ts`, beside the folder. They begin with `describe.skipIf(!isPrepared("NAME"))`.
 *
 * Usage: node test/frameworks/run.ts [--smoke] [NAME …], after `npm run build`. With `--smoke`, only the applications in
 * `smokeApplications`, and an application that can't be installed is left out. Without it, tests see `TOKENPAIR_LONG_TESTS`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

/** The applications that a smoke run includes. */
const smokeApplications = ["adapters", "nest", "next16"];

const folder = import.meta.dirname;
const root = resolve(folder, "../..");
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: "boolean", default: false } },
});
const applications = readdirSync(folder).filter((name) => existsSync(join(folder, name, "package.json")));
const unknown = positionals.filter((name) => !applications.includes(name));
if (unknown.length > 0) {
  console.error(`frameworks: no application ${unknown.join(", ")}; there are ${applications.join(", ")}`);
  process.exit(2);
}
const defaults = options.smoke ? smokeApplications : applications;
const chosen = positionals.length > 0 ? positionals : defaults;

function run(
  command: string,
  args: readonly string[],
  cwd = root,
  env: Readonly<Record<string, string>> = {},
): boolean {
  const stdio = ["ignore", "inherit", "inherit"] as const;
  return spawnSync(command, args, { cwd, env: { ...process.env, ...env }, stdio: [...stdio] }).status === 0;
}

/**
 * Unpacks the package into the application. A link wouldn't do: the package would then import its peers from this project, and
 * not from the application.
 */
function unpack(application: string, archive: string): void {
  const target = join(application, "node_modules/tokenpair");
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  execFileSync("tar", ["-xzf", archive, "-C", target, "--strip-components=1"]);
}

/** Returns whether the application could be installed. */
function install(application: string, archive: string): boolean {
  const ci = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--fetch-retries=1"];
  if (!run("npm", ci, application)) return false;
  unpack(application, archive);
  return true;
}

function hasBuild(application: string): boolean {
  return JSON.parse(readFileSync(join(application, "package.json"), "utf8")).scripts?.build !== undefined;
}

const temporary = mkdtempSync(join(tmpdir(), "tokenpair-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));
// `npm run build` has built: --ignore-scripts keeps this from building again.
const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", temporary];
const [{ filename }] = JSON.parse(execFileSync("npm", pack, { cwd: root, encoding: "utf8" }));
const prepared: string[] = [];
for (const name of chosen) {
  const application = join(folder, name);
  if (!install(application, join(temporary, filename))) {
    console.log(`frameworks: ${name}: skipped, because its packages can't be installed`);
    if (!options.smoke) process.exitCode = 1;
  } else if (hasBuild(application) && !run("npm", ["run", "build"], application)) {
    console.log(`frameworks: ${name}: failed, because it can't be built`);
    process.exitCode = 1;
  } else prepared.push(name);
}
const env = {
  TOKENPAIR_FRAMEWORKS: prepared.join(","),
  ...(options.smoke ? {} : { TOKENPAIR_LONG_TESTS: "true" }),
};
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=verbose"];
const filters = prepared.flatMap((name) => [`test/frameworks/${name}.test.ts`, `test/frameworks/${name}-`]);
if (prepared.length > 0 && !run(process.execPath, [...vitest, ...filters], root, env)) process.exitCode = 1;
