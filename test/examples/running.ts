import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { childEnvironment } from "../support/child-environment.ts";

const examples = resolve(import.meta.dirname, "../../examples");

/** Returns whether the packages of an example's folder are installed: `npm run proof -- examples` installs them. */
export const isInstalled = (folder: string) => existsSync(join(examples, folder, "node_modules/tokenpair"));

/** A running example. */
export interface RunningExample {
  /** For example `http://localhost:12345`. */
  readonly url: string;
  /** The folder that it runs in. */
  readonly cwd: string;
  /** The lines that it has printed so far. */
  readonly lines: readonly string[];
  /** Resolves to a line that it has printed or prints later. */
  readonly untilLine: (pattern: RegExp) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Starts a program of examples/ in an empty folder, and waits until it listens. By default, on any free port. */
export async function startExample(path: string, env: Readonly<Record<string, string>> = {}): Promise<RunningExample> {
  const cwd = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const running: ChildProcess = spawn(process.execPath, [join(examples, path)], {
    cwd,
    env: { ...childEnvironment, PORT: "0", SIGNING_KEY: randomBytes(48).toString("hex"), ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = async () => {
    if (running.exitCode === null) {
      running.kill();
      await once(running, "exit");
    }
    rmSync(cwd, { recursive: true, force: true });
  };
  const lines: string[] = [];
  const output = createInterface({ input: running.stdout as NodeJS.ReadableStream });
  output.on("line", (line) => lines.push(line));
  const exited = once(running, "exit");
  const untilLine = async (pattern: RegExp): Promise<string> => {
    const find = () => lines.find((line) => pattern.test(line));
    for (let line = find(); ; line = find()) {
      if (line !== undefined) return line;
      await Promise.race([once(output, "line"), exited]);
      if (running.exitCode !== null && find() === undefined) throw new Error(`${path} exited: ${lines.join("\n")}`);
    }
  };
  try {
    const [, port] = /port: (\d+)/.exec(await untilLine(/port: \d+/)) ?? [];
    return { url: `http://localhost:${port}`, cwd, lines, untilLine, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Imports a package of an example's folder, which this project doesn't install. */
export async function importFrom<T>(folder: string, name: string): Promise<T> {
  const { createRequire } = await import("node:module");
  return createRequire(join(examples, folder, "package.json"))(name) as T;
}
