/**
 * Builds the application of one major of Next: copies the shared sources beside its packages, checks their types, and builds them.
 *
 * Usage: node test/frameworks/next-build.ts next16
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { applicationOf } from "./next-server.ts";

const root = resolve(import.meta.dirname, "../..");

/** Builds a variant. `env` is read by `next.config.mjs`. */
export function buildNext(major: string, variant = "plain", env: Readonly<Record<string, string>> = {}): void {
  const folder = join(import.meta.dirname, major);
  const application = applicationOf(major, variant);
  rmSync(application, { recursive: true, force: true });
  mkdirSync(application, { recursive: true });
  cpSync(join(import.meta.dirname, "next"), application, { recursive: true });
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
    cpSync(join(folder, name), join(application, name));
  }
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", application], { stdio: "inherit" });
  execFileSync(process.execPath, [join(folder, "node_modules/next/dist/bin/next"), "build"], {
    cwd: application,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production", ...env },
    stdio: "inherit",
  });
}

if (import.meta.main) buildNext(process.argv[2] ?? "");
