import { Counter, collectDefaultMetrics, Histogram, Registry } from "@prometheus-io/client";
import type { Stats } from "../../auth-results.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { DeletedCounts } from "../../core/store/index.ts";
import { toCount } from "../../events/catalogue/catalogue.ts";
import { type CounterName, eventCounters } from "../../events/counters.ts";
import type { AuthEvent } from "../../events/events.ts";
import type { Handler, RequestRecord } from "../handlers/app.ts";
import { addReading, createMetricsHandler, createRequestHistogram, lostLogs } from "./readings.ts";

/** The Prometheus metrics of a server. */
export interface Metrics {
  /** Counts an answered request. */
  readonly request: (record: RequestRecord) => void;
  /** Counts an event, using the counter in the event catalogue. */
  readonly event: (event: AuthEvent) => void;
  /** Records how long a revocation took to reach this node, in seconds. */
  readonly lag: (seconds: number) => void;
  /** Counts a cleanup. `null` means that the cleanup failed. */
  readonly cleanup: (deleted: DeletedCounts | null) => void;
  /** Answers `GET /metrics`. Answers all other paths with a 404. */
  readonly fetch: Handler["fetch"];
  /** Returns what `GET /metrics` answers. */
  readonly text: () => Promise<string>;
}

/** The options of `createMetrics`. */
export interface MetricsOptions {
  readonly settings: Pick<Settings, "tokenPath" | "authPath">;
  /** Returns the state of the node. Called for every `GET /metrics`. */
  readonly stats: () => Stats;
  /** Returns how many lines of the log could not be written. */
  readonly lostLogLines: () => number;
  /** The number of the worker, which becomes the label `worker` of every series. */
  readonly worker?: number | undefined;
}

/** Creates the metrics in their own registry, with Node's default metrics. */
export function createMetrics({ settings, stats, lostLogLines, worker }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (worker !== undefined) {
    registry.setDefaultLabels({ worker: String(worker) });
    addReading(["tokenpair_worker_pid", "The worker's process id."], () => process.pid, registers);
  }
  collectDefaultMetrics({ register: registry });
  const countRequest = createRequestHistogram(settings, registers);
  const counter = <L extends string>(name: string, help: string, label: L) =>
    new Counter({ name, help, labelNames: [label] as const, registers });
  const counters = createEventCounters(registers);
  const lags = new Histogram({
    name: "tokenpair_revocation_lag_seconds",
    help: "Time from a revocation, by the database's clock, until this node has applied it from the revocation feed.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30],
    registers,
  });
  const confirmations = new Histogram({
    name: "tokenpair_revocation_confirm_seconds",
    help: "Time from the commit of a revocation until it was confirmed or answered without a confirmation.",
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    registers,
  });
  const cleanups = counter("tokenpair_cleanup_runs_total", "Cleanups on this node, by outcome.", "outcome");
  const deleted = counter("tokenpair_cleanup_deleted_total", "Expired rows deleted by this node, by kind.", "kind");
  for (const outcome of ["done", "failed"]) cleanups.inc({ outcome }, 0);
  const kinds = ["sessions", "revocations", "failures", "auditEntries", "legacyTokens", "loginTickets"];
  for (const kind of kinds) deleted.inc({ kind }, 0);
  addStats(stats, registers);
  addReading(lostLogs, lostLogLines, registers);

  return Object.freeze({
    request: countRequest,
    event(event: AuthEvent) {
      const count = toCount(event);
      if (count !== null) counters[count[0]].inc(count[1]);
      if (event.type === "revocation_confirmed") confirmations.observe(event.ms / 1000);
    },
    lag: (seconds: number) => lags.observe(seconds),
    cleanup(counts: DeletedCounts | null) {
      cleanups.inc({ outcome: counts === null ? "failed" : "done" });
      for (const [kind, count] of Object.entries(counts ?? {})) deleted.inc({ kind }, count);
    },
    fetch: createMetricsHandler(registry),
    text: () => registry.metrics(),
  });
}

/** Creates the counters that `eventCounters` lists. */
function createEventCounters(registers: Registry[]): Readonly<Record<CounterName, { inc(label: string): void }>> {
  const entries = Object.entries(eventCounters).map(([key, { name, help, label, initial }]) => {
    const counter = new Counter({ name, help, labelNames: [label], registers });
    for (const value of initial) counter.inc({ [label]: value }, 0);
    return [key, { inc: (value: string) => counter.inc({ [label]: value }) }];
  });
  return Object.fromEntries(entries);
}

/** Adds the metrics that are read from the node's state at every `GET /metrics`. */
function addStats(stats: () => Stats, registers: Registry[]): void {
  const readings = stats().connections === undefined ? ofNode : [...ofNode, ...ofPool];
  for (const [name, help, read] of readings) addReading([name, help], () => read(stats()), registers);
}

type Reading = readonly [name: string, help: string, read: (stats: Stats) => number];

const ofNode: readonly Reading[] = [
  ["tokenpair_revocations_live", "Revocations in this node's memory.", ({ revocations }) => revocations.live],
  [
    "tokenpair_feed_stale_seconds",
    "Staleness of this node's revocations. Above maxStaleness, onStale applies.",
    ({ revocations }) => revocations.staleSeconds,
  ],
  ["tokenpair_feed_streams", "Streams of the revocation feed to other services.", ({ readers }) => readers.streams],
  ["tokenpair_feed_polls", "Long polls of the revocation feed that wait.", ({ readers }) => readers.polls],
  [
    "tokenpair_feed_reader_lag_seconds",
    "Seconds since the last frame of the slowest stream was made. Over 2, a reader doesn't keep up.",
    ({ readers }) => readers.lagSeconds,
  ],
  [
    "tokenpair_feed_bytes_total",
    "Bytes of the revocation feed made for other services.",
    ({ readers }) => readers.bytes,
  ],
  ["tokenpair_feed_records", "Records in memory for other services.", ({ readers }) => readers.records],
  [
    "tokenpair_store_unwritable",
    "1 if the store can't be written to, else 0. After a failed write, this node writes probes until one succeeds.",
    ({ store }) => (store.isWritable ? 0 : 1),
  ],
  [
    "tokenpair_signing_key_age_seconds",
    "Seconds since the key that signs access tokens was added; 0 if the database doesn't know.",
    ({ keys }) => keys.age ?? 0,
  ],
  [
    "tokenpair_keys_unreadable",
    "1 if this node can't decrypt the newest keys in the database, and continues with the former ones, else 0.",
    ({ keys }) => (keys.isReadable ? 0 : 1),
  ],
  ["tokenpair_password_hashes_in_flight", "Password hashes being computed.", ({ passwords }) => passwords.inFlight],
  ["tokenpair_password_hashes_waiting", "Passwords waiting to be hashed.", ({ passwords }) => passwords.waiting],
  [
    "tokenpair_password_hashes_rejected_total",
    "Passwords refused with 503 because too many were waiting to be hashed.",
    ({ passwords }) => passwords.rejected,
  ],
];

/** The metrics that only a store with a connection pool has. */
const ofPool: readonly Reading[] = [
  ["tokenpair_database_connections_open", "Connections in the pool.", ({ connections }) => connections?.open ?? 0],
  ["tokenpair_database_connections_idle", "Idle connections in the pool.", ({ connections }) => connections?.idle ?? 0],
  ["tokenpair_database_waiting", "Calls waiting for a connection.", ({ connections }) => connections?.waiting ?? 0],
  [
    "tokenpair_database_refused_total",
    "Calls that got no connection: too many were waiting, or none became free in time.",
    ({ connections }) => connections?.refused ?? 0,
  ],
];
