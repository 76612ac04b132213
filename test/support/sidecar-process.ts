import { spawn } from "node:child_process";
import { once } from "node:events";
import { childEnvironment } from "./child-environment.ts";
import { currentMain } from "./server-process.ts";

/** A running `tokenpair verifier`. */
export interface SidecarProcess {
  readonly url: string;
  /** The URL of the metrics, if the arguments ask for them. */
  readonly metricsUrl: string | undefined;
  /** Returns everything that it has logged so far. */
  log(): string;
  /** Stops it as an operator would. @returns exit code and signal. */
  stop(): Promise<readonly unknown[]>;
}

/** The options of `startSidecarProcess`. */
export interface SidecarProcessOptions {
  readonly cwd: string;
  /** More arguments than the port. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** More arguments of Node. */
  readonly nodeArgs?: readonly string[];
}

/** Starts `tokenpair verifier`, and waits until it listens. */
export async function startSidecarProcess(options: SidecarProcessOptions): Promise<SidecarProcess> {
  const { cwd, args, env, nodeArgs = [] } = options;
  const child = spawn(process.execPath, [...nodeArgs, currentMain, "verifier", "--listen", "127.0.0.1:0", ...args], {
    cwd,
    env: { ...childEnvironment, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  const errors: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text) => output.push(text));
  child.stderr.setEncoding("utf8").on("data", (text) => errors.push(text));
  const closed = once(child, "close");
  const toUrl = () => /listens on (\S+)/.exec(output.join(""))?.[1];
  while (toUrl() === undefined) {
    const isClosed = await Promise.race([once(child.stdout, "data").then(() => false), closed.then(() => true)]);
    if (isClosed) throw new Error(`the sidecar exited: ${errors.join("")}`);
  }
  return {
    url: toUrl() ?? "",
    metricsUrl: /^Metrics: (\S+)$/m.exec(errors.join(""))?.[1],
    log: () => output.join(""),
    stop() {
      child.kill("SIGTERM");
      return closed;
    },
  };
}
