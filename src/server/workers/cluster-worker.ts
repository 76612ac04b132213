import cluster, { type Worker } from "node:cluster";
import { unrefSchedule } from "../../core/runtime/schedule.ts";
import { ConfigError } from "../config/config-error.ts";
import type { RunningServer, WorkerRole } from "../serve.ts";
import { createChannel } from "./channel.ts";
import type { ReadyReport, WorkerProcess } from "./supervisor.ts";

/** Tells a worker its number. It doesn't begin with `TOKENPAIR_`, because those variables are settings. */
const variable = "WORKER_OF_TOKENPAIR";

/** Returns the process of a worker, which runs `main` with the arguments of this process. */
export function forkWorker(number: number, main: string): WorkerProcess {
  cluster.setupPrimary({ exec: main, args: process.argv.slice(2) });
  return toWorkerProcess(cluster.fork({ [variable]: String(number) }));
}

function toWorkerProcess(worker: Worker): WorkerProcess {
  // Without a listener, a message to a process that has just ended would end this one.
  worker.on("error", () => {});
  return {
    send(message) {
      if (worker.isConnected()) worker.send(message, () => {});
    },
    stop: () => void worker.process.kill("SIGTERM"),
    onMessage: (listener) => void worker.on("message", listener),
    onExit: (listener) => void worker.once("exit", listener),
  };
}

/** A worker's side: what it must know before it serves, and what it tells when it does. */
export interface WorkerLink {
  readonly role: WorkerRole;
  /** Tells the supervisor that the worker is ready, and answers its questions from then on. */
  ready(server: Pick<RunningServer, "health" | "metrics">, report: ReadyReport): void;
  /** Lets the process end although it can still receive messages, because the server could not start. */
  release(): void;
}

/**
 * Returns the link to the supervisor if this process is one of its workers, otherwise `null`.
 *
 * @throws ConfigError if this process is a worker of another program, which can't have workers.
 */
export function findWorkerLink(): WorkerLink | null {
  if (!cluster.isWorker) return null;
  const number = Number(process.env[variable]);
  if (!(number > 0)) {
    throw new ConfigError(
      "workers: must be 1 in a process that another program, such as PM2, runs as a cluster worker",
    );
  }
  let server: Pick<RunningServer, "health" | "metrics"> | null = null;
  const channel = createChannel({
    send(message) {
      if (process.connected) process.send?.(message, undefined, undefined, () => {});
    },
    answers: {
      health: async () => server?.health(),
      metrics: async () => server?.metrics(),
    },
    schedule: unrefSchedule,
  });
  process.on("message", channel.receive);
  process.on("disconnect", channel.close);
  return {
    role: {
      number,
      health: () =>
        channel.ask("health").then(
          (health) => health as Awaited<ReturnType<WorkerRole["health"]>>,
          () => ({ ok: false, reason: "the supervisor of the workers does not answer" }),
        ),
    },
    ready(running, report) {
      server = running;
      process.send?.({ ready: report });
    },
    release: () => process.channel?.unref(),
  };
}
