import { collectDefaultMetrics, Registry } from "@prometheus-io/client";
import { addReading } from "../observe/readings.ts";
import type { Supervisor } from "./supervisor.ts";

type Counts = ReturnType<Supervisor["counts"]>;

const readings: readonly (readonly [name: string, help: string, read: (counts: Counts) => number])[] = [
  ["tokenpair_workers", "Workers that should answer requests: the setting workers.", ({ wanted }) => wanted],
  ["tokenpair_workers_ready", "Workers that answer requests.", ({ ready }) => ready],
  ["tokenpair_worker_restarts_total", "How often a worker was started again.", ({ restarts }) => restarts],
];

/**
 * Creates the metrics of the process that supervises the workers. It is worker 0, which distinguishes its series from those of the
 * workers.
 */
export function createSupervisorMetrics({ counts }: Pick<Supervisor, "counts">): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ worker: "0" });
  collectDefaultMetrics({ register: registry });
  for (const [name, help, read] of readings) addReading([name, help], () => read(counts()), [registry]);
  return registry;
}
