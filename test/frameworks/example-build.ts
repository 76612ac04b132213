/**
 * Builds an example of examples/server-rendered for production, beside the packages that the folder here of the same name has
 * installed. The program runs in the copy of the example.
 *
 * Usage: node test/frameworks/example-build.ts NAME PROGRAM [ARGUMENT …]
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { applicationOf } from "./next-server.ts";

const [name = "", program = "", ...args] = process.argv.slice(2);
const folder = join(import.meta.dirname, name);
const application = applicationOf(name);
rmSync(application, { recursive: true, force: true });
mkdirSync(application, { recursive: true });
cpSync(resolve(import.meta.dirname, "../../examples/server-rendered", name), application, { recursive: true });
const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
// Some frameworks bundle what isn't a dependency.
const packed = { name, private: true, type: "module", dependencies: { ...dependencies, tokenpair: "*" } };
writeFileSync(join(application, "package.json"), JSON.stringify(packed));
execFileSync(process.execPath, [findProgram(), ...args], {
  cwd: application,
  env: { ...process.env, NODE_ENV: "production", ASTRO_TELEMETRY_DISABLED: "1", NUXT_TELEMETRY_DISABLED: "1" },
  stdio: "inherit",
});

function findProgram(): string {
  return join(folder, "node_modules/.bin", program);
}
