import { Counter, collectDefaultMetrics, Registry } from "@prometheus-io/client";
import type { Settings } from "../../core/settings/settings.ts";
import type { VerifierEvent } from "../../verifier/options.ts";
import type { VerifierStatus } from "../../verifier/verifier.ts";
import type { Handler, RequestRecord } from "../handlers/app.ts";
import { addReading, createMetricsHandler, createRequestHistogram, lostLogs } from "../observe/readings.ts";
import type { FrameFile } from "./frame-file.ts";

/** The Prometheus metrics of a sidecar. */
export interface SidecarMetrics {
  /** Counts an answered request. */
  readonly request: (record: RequestRecord) => void;
  /** Counts an event of the verifier. */
  readonly event: (event: VerifierEvent) => void;
  /** Answers `GET /metrics`. Answers all other paths with a 404. */
  readonly fetch: Handler["fetch"];
}

/** The options of `createSidecarMetrics`. */
export interface SidecarMetricsOptions {
  readonly settings: Pick<Settings, "tokenPath" | "authPath">;
  /** Returns the state of the verifier. */
  readonly status: () => VerifierStatus;
  /** The file with the revocations; `null` if there is none. */
  readonly file: FrameFile | null;
  /** Returns the wall clock, in milliseconds. */
  readonly wall: () => number;
  /** Returns how many lines of the log could not be written. */
  readonly lostLogLines: () => number;
}

const eventTypes: readonly VerifierEvent["type"][] = [
  ...(["connected", "disconnected", "keys_changed", "keys_failed", "stale", "fresh"] as const),
];

/** Creates the metrics in their own registry, with Node's default metrics. */
export function createSidecarMetrics(options: SidecarMetricsOptions): SidecarMetrics {
  const { settings, status, file, wall, lostLogLines } = options;
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const request = createRequestHistogram(settings, registers);
  const events = new Counter({
    name: "tokenpair_verifier_events_total",
    help: "What has happened to the connections to the issuer, by type.",
    labelNames: ["type"] as const,
    registers,
  });
  for (const type of eventTypes) events.inc({ type }, 0);
  for (const [name, help, read] of ofVerifier) addReading([name, help], () => read(status()), registers);
  if (status().readers !== null) {
    for (const [name, help, read] of ofReaders) {
      addReading([name, help], () => read(status().readers ?? noReaders), registers);
    }
  }
  if (file !== null) {
    for (const [name, help, read] of ofFile) addReading([name, help], () => read(file, wall()), registers);
  }
  addReading(lostLogs, lostLogLines, registers);
  return Object.freeze({
    request,
    event: ({ type }: VerifierEvent) => events.inc({ type }),
    fetch: createMetricsHandler(registry),
  });
}

type Readers = NonNullable<VerifierStatus["readers"]>;
type Reading<A extends unknown[]> = readonly [name: string, help: string, read: (...state: A) => number];

const noReaders: Readers = { streams: 0, polls: 0, bytes: 0, records: 0, lag: 0 };

const ofVerifier: readonly Reading<[VerifierStatus]>[] = [
  ["tokenpair_verifier_ready", "1 if tokens can be accepted, else 0.", ({ ready }) => (ready ? 1 : 0)],
  [
    "tokenpair_verifier_stale_seconds",
    "By how much the revocations may be behind the issuer's database. Above maxStaleness, the answer is 503.",
    ({ staleness }) => staleness,
  ],
  ["tokenpair_verifier_connected", "1 if the revocation feed is connected, else 0.", ({ connected }) => +connected],
  ["tokenpair_verifier_records", "Revocations in memory.", ({ entries }) => entries],
  ["tokenpair_verifier_keys", "Keys that verify tokens.", ({ keys }) => keys.length],
  ["tokenpair_verifier_read_bytes_total", "Bytes of the revocation feed that were read.", ({ bytes }) => bytes],
];

/** The names are those of the issuer's metrics, which mean the same there. */
const ofReaders: readonly Reading<[Readers]>[] = [
  ["tokenpair_feed_streams", "Streams of the revocation feed to other services.", ({ streams }) => streams],
  ["tokenpair_feed_polls", "Long polls of the revocation feed that wait.", ({ polls }) => polls],
  [
    "tokenpair_feed_reader_lag_seconds",
    "Seconds since the last frame of the slowest stream was made. Over 2, a reader doesn't keep up.",
    ({ lag }) => lag / 1000,
  ],
  ["tokenpair_feed_bytes_total", "Bytes of the revocation feed made for other services.", ({ bytes }) => bytes],
  ["tokenpair_feed_records", "Records in memory for other services.", ({ records }) => records],
];

const ofFile: readonly Reading<[FrameFile, number]>[] = [
  [
    "tokenpair_verifier_file_writes_total",
    "How often the file with the revocations was replaced.",
    ({ writes }) => writes,
  ],
  [
    "tokenpair_verifier_file_stale_seconds",
    "By how much the file with the revocations may be behind the issuer's database.",
    ({ completeAt }, wall) => (completeAt === null ? Number.POSITIVE_INFINITY : Math.max(0, wall - completeAt) / 1000),
  ],
];
