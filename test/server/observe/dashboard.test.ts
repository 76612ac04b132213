import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createMetrics } from "../../../src/server/observe/metrics.ts";

const docs = join(import.meta.dirname, "../../../docs");
const read = (name: string) => readFileSync(join(docs, name), "utf8");

/** Returns the names of all series of a server over PostgreSQL, with the three series of every histogram. */
async function listSeries(): Promise<ReadonlySet<string>> {
  const { fetch } = createMetrics({
    settings: { tokenPath: "/api/token", authPath: "/api/auth" },
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
  const text = await (await fetch(new Request("http://localhost/metrics"))).text();
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)];
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
