import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { childEnvironment } from "./child-environment.ts";

/** The file that runs this version's command line. */
export const currentMain = resolve(import.meta.dirname, "../../src/cli/main.ts");

/** A running `tokenpair serve`. */
export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Returns everything that the server has logged so far. */
  log(): string;
  /** Returns what the server has written to its standard error so far. */
  errors(): string;
  /** Kills the process, as a power cut would. */
  kill(): Promise<void>;
  /** Stops the server, as an operator would. */
  stop(): Promise<void>;
}

/** The options of `startServer`. */
export interface ServerOptions {
  /** The working directory: database and signing key are in its `data/`. */
  readonly cwd: string;
  /** Default: any free port. */
  readonly port?: number;
  /** The file that runs the command line. Default: this version's. */
  readonly main?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments of the command. */
  readonly args?: readonly string[];
}

/** Starts `tokenpair serve` and waits until it says that it is ready. */
export async function startServer({
  cwd,
  port = 0,
  main = currentMain,
  env = {},
  args = [],
}: ServerOptions): Promise<ServerProcess> {
  const child = spawn(process.execPath, [main, "serve", "--port", String(port), ...args], {
    cwd,
    env: { ...childEnvironment, TOKENPAIR_LOG_LEVEL: "error", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors: string[] = [];
  const output: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text) => output.push(text));
  child.stderr.setEncoding("utf8").on("data", (text) => errors.push(text));
  const url = await readUrl(child, output, errors);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  };
  return {
    url,
    port: Number(new URL(url).port),
    process: child,
    log: () => output.join(""),
    errors: () => errors.join(""),
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
  };
}

/** Waits for the line that a server prints when it is ready. @returns its URL. */
async function readUrl(child: ChildProcess, output: readonly string[], errors: readonly string[]): Promise<string> {
  const closed = once(child, "close").then(() => null);
  for (;;) {
    const url = /tokenpair is ready on (\S+)/.exec(output.join(""))?.[1];
    if (url !== undefined) return url;
    const more = child.stdout === null ? null : await Promise.race([once(child.stdout, "data"), closed]);
    if (more === null) throw new Error(`the server exited before it was ready: ${errors.join("")}`);
  }
}
