/**
 * Prints what an installation costs, as a table: packages, megabytes on the disk, and seconds from npm's cache (median of
 * three, each in an empty folder). Then the largest packages of each. Needs the registry; build first. See
 * docs/decisions/package.md for the options.
 *
 * Usage: node scripts/install-size.ts
 */
import { execFileSync } from "node:child_process";
import { globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

interface Installation {
  readonly packages: number;
  readonly megabytes: number;
  readonly seconds: number;
  /** The five largest packages, largest first, in megabytes. */
  readonly largest: string;
}

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "tokenpair-install-"));
const runs = 3;
/** What only src/server and src/cli import. */
const serverPackages = ["@inquirer/password", "@inquirer/select", "commander", "pino", "@prometheus-io/client"];

try {
  const whole = pack(root);
  const peers = packVariant("peers", whole, []);
  const split = packVariant("split", whole, ["dist/cli", "dist/server", "dist/page"]);
  const client = packVariant("client", whole, listAllBut("dist/client"), []);
  console.log(`${new Date().toISOString().slice(0, 10)}, npm ${npm(root, "--version").trim()}, ${process.platform}\n`);
  console.log("| `npm install` of | packages | MB | seconds |\n|---|---|---|---|");
  const largest = [
    report("tokenpair, everything as dependencies", whole),
    report("the same, `--ignore-scripts`", whole, "--ignore-scripts"),
    report("tokenpair, the server's packages as optional peers", peers),
    report("tokenpair-server beside that: its manifest and those packages", packServer(peers)),
    report("tokenpair without the files of server and CLI", split),
    report("tokenpair/client alone", client),
    report(toSpec("better-auth"), toSpec("better-auth")),
    report(toSpec("supertokens-node"), toSpec("supertokens-node")),
  ];
  console.log(`\nLargest packages, in MB:\n${largest.join("\n")}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Prints a row, and returns the line about the largest packages. */
function report(label: string, spec: string, ...flags: readonly string[]): string {
  install(spec, flags); // fills npm's cache
  const found = Array.from({ length: runs }, () => install(spec, flags)).sort((a, b) => a.seconds - b.seconds);
  const { packages, megabytes, seconds, largest } = found[Math.floor(runs / 2)] as Installation;
  console.log(`| ${label} | ${packages} | ${megabytes.toFixed(1)} | ${seconds.toFixed(1)} |`);
  return `- ${label}: ${largest}`;
}

/** Installs into an empty folder. */
function install(spec: string, flags: readonly string[]): Installation {
  const project = mkdtempSync(join(folder, "project-"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true }));
  const start = performance.now();
  npm(project, "install", spec, "--prefer-offline", "--no-audit", "--no-fund", ...flags);
  const seconds = (performance.now() - start) / 1000;
  const lock = JSON.parse(readFileSync(join(project, "node_modules/.package-lock.json"), "utf8"));
  const sizes = Object.keys(lock.packages)
    .map((path) => ({ name: path.replace(/^node_modules\//, ""), megabytes: measure(join(project, path)) }))
    .sort((a, b) => b.megabytes - a.megabytes);
  const largest = sizes.slice(0, 5).map(({ name, megabytes }) => `${name} ${megabytes.toFixed(1)}`);
  const megabytes = sizes.reduce((sum, one) => sum + one.megabytes, 0);
  rmSync(project, { recursive: true });
  return { packages: sizes.length, megabytes, seconds, largest: largest.join(", ") };
}

/** Returns the size of a package's own files, without the packages inside it. */
function measure(path: string): number {
  const files = globSync("**/*", { cwd: path, exclude: (name) => name === "node_modules" });
  const sizes = files.map((name) => lstatSync(join(path, name))).filter((entry) => entry.isFile());
  return sizes.reduce((sum, entry) => sum + entry.size, 0) / 1e6;
}

/** Packs a package folder, and returns the path of the tarball. */
function pack(path: string): string {
  const target = mkdtempSync(join(folder, "tarball-"));
  const packed = npm(path, "pack", "--ignore-scripts", "--json", "--pack-destination", target);
  return join(target, JSON.parse(packed)[0].filename);
}

/** Packs the package again without some of its files, and with some of its dependencies: by default those of the library. */
function packVariant(name: string, tarball: string, removed: readonly string[], kept?: readonly string[]): string {
  const path = unpack(name, tarball);
  for (const one of removed) rmSync(join(path, one), { recursive: true, force: true }); // not all of dist is packed
  const manifest = readManifest(path);
  const names = kept ?? Object.keys(manifest.dependencies).filter((one) => !serverPackages.includes(one));
  writeManifest(path, { ...manifest, bin: undefined, dependencies: pick(manifest.dependencies, names) });
  return pack(path);
}

/** Packs a package that has no code of its own and depends on `tokenpair` and the server's packages. */
function packServer(tokenpair: string): string {
  const path = join(folder, "server");
  mkdirSync(path);
  const { version, dependencies } = readManifest(root);
  const all = { tokenpair: `file:${tokenpair}`, ...pick(dependencies, serverPackages) };
  writeManifest(path, { name: "tokenpair-server", version, dependencies: all });
  return pack(path);
}

function unpack(name: string, tarball: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  execFileSync("tar", ["-xzf", tarball, "-C", path, "--strip-components=1"]);
  return path;
}

/** Returns what the build has beside one folder. */
function listAllBut(kept: string): string[] {
  return globSync("dist/*", { cwd: root }).filter((path) => path !== kept && !path.endsWith(".tsbuildinfo"));
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
}

function writeManifest(path: string, manifest: object): void {
  writeFileSync(join(path, "package.json"), JSON.stringify(manifest));
}

function pick(dependencies: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(dependencies).filter(([name]) => names.includes(name)));
}

/** Returns `name@version` of the newest version. */
function toSpec(name: string): string {
  return `${name}@${npm(root, "view", name, "version").trim()}`;
}

function npm(cwd: string, ...args: readonly string[]): string {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
