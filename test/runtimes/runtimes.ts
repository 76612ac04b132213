import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { findFreePort } from "../support/free-port.ts";

/** What a service must know of its issuer. */
export interface ServiceSettings {
  readonly ISSUER: string;
  readonly AUDIENCE: string;
  readonly ISSUER_URL: string;
  readonly CREDENTIAL: string;
  readonly REVOCATIONS: "stream" | "poll" | "pull";
  /** Seconds. Default: 10. */
  readonly MAX_STALENESS?: string;
  /** The credential of readers to which it serves the feed onward. Default: it doesn't. Only in Node. */
  readonly RELAY_CREDENTIAL?: string;
}

/** A running service. */
export interface Service {
  readonly url: string;
  readonly process: ChildProcess;
  /** Ends it. @returns whether it ended by itself when its verifier and its server were closed. */
  stop(): Promise<boolean>;
}

/** A runtime, and the ways in which it can read revocations. */
export interface RuntimeUnderTest {
  readonly name: string;
  readonly modes: readonly ServiceSettings["REVOCATIONS"][];
  readonly version: () => Promise<string>;
  readonly start: (settings: ServiceSettings) => Promise<Service>;
}

const folder = import.meta.dirname;
const service = join(folder, "service.js");
const allModes = ["stream", "poll", "pull"] as const;

/** Returns the program of a package for this platform. Its install script, which would link it, doesn't run. */
function findProgram(pattern: string): string {
  const [found] = globSync(join(folder, "node_modules", pattern));
  if (found === undefined) throw new Error(`no ${pattern}: run npm ci in test/runtimes`);
  return found;
}

const deno = () => findProgram("@deno/*/deno");
const bun = () => findProgram("@oven/bun-*/bin/bun");
const workerd = () => findProgram("@cloudflare/workerd-*/bin/workerd");

/** Every runtime. Node is the one that runs this file. */
export const runtimes: readonly RuntimeUnderTest[] = [
  {
    name: "node",
    modes: allModes,
    version: async () => process.version,
    start: (settings) => startService([process.execPath, service], settings),
  },
  {
    name: "deno",
    modes: allModes,
    version: () => readLine(deno(), "--version"),
    start: (settings) =>
      startService(
        [deno(), "run", "--allow-net", "--allow-env", "--allow-read", "--node-modules-dir=manual", service],
        settings,
      ),
  },
  {
    name: "bun",
    modes: allModes,
    version: () => readLine(bun(), "--version"),
    start: (settings) => startService([bun(), service], settings),
  },
  {
    name: "workerd",
    modes: ["pull"],
    version: () => readLine(workerd(), "--version"),
    start: startWorker,
  },
];

async function readLine(program: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line");
  return String(line).replace(/^[a-z]+ (\S+).*/, "$1");
}

function launch([program = "", ...args]: readonly string[], settings: ServiceSettings): ChildProcess {
  // Deno and Bun also read DENO_* and BUN_* variables, and proxies.
  const env = { PATH: process.env["PATH"], HOME: mkdtempSync(join(tmpdir(), "tokenpair-runtime-")), ...settings };
  const child = spawn(program, args, { cwd: resolve(folder, "../.."), env, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return child;
}

const children: ChildProcess[] = [];

/** Kills every service that is still running. */
export function stopAll(): void {
  for (const child of children) child.kill("SIGKILL");
}

async function startService(command: readonly string[], settings: ServiceSettings): Promise<Service> {
  const child = launch(command, settings);
  const exited = once(child, "exit");
  const [line] = await Promise.race([
    once(createInterface(child.stdout as NonNullable<typeof child.stdout>), "line"),
    exited.then(() => Promise.reject(new Error(`${command[0]} ended before it listened`))),
  ]);
  const url = `http://127.0.0.1:${/\d+$/.exec(String(line))?.[0]}`;
  return {
    url,
    process: child,
    async stop() {
      await fetch(`${url}/close`).catch(() => {});
      const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
      const [code] = await exited;
      clearTimeout(timer);
      return code === 0;
    },
  };
}

/** Starts the worker as one module: workerd reads no folders. Its own modules stay imports. */
async function startWorker(settings: ServiceSettings): Promise<Service> {
  const cwd = mkdtempSync(join(tmpdir(), "tokenpair-workerd-"));
  await build({
    entryPoints: [join(folder, "worker.js")],
    outfile: join(cwd, "worker.js"),
    bundle: true,
    format: "esm",
    external: ["node:*", "cloudflare:*"],
    logLevel: "error",
  });
  const port = await findFreePort();
  writeFileSync(join(cwd, "config.capnp"), toConfig(settings, port));
  const child = launch([workerd(), "serve", join(cwd, "config.capnp")], settings);
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await isListening(url)); tries += 1) {
    if (child.exitCode !== null || tries > 1_200) throw new Error("workerd doesn't listen");
    await new Promise((done) => setTimeout(done, 50));
  }
  return {
    url,
    process: child,
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
      return true;
    },
  };
}

const isListening = (url: string) =>
  fetch(`${url}/status`).then(
    (response) => response.ok,
    () => false,
  );

/** The configuration of workerd: one worker, which may connect to this machine. The date is the first with all of `Buffer`. */
function toConfig(settings: ServiceSettings, port: number): string {
  const bindings = Object.entries(settings).map(([name, value]) => `(name = "${name}", text = "${value}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["private", "public"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2024-09-23",
  compatibilityFlags = ["nodejs_compat"],
  bindings = [${bindings.join(", ")}],
);
`;
}
