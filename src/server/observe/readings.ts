import { Counter, Gauge, Histogram, type Registry } from "@prometheus-io/client";
import type { Settings } from "../../core/settings/settings.ts";
import { withStandardHeaders } from "../../http/response/json.ts";
import type { Handler, RequestRecord } from "../handlers/app.ts";
import { createReadOnlyHandler } from "../handlers/read-only.ts";
import { toRouteGroup } from "./route-groups.ts";

/** Creates the histogram of requests. Returns the function that counts one. */
export function createRequestHistogram(
  settings: Pick<Settings, "tokenPath" | "authPath">,
  registers: Registry[],
): (record: RequestRecord) => void {
  const requests = new Histogram({
    name: "tokenpair_http_request_duration_seconds",
    help: "Response time by route group and status. Its count is the number of requests.",
    labelNames: ["route", "status"] as const,
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  return ({ path, status, milliseconds }) =>
    requests.observe({ route: toRouteGroup(path, settings), status: String(status) }, milliseconds / 1000);
}

/** Adds a metric whose value is read at every `GET /metrics`. */
export function addReading([name, help]: readonly [string, string], read: () => number, registers: Registry[]): void {
  const Metric = name.endsWith("_total") ? Counter : Gauge;
  const metric: Counter | Gauge = new Metric({
    name,
    help,
    registers,
    collect() {
      metric.reset();
      metric.inc(read());
    },
  });
}

/** The name and the help of the metric of lost lines. */
export const lostLogs = [
  "tokenpair_log_lines_lost_total",
  "Lines of the log that could not be written, because stdout is a closed pipe or a file on a full disk.",
] as const;

/** Creates the function that answers `GET /metrics`, and all other paths with a 404. */
export function createMetricsHandler(registry: Pick<Registry, "contentType" | "metrics">): Handler["fetch"] {
  return createReadOnlyHandler((pathname) => (pathname === "/metrics" ? () => toText(registry) : undefined)).fetch;
}

async function toText(registry: Pick<Registry, "contentType" | "metrics">): Promise<Response> {
  const headers = { "Content-Type": registry.contentType };
  return withStandardHeaders(new Response(await registry.metrics(), { headers }));
}
