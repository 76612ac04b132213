import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { childEnvironment } from "./child-environment.ts";

const root = resolve(import.meta.dirname, "../..");

/** A folder with the packed package in its node_modules. */
export interface PackageFolder {
  readonly path: string;
  /** The folder of the unpacked package. */
  readonly package: string;
  /** The packed package. */
  readonly archive: string;
  remove(): void;
}

/**
 * Packs the built package, and unpacks it into the node_modules of an empty folder.
 *
 * @param packages which other packages to link there: those that `npm install tokenpair` brings, or all of this project. With
 * "none", doesn't unpack it either.
 */
export function createPackageFolder(packages: "runtime" | "all" | "none"): PackageFolder {
  const path = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const modules = join(path, "node_modules");
  const unpacked = join(modules, "tokenpair");
  // `npm test` has built; --ignore-scripts keeps this from building again under the other tests.
  const packed = run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", path], root);
  const [{ filename }] = JSON.parse(packed);
  const archive = join(path, filename);
  if (packages !== "none") {
    mkdirSync(unpacked, { recursive: true });
    run("tar", ["-xzf", archive, "-C", unpacked, "--strip-components=1"], path);
    for (const name of packages === "runtime" ? listRuntimePackages() : listPackages()) link(name, modules);
  }
  return { path, package: unpacked, archive, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs a program, and returns what it writes to stdout. @throws if its exit code isn't 0. */
export function run(command: string, args: readonly string[], cwd: string, input?: string): string {
  const env = childEnvironment;
  return execFileSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
    input: input ?? "",
  });
}

/** The packages that `npm install tokenpair` would bring, as the lock file has them. */
function listRuntimePackages(): string[] {
  const { packages }: { packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }> } =
    JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => /^node_modules\/[^/]+(?:\/[^/]+)?$/.test(path) && !dev && !devOptional)
    .map(([path]) => path.replace("node_modules/", ""))
    .filter((name) => existsSync(join(root, "node_modules", name)));
}

const listPackages = () => readdirSync(join(root, "node_modules")).filter((name) => !name.startsWith("."));

function link(name: string, modules: string): void {
  const path = join(modules, name);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) symlinkSync(join(root, "node_modules", name), path);
}
