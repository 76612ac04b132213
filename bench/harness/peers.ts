import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const bench = join(import.meta.dirname, "..");

/**
 * Installs what is measured beside us, in this folder, unless the lock file's versions are there already.
 *
 * @throws Error where npm fails.
 */
export function installPeers(): void {
  if (isInstalled()) return;
  console.error("Installing the peers into bench/node_modules (once)…");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: bench, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("the peers could not be installed; try: npm ci --prefix bench");
}

/** npm writes down in node_modules what it has installed. */
function isInstalled(): boolean {
  const installed = join(bench, "node_modules/.package-lock.json");
  if (!existsSync(installed)) return false;
  const readVersions = (file: string) => {
    const { packages } = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, { version?: string }> };
    return new Map(Object.entries(packages).map(([path, { version }]) => [path, version]));
  };
  const wanted = readVersions(join(bench, "package-lock.json"));
  const found = readVersions(installed);
  return [...wanted].every(([path, version]) => path === "" || !found.has(path) || found.get(path) === version);
}
