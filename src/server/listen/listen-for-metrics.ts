import type { ServerSettings } from "../config/server-settings.ts";
import type { ServerLog } from "../observe/log.ts";
import type { Resources } from "../resources.ts";
import { type ListenOptions, listen } from "./listen.ts";

/** The options of `listenForMetrics`. */
export interface MetricsListenerOptions {
  /** Answers the requests. */
  readonly fetch: ListenOptions["fetch"];
  readonly server: ServerSettings;
  readonly log: Pick<ServerLog, "malformed">;
  /** The listener is added to them. */
  readonly resources: Resources;
}

/** How long closing waits for running requests for metrics, in milliseconds. */
const closeTimeout = 500;

/** Serves metrics on `metricsPort`. Returns the URL of the metrics, or `null` without `metricsPort`. */
export async function listenForMetrics({
  fetch,
  server,
  log,
  resources,
}: MetricsListenerOptions): Promise<string | null> {
  const { metricsHost: host, metricsPort: port } = server;
  if (port === undefined) return null;
  const listener = await listen({ fetch, host, port, onMalformed: log.malformed, limits: server });
  resources.add(() => listener.close(closeTimeout));
  return `${listener.url}/metrics`;
}
