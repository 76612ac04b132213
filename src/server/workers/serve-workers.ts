import { systemClock } from "../../core/runtime/clock.ts";
import { unrefSchedule } from "../../core/runtime/schedule.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Closable } from "../lifecycle.ts";
import type { ListenOptions } from "../listen/listen.ts";
import { listenForMetrics } from "../listen/listen-for-metrics.ts";
import { openLog } from "../observe/open-log.ts";
import { createMetricsHandler } from "../observe/readings.ts";
import { openWithResources, type Resources } from "../resources.ts";
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

/**
 * Starts the workers, and serves the metrics of all of them. A worker that ends is started again.
 *
 * @throws ConfigError if a setting is wrong, or doesn't go together with workers.
 * @throws WorkerFailedError if a worker can't start. It has said why on stderr.
 */
export async function serveWithWorkers(config: Config, options: WorkersOptions): Promise<RunningWorkers> {
  requireSharedDatabase(config, options);
  return openWithResources((resources) => start(config, options, resources));
}

async function start(config: Config, options: WorkersOptions, resources: Resources): Promise<RunningWorkers> {
  const { server } = config;
  const { log } = openLog(config, options);
  const supervisor = createSupervisor({
    count: server.workers,
    fork: options.fork,
    log,
    clock: systemClock,
    schedule: unrefSchedule,
  });
  const fetch = createMetricsOfAll(supervisor);
  const metricsUrl = await listenForMetrics({ fetch, server, log, resources });
  resources.add(() => supervisor.close());
  const report = await supervisor.start();
  return Object.freeze({ ...report, metricsUrl, log, shutdownDelay: server.shutdownDelay, close: resources.close });
}

function requireSharedDatabase({ server }: Config, { demo = false }: WorkersOptions): void {
  if (demo) throw new ConfigError("workers: must be 1 with --demo; remove one of them");
  if (server.databaseUrl !== "sqlite::memory:") return;
  throw new ConfigError("workers: must be 1 with sqlite::memory:, because workers can't share it; use a file");
}

/** Creates the handler of the metrics of the supervisor and of all workers. */
function createMetricsOfAll(supervisor: Supervisor): ListenOptions["fetch"] {
  const own = createSupervisorMetrics(supervisor);
  return createMetricsHandler({
    contentType: own.contentType,
    metrics: async () => mergeMetrics([await own.metrics(), ...(await supervisor.metrics())]),
  });
}
