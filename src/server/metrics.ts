import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { AuthEvent } from "../core/events.ts";
import type { Settings } from "../core/settings.ts";
import { withStandardHeaders } from "../http/standard-headers.ts";
import type { Part, RequestRecord } from "./app.ts";
import { createReadOnlyPart } from "./read-only-part.ts";

/** The figures of one server, for Prometheus. */
export interface Metrics {
  readonly request: (record: RequestRecord) => void;
  readonly event: (event: AuthEvent) => void;
  /** Answers `GET /metrics`, and 404 to all else. */
  readonly fetch: Part["fetch"];
}

export interface MetricsOptions {
  readonly settings: Pick<Settings, "tokenPath" | "authPath">;
  /** What the node knows of revocations at this moment. */
  readonly readRevocations: () => { readonly live: number; readonly staleSeconds: number };
}

/** Counters in a registry of their own, with the process's basics and the delay of its event loop. */
export function createMetrics({ settings, readRevocations }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "tokenpair_http_request_duration_seconds",
    help: "Time to answer, by group of routes and status; its count is the number of requests.",
    labelNames: ["route", "status"] as const,
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  const logins = new Counter({
    name: "tokenpair_logins_total",
    help: "Logins, by outcome: success, or the code of the refusal.",
    labelNames: ["outcome"] as const,
    registers,
  });
  const refreshes = new Counter({
    name: "tokenpair_refreshes_total",
    help: "Refreshes, by outcome; theft and state_lost are alarms.",
    labelNames: ["outcome"] as const,
    registers,
  });
  const endings = new Counter({
    name: "tokenpair_session_endings_total",
    help: "Times that sessions were ended on this node, by reason.",
    labelNames: ["reason"] as const,
    registers,
  });
  new Gauge({
    name: "tokenpair_revocations_live",
    help: "Revocations that this node holds in memory.",
    registers,
    collect() {
      this.set(readRevocations().live);
    },
  });
  new Gauge({
    name: "tokenpair_feed_stale_seconds",
    help: "Age of what this node knows of revocations; past maxStaleness it fails closed.",
    registers,
    collect() {
      this.set(readRevocations().staleSeconds);
    },
  });

  return Object.freeze({
    request({ path, status, milliseconds }: RequestRecord) {
      requests.observe({ route: toRouteGroup(path, settings), status: String(status) }, milliseconds / 1000);
    },
    event(event: AuthEvent) {
      if (event.type === "login") logins.inc({ outcome: "success" });
      else if (event.type === "login_failed") logins.inc({ outcome: event.code });
      else if (event.type === "refresh") refreshes.inc({ outcome: event.outcome });
      else if (event.type === "sessions_ended") endings.inc({ reason: event.reason });
    },
    fetch: createReadOnlyPart((pathname) => (pathname === "/metrics" ? () => toText(registry) : undefined)).fetch,
  });
}

async function toText(registry: Registry): Promise<Response> {
  const headers = { "Content-Type": registry.contentType };
  return withStandardHeaders(new Response(await registry.metrics(), { headers }));
}

const tokenRoutes = new Set(["", "refresh", "verify", "blacklist"]);
const authRoutes = new Set(["csrf", "login", "refresh", "logout", "me", "sessions", "password"]);

/** One of a few names, whatever the path: each makes a time series. */
function toRouteGroup(path: string, { tokenPath, authPath }: MetricsOptions["settings"]): string {
  const underToken = toFirstSegment(path, tokenPath);
  if (underToken !== null && tokenRoutes.has(underToken)) return underToken === "" ? "token" : `token/${underToken}`;
  const underAuth = toFirstSegment(path, authPath);
  if (underAuth !== null && authRoutes.has(underAuth)) return `auth/${underAuth}`;
  return /^\/(?:healthz|readyz)\/?$/.test(path) ? "health" : "other";
}

function toFirstSegment(path: string, prefix: string): string | null {
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return null;
  return path.slice(prefix.length + 1).split("/", 1)[0] ?? "";
}
