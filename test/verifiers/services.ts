import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { runtimes, type Service, type ServiceSettings } from "../runtimes/runtimes.ts";
import { findPython } from "./python.ts";

/** A service that verifies access tokens without a database, in a process of its own. */
export interface VerifyingService {
  /** Such as "deno stream". */
  readonly name: string;
  /** Whether revocations reach it at once, or when a request needs them. */
  readonly reads: ServiceSettings["REVOCATIONS"];
  readonly url: string;
  readonly process: ChildProcess;
  /** Returns the status that it answers to a token; 0 if it doesn't answer within `patience` milliseconds. */
  ask(access: string, patience?: number): Promise<number>;
  /** Returns what its verifier says about itself. @throws if it doesn't answer, as the one in Python never does. */
  status(): Promise<ServiceStatus>;
  /** Kills the process. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on another port. */
  start(): Promise<void>;
  /** Ends it. */
  stop(): Promise<void>;
}

/** What a verifier says about itself. */
export interface ServiceStatus {
  readonly ready: boolean;
  readonly connected: boolean;
  readonly entries: number;
  readonly bytes: number;
}

/** What a service must know of its issuer. */
export interface ServiceOptions {
  /** Default: "stream". */
  readonly reads?: ServiceSettings["REVOCATIONS"];
  /** Where it reads keys and revocations. */
  readonly url: string;
  readonly credential: string;
  /** Seconds. Default: 10. */
  readonly maxStaleness?: number;
  /** The credential of its own readers. Default: it has none. */
  readonly relay?: string;
}

/** The issuer and the audience of every token. */
export const issuer = "https://id.example";
export const audience = "api";

type Runtime = "node" | "deno" | "bun" | "workerd" | "python";

/** Returns what of a runtime is missing on this machine; `null` if it can run. */
export function findMissing(runtime: Runtime): string | null {
  if (runtime === "node") return null;
  if (runtime === "python") return findPython() === null ? "python3-jwt" : null;
  return existsSync(resolve(import.meta.dirname, "../runtimes/node_modules")) ? null : "npm ci in test/runtimes";
}

/** Starts a service. Needs the build. */
export async function startService(runtime: Runtime, options: ServiceOptions): Promise<VerifyingService> {
  const { reads = "stream", url, credential, maxStaleness = 10, relay } = options;
  const start = () =>
    runtime === "python"
      ? startPython(options)
      : startRuntime(runtime, {
          ...{ ISSUER: issuer, AUDIENCE: audience, ISSUER_URL: url, CREDENTIAL: credential, REVOCATIONS: reads },
          MAX_STALENESS: String(maxStaleness),
          ...(relay === undefined ? {} : { RELAY_CREDENTIAL: relay }),
        });
  let running = await start();
  let agent = new Agent({ keepAlive: true });
  const kill = async () => {
    const { process: child } = running;
    agent.destroy();
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return {
    name: `${runtime} ${reads}`,
    reads,
    get url() {
      return running.url;
    },
    get process() {
      return running.process;
    },
    async ask(access, patience = 10_000) {
      const answer = await get(`${running.url}/`, { Authorization: `Bearer ${access}` }, agent, patience);
      return answer?.statusCode ?? 0;
    },
    async status() {
      const answer = await get(`${running.url}/status`, {}, agent, 10_000);
      if (answer === null) throw new Error("the service doesn't answer");
      return JSON.parse(answer.body);
    },
    kill,
    async start() {
      running = await start();
      agent = new Agent({ keepAlive: true });
    },
    async stop() {
      agent.destroy();
      running.process.kill("SIGCONT");
      await kill();
    },
  };
}

function startRuntime(name: Runtime, settings: ServiceSettings): Promise<Service> {
  const runtime = runtimes.find((one) => one.name === name);
  if (runtime === undefined) throw new Error(`no runtime ${name}`);
  return runtime.start(settings);
}

/** The example in examples/verifier/python. */
async function startPython({ url, credential, maxStaleness = 10 }: ServiceOptions): Promise<Service> {
  const child = spawn(findPython() ?? "python3", ["app.py"], {
    cwd: resolve(import.meta.dirname, "../../examples/verifier/python"),
    env: {
      PATH: process.env["PATH"],
      PYTHONDONTWRITEBYTECODE: "1",
      ...{ TOKENPAIR_ISSUER: issuer, TOKENPAIR_AUDIENCE: audience, TOKENPAIR_URL: url, PORT: "0" },
      TOKENPAIR_FEED_CREDENTIAL: credential,
      TOKENPAIR_MAX_STALENESS: String(maxStaleness),
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  // It also prints why it can't read the feed, if it can't.
  for await (const line of createInterface(child.stdout)) {
    const url = /^listening on (http:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return { url, process: child, stop: async () => child.kill() };
  }
  throw new Error("python/app.py ended before it listened");
}

/** Sends one request. Returns `null` if there is no answer in time. */
function get(url: string, headers: Record<string, string>, agent: Agent, patience: number) {
  return new Promise<{ readonly statusCode: number; readonly body: string } | null>((resolve) => {
    const none = () => resolve(null);
    const sent = request(url, { agent, headers, signal: AbortSignal.timeout(patience) }, (answer: IncomingMessage) => {
      text(answer).then((body) => resolve({ statusCode: answer.statusCode ?? 0, body }), none);
    });
    sent.on("error", none).end();
  });
}
