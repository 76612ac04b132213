import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Settings } from "../../core/settings/settings.ts";
import type { DeletedCounts, PoolUsage } from "../../core/store/index.ts";
import type { HashLoad } from "../../crypto/passwords/hash-queue.ts";
import { toCount } from "../../events/catalogue.ts";
import { type CounterName, eventCounters } from "../../events/counters.ts";
import type { AuthEvent } from "../../events/events.ts";
import { withStandardHeaders } from "../../http/response/json.ts";
import type { Part, RequestRecord } from "../parts/app.ts";
import { createReadOnlyPart } from "../parts/read-only-part.ts";
import { toRouteGroup } from "./route-groups.ts";

/** The figures of one server, for Prometheus. */
export interface Metrics {
  readonly request: (record: RequestRecord) => void;
  readonly event: (event: AuthEvent) => void;
  /** Seconds from a revocation's appending to its application here. */
  readonly lag: (seconds: number) => void;
  /** A run of the cleanup; `null` for one that failed. */
  readonly cleanup: (deleted: DeletedCounts | null) => void;
  /** Answers `GET /metrics`, and 404 to all else. */
  readonly fetch: Part["fetch"];
}

export interface MetricsOptions {
  readonly settings: Pick<Settings, "tokenPath" | "authPath">;
  /** What is looked at when somebody asks. */
  readonly sources: MetricsSources;
}

export interface MetricsSources {
  /** What the node knows of revocations at this moment. */
  readonly revocations: () => { readonly live: number; readonly staleSeconds: number };
  /** The hashes of passwords, under way and waiting. */
  readonly passwords: () => HashLoad;
  /** The pool of a store that has one. */
  readonly connections?: (() => PoolUsage) | undefined;
}

/** Counters in a registry of their own, with the process's basics and the delay of its event loop. */
export function createMetrics({ settings, sources }: MetricsOptions): Metrics {
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
  const counter = <L extends string>(name: string, help: string, label: L) =>
    new Counter({ name, help, labelNames: [label] as const, registers });
  const counters = createEventCounters(registers);
  const lags = new Histogram({
    name: "tokenpair_revocation_lag_seconds",
    help: "Time from a revocation's appending, by the store's clock, until this node has applied it from the feed.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30],
    registers,
  });
  const cleanups = counter("tokenpair_cleanup_runs_total", "Runs of the cleanup on this node, by outcome.", "outcome");
  const deleted = counter("tokenpair_cleanup_deleted_total", "Dead rows that this node has deleted, by kind.", "kind");
  for (const outcome of ["done", "failed"]) cleanups.inc({ outcome }, 0);
  for (const kind of ["sessions", "revocations", "failures", "auditEntries"]) deleted.inc({ kind }, 0);
  addSources(sources, registers);

  return Object.freeze({
    request({ path, status, milliseconds }: RequestRecord) {
      requests.observe({ route: toRouteGroup(path, settings), status: String(status) }, milliseconds / 1000);
    },
    event(event: AuthEvent) {
      const count = toCount(event);
      if (count !== null) counters[count[0]].inc(count[1]);
    },
    lag: (seconds: number) => lags.observe(seconds),
    cleanup(counts: DeletedCounts | null) {
      cleanups.inc({ outcome: counts === null ? "failed" : "done" });
      for (const [kind, count] of Object.entries(counts ?? {})) deleted.inc({ kind }, count);
    },
    fetch: createReadOnlyPart((pathname) => (pathname === "/metrics" ? () => toText(registry) : undefined)).fetch,
  });
}

/** One counter for each entry of `eventCounters`. */
function createEventCounters(registers: Registry[]): Readonly<Record<CounterName, { inc(label: string): void }>> {
  const entries = Object.entries(eventCounters).map(([key, { name, help, label, initial }]) => {
    const counter = new Counter({ name, help, labelNames: [label], registers });
    for (const value of initial) counter.inc({ [label]: value }, 0);
    return [key, { inc: (value: string) => counter.inc({ [label]: value }) }];
  });
  return Object.fromEntries(entries);
}

/** What is not counted but looked at, when somebody asks for the metrics. */
function addSources({ revocations, passwords, connections }: MetricsSources, registers: Registry[]): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  gauge("tokenpair_revocations_live", "Revocations that this node holds in memory.", () => revocations().live);
  gauge(
    "tokenpair_feed_stale_seconds",
    "Age of what this node knows of revocations; past maxStaleness it refuses or asks the store.",
    () => revocations().staleSeconds,
  );
  gauge("tokenpair_password_hashes_in_flight", "Passwords that are being hashed.", () => passwords().inFlight);
  gauge("tokenpair_password_hashes_waiting", "Passwords that wait to be hashed.", () => passwords().waiting);
  counter(
    "tokenpair_password_hashes_shed_total",
    "Passwords that were refused with 503, as too many waited.",
    () => passwords().shed,
  );
  if (connections === undefined) return;
  gauge("tokenpair_database_connections_open", "Connections in the pool.", () => connections().open);
  gauge("tokenpair_database_connections_idle", "Connections that nobody uses.", () => connections().idle);
  gauge("tokenpair_database_waiting", "Calls that wait for a connection.", () => connections().waiting);
  counter(
    "tokenpair_database_refused_total",
    "Calls that got no connection, as too many waited or none came in time.",
    () => connections().refused,
  );
}

async function toText(registry: Registry): Promise<Response> {
  const headers = { "Content-Type": registry.contentType };
  return withStandardHeaders(new Response(await registry.metrics(), { headers }));
}
