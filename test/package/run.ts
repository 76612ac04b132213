/**
 * Installs the packed package from the registry into an empty folder, and uses it there with every supported version of Node, and with
 * Bun and Deno: imports and requires every entry, logs in over SQLite, and runs the command line.
 *
 * Usage: node test/package/run.ts [--smoke], after `npm run build`. With `--smoke`, it uses this project's packages, its Node, and
 * Node 22 if that can be installed.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createPackageFolder, run } from "../support/packed-package.ts";

const folder = import.meta.dirname;
const root = resolve(folder, "../..");
const isSmoke = process.argv.includes("--smoke");

/** A program that runs JavaScript, with the arguments that come before the file. */
interface Runtime {
  readonly name: string;
  readonly command: readonly string[];
  /** Whether it is Node, so that it must also run the command line. */
  readonly isNode: boolean;
}

const install = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], {
  cwd: folder,
  stdio: ["ignore", "ignore", "inherit"],
});
if (install.status !== 0 && !isSmoke) throw new Error("the runtimes can't be installed");

function findRuntimes(): readonly Runtime[] {
  const find = (pattern: string) => globSync(join(folder, "node_modules", pattern))[0];
  const found = (name: string, pattern: string, isNode: boolean, ...args: readonly string[]): readonly Runtime[] => {
    const program = find(pattern);
    if (program !== undefined) return [{ name, command: [program, ...args], isNode }];
    console.log(`package: ${name}: skipped, because it isn't installed on this platform`);
    return [];
  };
  const own = { name: `node ${process.versions.node}, this project's`, command: [process.execPath], isNode: true };
  if (isSmoke) return [own, ...found("node 22", "node-22/bin/node", true)];
  return [
    own,
    ...["node-22-first", "node-22", "node-24", "node-26"].flatMap((name) => found(name, `${name}/bin/node`, true)),
    ...found("bun", "@oven/bun-*/bin/bun", false),
    ...found("deno", "@deno/*/deno", false, "run", "--allow-all", "--node-modules-dir=manual"),
  ];
}

/** A program that logs in over SQLite. The application's code is the same in every runtime. */
const login = `import { createAuth } from "tokenpair";
import { loadConfig } from "tokenpair/config";
const config = await loadConfig({ env: { TOKENPAIR_DATABASE_URL: "sqlite:./data/" + process.argv[2] + ".db" } });
const auth = createAuth(config);
await auth.ready();
const credentials = { username: "alice", password: "correct horse battery" };
await auth.users.create(credentials);
const pair = await auth.login(credentials);
const next = await auth.refresh(pair.refresh);
const user = await auth.authenticate({ headers: { authorization: "Bearer " + next.access } });
await auth.logout(next.refresh);
const refused = await auth.authenticate({ headers: { authorization: "Bearer " + next.access } }).catch((error) => error.code);
console.log(user.userId, refused);
await auth.close();
await config.store.close();
`;

/** Imports every entry, and in Node requires it too. Peers that aren't installed are left out. */
function toImports(entries: readonly string[]): string {
  return `import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
for (const entry of ${JSON.stringify(entries)}) {
  const imported = Object.keys(await import(entry)).sort();
  const required = Object.keys(require(entry)).filter((name) => name !== "__esModule" && name !== "module.exports").sort();
  if (imported.length === 0 || String(imported) !== String(required)) throw new Error(entry + ": " + imported + " / " + required);
}
console.log(${entries.length});
`;
}

function expectOutput(step: string, actual: string, expected: string): void {
  if (actual.trim() !== expected) throw new Error(`${step}: printed ${JSON.stringify(actual)}, expected ${expected}`);
}

function prove({ name, command, isNode }: Runtime, path: string, entries: readonly string[]): void {
  const [program = "", ...args] = command;
  const start = (...rest: readonly string[]) => run(program, [...args, ...rest], path);
  const version = run(program, ["--version"], path).split("\n")[0] ?? "";
  expectOutput(`${name}: imports`, start("imports.mjs"), String(entries.length));
  expectOutput(`${name}: login`, start("login.mjs", name.replaceAll(/\W/g, "-")), "1 token_revoked");
  const also = isNode ? `, the command line, ${proveConfigFile(name, program, path)}` : "";
  console.log(`package: ${name} (${version}): ${entries.length} entries, a login over SQLite${also}`);
}

/** Runs the command line with a config file in TypeScript. Returns what happened. */
function proveConfigFile(name: string, program: string, path: string): string {
  const cli = join(path, "node_modules/tokenpair/dist/cli/main.js");
  const config = join(path, "tokenpair.config.ts");
  writeFileSync(
    config,
    "const leeway: number = 7;\nexport default { leeway, databaseUrl: 'sqlite:./data/config.db' };\n",
  );
  const migrate = spawnSync(program, [cli, "migrate"], { cwd: path, encoding: "utf8" });
  rmSync(config);
  if (migrate.status === 0) return "a config file in TypeScript";
  if (!/Node [\d.]+ can't run TypeScript; use Node 22\.18 or later, or a \.js file/.test(migrate.stderr)) {
    throw new Error(`${name}: ${migrate.stderr}`);
  }
  return "says that a config file in TypeScript needs Node 22.18";
}

const packed = createPackageFolder(isSmoke ? "runtime" : "none");
try {
  if (!isSmoke) {
    writeFileSync(join(packed.path, "package.json"), '{ "private": true, "type": "module" }\n');
    // In this process's environment, which may name a registry or a proxy.
    execFileSync("npm", ["install", "--no-audit", "--no-fund", packed.archive], { cwd: packed.path, stdio: "inherit" });
  }
  const { exports }: { exports: Record<string, string> } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.keys(exports)
    .filter((path) => !["./package.json", "./nestjs", "./react"].includes(path))
    .map((path) => path.replace(".", "tokenpair"));
  writeFileSync(join(packed.path, "imports.mjs"), toImports(entries));
  writeFileSync(join(packed.path, "login.mjs"), login);
  for (const runtime of findRuntimes()) prove(runtime, packed.path, entries);
} finally {
  packed.remove();
}
