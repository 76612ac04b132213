import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** What the figures depend on: machine, versions, commit, and how busy the machine is with other work. */
export function describeRun(): readonly (readonly [string, string])[] {
  return [
    ["date", `${new Date().toISOString().slice(0, 16)}Z`],
    ["commit", readCommit()],
    ["processor", `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "unknown"}`],
    ["memory", `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ["system", `${type()} ${release()}, ${process.arch}`],
    ["Node, V8, OpenSSL", [process.version, process.versions.v8, process.versions.openssl].join(", ")],
    ["load before", describeLoad()],
  ];
}

/** How many processes wanted to run, over the last minute: above the number of processors, times are noise. */
export const describeLoad = (): string => loadavg()[0]?.toFixed(1) ?? "unknown";

/** The peers and the versions that are measured. */
export function describePeers(): string {
  const { dependencies } = JSON.parse(readFileSync(join(root, "bench/package.json"), "utf8"));
  return Object.entries(dependencies)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

export function readCommit(): string {
  try {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
    return `${git("rev-parse", "--short", "HEAD")}${git("status", "--porcelain") === "" ? "" : " with changes"}`;
  } catch {
    return "unknown";
  }
}
