import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createMetrics } from "../../../src/server/observe/metrics.ts";
import { createSidecarMetrics } from "../../../src/server/sidecar/sidecar-metrics.ts";
import { createSupervisorMetrics } from "../../../src/server/workers/supervisor-metrics.ts";

const docs = join(import.meta.dirname, "../../../docs");
const read = (name: string) => readFileSync(join(docs, name), "utf8");
const settings = { tokenPath: "/api/token", authPath: "/api/auth" };

/** Returns the metrics of a server over PostgreSQL. */
async function readServer(): Promise<string> {
  const { fetch } = createMetrics({
    settings,
    lostLogLines: () => 6,
    stats: () => ({
      revocations: { live: 0, staleSeconds: 0 },
      readers: { streams: 11, polls: 12, bytes: 13, records: 14, lagSeconds: 0.5 },
      passwords: { inFlight: 0, waiting: 0, rejected: 0 },
      store: { isWritable: true },
      keys: { kid: "k1", algorithm: "ES256", age: 90, isReadable: true },
      connections: { open: 0, idle: 0, waiting: 0, refused: 0 },
    }),
  });
  return (await fetch(new Request("http://localhost/metrics"))).text();
}

/** Returns the metrics of a sidecar with readers and a file. */
async function readSidecar(): Promise<string> {
  const readers = { streams: 0, polls: 0, bytes: 0, records: 0, lag: 0 };
  const { fetch } = createSidecarMetrics({
    settings,
    status: () => ({
      ready: true,
      reason: null,
      staleness: 0,
      lastError: null,
      acceptedStale: 0,
      connected: true,
      entries: 0,
      keys: [],
      bytes: 0,
      readers,
    }),
    file: { failure: null, writes: 0, completeAt: null, stop: async () => {} },
    wall: () => 0,
    lostLogLines: () => 0,
  });
  return (await fetch(new Request("http://localhost/metrics"))).text();
}

/** Returns the metrics of the process that supervises workers. */
const readSupervisor = () =>
  createSupervisorMetrics({ counts: () => ({ wanted: 2, ready: 2, restarts: 0 }) }).metrics();

const texts = Promise.all([readServer(), readSidecar(), readSupervisor()]);

/** Returns the names of all series of a server, its workers and a sidecar, with the three series of every histogram. */
async function listSeries(): Promise<ReadonlySet<string>> {
  const types = [...(await texts).join("\n").matchAll(/^# TYPE (\w+) (\w+)$/gm)];
  return new Set(
    types.flatMap(([, name = "", type]) =>
      type === "histogram" ? ["_bucket", "_sum", "_count"].map((part) => name + part) : [name],
    ),
  );
}

describe.each(["grafana-dashboard.json", "alerts.yml"])("docs/%s", (name) => {
  it("uses only metrics that /metrics has", async () => {
    const named = new Set(read(name).match(/\b(?:tokenpair|nodejs|process)_\w+/g));
    const series = await listSeries();
    expect(named.size).toBeGreaterThan(8);
    expect([...named].filter((metric) => !series.has(metric))).toEqual([]);
  });

  it("selects only values of labels that these metrics have", async () => {
    const lines = (await texts).join("\n").split("\n");
    const selectors = [
      ...read(name)
        .replaceAll('\\"', '"')
        .matchAll(/\b(tokenpair_\w+)\{([^}]*)\}/g),
    ].flatMap(([, metric = "", labels = ""]) =>
      [...labels.matchAll(/(\w+)="([^"$]+)"/g)].map(([label]) => [metric, label] as const),
    );
    expect(selectors.length).toBeGreaterThan(1);
    const unknown = selectors.filter(
      ([metric, label]) => !lines.some((line) => line.startsWith(`${metric}{`) && line.includes(label)),
    );
    expect(unknown).toEqual([]);
  });
});

describe("docs/operating.md", () => {
  it("says what each alert means", () => {
    const alerts = [...read("alerts.yml").matchAll(/alert: Tokenpair(\w+)/g)].map(([, alert = ""]) => alert);
    const named = new Set(
      [...read("operating.md").matchAll(/^\| ([A-Z][A-Za-z, ]+) \|/gm)].flatMap(([, row = ""]) => row.split(", ")),
    );
    expect(alerts.length).toBeGreaterThan(20);
    expect(alerts.filter((alert) => !named.has(alert))).toEqual([]);
  });
});

describe("docs/grafana-dashboard.json", () => {
  it("shows every metric of tokenpair", async () => {
    const dashboard = read("grafana-dashboard.json");
    const names = new Set([...(await listSeries())].map((name) => name.replace(/_(?:bucket|sum|count)$/, "")));
    const missing = [...names].filter((name) => name.startsWith("tokenpair_") && !dashboard.includes(name));
    expect(missing).toEqual([]);
    expect(JSON.parse(dashboard).panels.length).toBeGreaterThan(8);
  });
});
