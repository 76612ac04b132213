import { describe, expect, it } from "vitest";
import { mergeHealth } from "../../../src/server/workers/merge-health.ts";
import { mergeMetrics } from "../../../src/server/workers/merge-metrics.ts";

describe("the metrics of several workers", () => {
  it("name each metric once, with the series of all workers below it, and the buckets in order", () => {
    const ofWorker = (worker: number) =>
      [
        "# HELP a_total Counts a.",
        "# TYPE a_total counter",
        `a_total{worker="${worker}"} ${worker}`,
        "",
        "# HELP b_seconds Times b.",
        "# TYPE b_seconds histogram",
        `b_seconds_bucket{le="1",worker="${worker}"} 1`,
        `b_seconds_sum{worker="${worker}"} 0.5`,
        "",
      ].join("\n");
    const only2 = '# HELP c Holds c.\n# TYPE c gauge\nc{worker="2"} 0\n';
    expect(mergeMetrics([ofWorker(1), ofWorker(2) + only2])).toBe(
      [
        "# HELP a_total Counts a.",
        "# TYPE a_total counter",
        'a_total{worker="1"} 1',
        'a_total{worker="2"} 2',
        "# HELP b_seconds Times b.",
        "# TYPE b_seconds histogram",
        'b_seconds_bucket{le="1",worker="1"} 1',
        'b_seconds_sum{worker="1"} 0.5',
        'b_seconds_bucket{le="1",worker="2"} 1',
        'b_seconds_sum{worker="2"} 0.5',
        "# HELP c Holds c.",
        "# TYPE c gauge",
        'c{worker="2"} 0',
        "",
      ].join("\n"),
    );
  });
});

describe("the health of several workers", () => {
  const ok = { ok: true } as const;
  it.each([
    ["all are well", [ok, ok], ok],
    ["one isn't ready", [ok, { ok: false, reason: "stale" }], { ok: false, reason: "worker 2: stale" }],
    ["one doesn't answer", [null, ok], { ok: false, reason: "worker 1 does not answer" }],
    ["one is degraded", [ok, { ok: true, degraded: "read-only" }], { ok: true, degraded: "read-only" }],
    ["none runs", [], { ok: false, reason: "no worker is running" }],
  ] as const)("if %s", (_, healths, expected) => {
    expect(mergeHealth(healths.map((health, at) => ({ number: at + 1, health })))).toEqual(expected);
  });
});
