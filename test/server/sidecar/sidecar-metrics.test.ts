import { afterEach, describe, expect, it } from "vitest";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { createSidecarMetrics } from "../../../src/server/sidecar/sidecar-metrics.ts";
import type { VerifierOptions } from "../../../src/verifier/options.ts";
import { closeVerifiers, setUp } from "../../verifier/set-up.ts";

afterEach(closeVerifiers);

/** The metrics of a verifier, as Prometheus reads them. */
function measure(options: Partial<VerifierOptions> = {}, hasFile = false) {
  const set = setUp(options);
  const file = { failure: null, writes: 3, completeAt: set.time.clock.wall() - 1_500, stop: async () => {} };
  const metrics = createSidecarMetrics({
    ...{ settings: defaultSettings, status: set.verifier.status, wall: set.time.clock.wall, lostLogLines: () => 2 },
    file: hasFile ? file : null,
  });
  const read = async () => (await metrics.fetch(new Request("http://localhost/metrics"))).text();
  return { ...set, metrics, read };
}

describe("the metrics of a sidecar", () => {
  it("say what its verifier knows", async () => {
    const { read, time, peer, metrics } = measure();
    expect(await read()).toMatch(/^tokenpair_verifier_ready 0$/m);
    expect(await read()).toMatch(/^tokenpair_verifier_stale_seconds \+?Inf$/m);
    await time.advance(0.1);
    await peer.revoke([["s", "a"]]);
    metrics.event({ type: "stale", staleness: 11 });
    metrics.request({
      ...{ id: "", method: "GET", path: "/api/auth/check/", status: 200, milliseconds: 1 },
      ...{ ip: undefined, userAgent: undefined },
    });
    const text = await read();
    for (const line of [
      "tokenpair_verifier_ready 1",
      "tokenpair_verifier_connected 1",
      "tokenpair_verifier_records 1",
      "tokenpair_verifier_keys 1",
      "tokenpair_log_lines_lost_total 2",
      'tokenpair_verifier_events_total{type="stale"} 1',
      'tokenpair_http_request_duration_seconds_count{route="auth/check",status="200"} 1',
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    expect(text).not.toContain("tokenpair_feed_streams");
    expect(text).not.toContain("tokenpair_verifier_file");
  });

  it("have those of readers and of the file if there are any", async () => {
    const { read } = measure({ relay: { credentials: [`tps_${"r".repeat(43)}`] } }, true);
    const lines = (await read()).split("\n");
    expect(lines).toContain("tokenpair_feed_streams 0");
    expect(lines).toContain("tokenpair_verifier_file_writes_total 3");
    expect(lines).toContain("tokenpair_verifier_file_stale_seconds 1.5");
  });
});
