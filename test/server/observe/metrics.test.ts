import { describe, expect, it } from "vitest";
import { createMetrics } from "../../../src/server/observe/metrics.ts";

const client = {};

function start() {
  const metrics = createMetrics({
    settings: { tokenPath: "/api/token", authPath: "/api/auth" },
    lostLogLines: () => 6,
    stats: () => ({
      revocations: { live: 3, staleSeconds: 0.25 },
      readers: { streams: 11, polls: 12, bytes: 13, records: 14, lagSeconds: 0.5 },
      passwords: { inFlight: 2, waiting: 7, rejected: 9 },
      store: { isWritable: true },
      keys: { kid: "k1", algorithm: "ES256", age: 90, isReadable: true },
      connections: { open: 4, idle: 1, waiting: 2, refused: 5 },
    }),
  });
  const answer = (path: string, status = 200) =>
    metrics.request({ id: "", method: "GET", path, status, milliseconds: 4, ip: undefined, userAgent: undefined });
  const read = async () => (await metrics.fetch(new Request("http://localhost/metrics"))).text();
  return { metrics, answer, read };
}

describe("the metrics", () => {
  it("count requests by route group and status", async () => {
    const { answer, read } = start();
    for (const path of ["/api/token", "/api/token/", "/api/token/refresh/", "/api/auth/sessions/abc/", "/readyz"]) {
      answer(path);
    }
    answer("/api/token/refresh/", 401);
    answer("/api/token/continue/", 400);
    const text = await read();
    const count = (route: string, status: number) =>
      new RegExp(
        `^tokenpair_http_request_duration_seconds_count{route="${route}",status="${status}"} (\\d+)$`,
        "m",
      ).exec(text)?.[1];
    expect(count("token", 200)).toBe("2");
    expect(count("token/refresh", 200)).toBe("1");
    expect(count("token/refresh", 401)).toBe("1");
    expect(count("token/continue", 400)).toBe("1");
    expect(count("auth/sessions", 200)).toBe("1");
    expect(count("health", 200)).toBe("1");
  });

  it("put all unknown paths into one route group, so that clients can't add time series", async () => {
    const { answer, read } = start();
    for (let i = 0; i < 500; i += 1) answer(`/api/token/${i}/`, 404);
    answer("/api/tokens", 404);
    const routes = new Set((await read()).match(/route="[^"]*"/g));
    expect(routes).toEqual(new Set(['route="other"']));
  });

  it("count logins and refreshes by outcome, and revocations of sessions by reason", async () => {
    const { metrics, read } = start();
    metrics.event({ type: "login", time: 1, userId: "1", sessionId: "s", client });
    metrics.event({ type: "login_failed", time: 1, code: "no_active_account", reason: "", client });
    metrics.event({ type: "refresh", time: 1, outcome: "reuse_detected", client });
    metrics.event({ type: "sessions_revoked", time: 1, reason: "logout", sessions: 1, client: {} });
    const text = await read();
    expect(text).toContain('tokenpair_logins_total{outcome="success"} 1');
    expect(text).toContain('tokenpair_logins_total{outcome="no_active_account"} 1');
    expect(text).toContain('tokenpair_refreshes_total{outcome="reuse_detected"} 1');
    expect(text).toContain('tokenpair_session_revocations_total{reason="logout"} 1');
  });

  it("record the lag of revocations, the events of the feed, and the cleanups", async () => {
    const { metrics, read } = start();
    for (const seconds of [0.02, 0.6, 45]) metrics.lag(seconds);
    metrics.event({ type: "listen_lost", time: 0, reason: "ECONNRESET" });
    metrics.cleanup({ sessions: 7, revocations: 2, failures: 0, auditEntries: 0, legacyTokens: 0, loginTickets: 0 });
    metrics.cleanup(null);
    const text = await read();
    expect(text).toContain('tokenpair_revocation_lag_seconds_bucket{le="0.025"} 1');
    expect(text).toContain('tokenpair_revocation_lag_seconds_bucket{le="1"} 2');
    expect(text).toContain("tokenpair_revocation_lag_seconds_count 3");
    expect(text).toContain('tokenpair_feed_events_total{event="listen_lost"} 1');
    expect(text).toContain('tokenpair_feed_events_total{event="feed_stale"} 0');
    expect(text).toContain('tokenpair_cleanup_runs_total{outcome="failed"} 1');
    expect(text).toContain('tokenpair_cleanup_deleted_total{kind="sessions"} 7');
  });

  it("show the connection pool, password hashing, and the outcomes of alerts before the first event", async () => {
    const { read } = start();
    await read();
    const text = await read();
    expect(text).toContain("tokenpair_database_connections_open 4");
    expect(text).toContain("tokenpair_database_connections_idle 1");
    expect(text).toContain("tokenpair_database_waiting 2");
    expect(text).toContain("tokenpair_database_refused_total 5");
    expect(text).toContain("tokenpair_password_hashes_in_flight 2");
    expect(text).toContain("tokenpair_password_hashes_waiting 7");
    expect(text).toContain("tokenpair_password_hashes_rejected_total 9");
    expect(text).toContain('tokenpair_refreshes_total{outcome="reuse_detected"} 0');
    expect(text).toContain('tokenpair_refreshes_total{outcome="state_lost"} 0');
  });

  it("show the revocations in memory, the lag of the event loop, and the process", async () => {
    const text = await start().read();
    expect(text).toContain("tokenpair_revocations_live 3");
    expect(text).toContain("tokenpair_feed_stale_seconds 0.25");
    expect(text).toContain("tokenpair_log_lines_lost_total 6");
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
  });

  it("show what the readers of the revocation feed cost", async () => {
    const text = await start().read();
    expect(text).toContain("tokenpair_feed_streams 11");
    expect(text).toContain("tokenpair_feed_polls 12");
    expect(text).toContain("tokenpair_feed_bytes_total 13");
    expect(text).toContain("tokenpair_feed_records 14");
    expect(text).toContain("tokenpair_feed_reader_lag_seconds 0.5");
  });

  it("are Prometheus text at /metrics, and a 404 elsewhere", async () => {
    const { metrics } = start();
    const response = await metrics.fetch(new Request("http://localhost/metrics"));
    expect(response.headers.get("Content-Type")).toContain("text/plain; version=0.0.4");
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect((await metrics.fetch(new Request("http://localhost/"))).status).toBe(404);
  });

  it("have no connection pool if the store has none", async () => {
    const { fetch } = createMetrics({
      settings: { tokenPath: "/api/token", authPath: "/api/auth" },
      lostLogLines: () => 6,
      stats: () => ({
        revocations: { live: 0, staleSeconds: 0 },
        readers: { streams: 11, polls: 12, bytes: 13, records: 14, lagSeconds: 0.5 },
        passwords: { inFlight: 0, waiting: 0, rejected: 0 },
        store: { isWritable: true },
        keys: { kid: "k1", algorithm: "ES256", age: 90, isReadable: true },
      }),
    });
    const text = await (await fetch(new Request("http://localhost/metrics"))).text();
    expect(text).toContain("tokenpair_revocations_live 0");
    expect(text).not.toContain("tokenpair_database");
  });
});
