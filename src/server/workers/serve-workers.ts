import { systemClock } from "../../core/runtime/clock.ts";
import { unrefSchedule } from "../../core/runtime/schedule.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Closable } from "../lifecycle.ts";
import { listen } from "../listen/listen.ts";
import { createLog, type ServerLog } from "../observe/log.ts";
import { createLogOutput } from "../observe/log-output.ts";
import { createMetricsHandler } from "../observe/readings.ts";
import { createResources, type Resources } from "../resources.ts";
import type { ServeOptions } from "../serve.ts";
import { mergeMetrics } from "./merge-metrics.ts";
import { createSupervisor, type ReadyReport, type Supervisor, type WorkerProcess } from "./supervisor.ts";
import { createSupervisorMetrics } from "./supervisor-metrics.ts";

/** The options of `serveWithWorkers`. */
export interface WorkersOptions extends Pick<ServeOptions, "logTo" | "onLogLost" | "demo"> {
  /** Starts the process of the worker with this number, from 1. */
  readonly fork: (number: number) => WorkerProcess;
}

/** Running workers, and the process that supervises them. */
export interface RunningWorkers extends Closable, ReadyReport {
  /** The URL of the metrics of all workers, or `null`. */
  readonly metricsUrl: string | null;
}

/** How long closing waits for running requests for metrics, in milliseconds. */
const metricsCloseTimeout = 500;

/**
 * Starts the workers, and serves the metrics of all of them. A worker that ends is started again.
 *
 * @throws ConfigError if a setting is wrong, or doesn't go together with workers.
 * @throws WorkerFailedError if a worker can't start. It has said why on stderr.
 */
export async function serveWithWorkers(config: Config, options: WorkersOptions): Promise<RunningWorkers> {
  requireSharedDatabase(config, options);
  const resources = createResources();
  try {
    return await start(config, options, resources);
  } catch (error) {
    await resources.close().catch(() => {});
    throw error;
  }
}

async function start(
  { server, settings }: Config,
  { logTo, onLogLost, fork }: WorkersOptions,
  resources: Resources,
): Promise<RunningWorkers> {
  const output = createLogOutput(logTo, {
    onLost: (error) => onLogLost?.(error),
    onRecovered: (lost) => log.linesLost(lost),
  });
  const log = createLog({ settings, level: server.logLevel, destination: output });
  const options = { count: server.workers, fork, log, clock: systemClock, schedule: unrefSchedule };
  const supervisor = createSupervisor(options);
  const metricsUrl = await listenForMetrics(supervisor, server, log, resources);
  resources.add(() => supervisor.close());
  const report = await supervisor.start();
  return Object.freeze({ ...report, metricsUrl, log, shutdownDelay: server.shutdownDelay, close: resources.close });
}

function requireSharedDatabase({ server }: Config, { demo = false }: WorkersOptions): void {
  if (demo) throw new ConfigError("workers: must be 1 with --demo; remove one of them");
  if (server.databaseUrl !== "sqlite::memory:") return;
  throw new ConfigError("workers: must be 1 with sqlite::memory:, because workers can't share it; use a file");
}

async function listenForMetrics(
  supervisor: Supervisor,
  limits: Config["server"],
  { malformed: onMalformed }: ServerLog,
  resources: Resources,
): Promise<string | null> {
  const { metricsHost: host, metricsPort: port } = limits;
  if (port === undefined) return null;
  const own = createSupervisorMetrics(supervisor);
  const fetch = createMetricsHandler({
    contentType: own.contentType,
    metrics: async () => mergeMetrics([await own.metrics(), ...(await supervisor.metrics())]),
  });
  const listener = await listen({ fetch, host, port, onMalformed, limits });
  resources.add(() => listener.close(metricsCloseTimeout));
  return `${listener.url}/metrics`;
}
