import { describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { LogLevel } from "../../../src/server/config/server-settings.ts";
import type { RequestRecord } from "../../../src/server/handlers/app.ts";
import { createLog } from "../../../src/server/observe/log.ts";

function start(level: LogLevel = "info") {
  const texts: string[] = [];
  const log = createLog({
    settings: { tokenPath: "/api/token", authPath: "/api/auth" },
    level,
    destination: { write: (text) => void texts.push(text) },
  });
  return { log, lines: () => texts.map((text) => JSON.parse(text) as Record<string, unknown>) };
}

const record: RequestRecord = {
  id: "8f3c0c9e-2f0e-4d59-9b57-3a7a1f6f5a53",
  method: "POST",
  path: "/api/token/",
  status: 200,
  milliseconds: 12.345,
  ip: "192.0.2.7",
  userAgent: "Firefox",
};

describe("the log", () => {
  it("writes one line for a malformed request, with the status and the parser's code", () => {
    const { log, lines } = start();
    log.malformed({ status: 431, reason: "HPE_HEADER_OVERFLOW" });
    expect(lines()).toMatchObject([
      { level: "info", msg: "malformed request", status: 431, reason: "HPE_HEADER_OVERFLOW" },
    ]);
  });

  it("writes one line for a request, with the id that the client got", () => {
    const { log, lines } = start();
    log.request(record);
    const { time, ...line } = lines()[0] ?? {};
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(line).toEqual({
      level: "info",
      msg: "request",
      id: record.id,
      method: "POST",
      path: "/api/token/",
      status: 200,
      ms: 12.3,
      ip: "192.0.2.7",
      userAgent: "Firefox",
    });
    expect(lines()).toHaveLength(1);
  });

  it("leaves long segments, such as a token, out of a path, and truncates long paths", () => {
    const { log, lines } = start();
    log.request({ ...record, path: `/api/auth/sessions/0197-ok/${"x".repeat(41)}/` });
    log.request({ ...record, path: `/${"abc/".repeat(100)}` });
    expect(lines()[0]?.["path"]).toBe("/api/auth/sessions/0197-ok/…/");
    expect(lines()[1]?.["path"]).toHaveLength(200);
  });

  it("writes requests of proxies, readers of the feed and probes at level debug, and their failures as errors", () => {
    const { log, lines } = start("debug");
    const paths = ["/api/auth/check/", "/api/auth/check/orders/7", "/api/auth/revocations", "/healthz", "/readyz/"];
    for (const path of paths) {
      log.request({ ...record, path });
      log.request({ ...record, path, status: 503 });
    }
    log.request({ ...record, path: "/api/auth/checks" });
    expect(lines().map(({ level }) => level)).toEqual([...paths.flatMap(() => ["debug", "error"]), "info"]);
  });

  it("truncates a long user agent", () => {
    const { log, lines } = start();
    log.request({ ...record, userAgent: "a".repeat(5_000) });
    expect(lines()[0]?.["userAgent"]).toHaveLength(100);
  });

  it("writes why the store was unavailable, with the cause but no stack, as every request may fail", () => {
    const { log, lines } = start();
    const cause = Object.assign(new Error("database or disk is full"), { errcode: 13, row: "planted-secret" });
    log.error(
      new StoreUnavailableError("sessions.create: SQLITE_FULL, the disk is full", { cause }),
      "a request failed",
    );
    const { time: _, ...line } = lines()[0] ?? {};
    expect(line).toEqual({
      level: "error",
      msg: "a request failed",
      error: "StoreUnavailableError",
      reason: "sessions.create: SQLITE_FULL, the disk is full",
      cause: { error: "Error", reason: "database or disk is full" },
    });
  });

  it("writes successful health checks only at level debug, but failed ones as errors", () => {
    const { log, lines } = start();
    log.request({ ...record, path: "/readyz" });
    log.request({ ...record, path: "/readyz", status: 503 });
    expect(lines().map(({ level, status }) => [level, status])).toEqual([["error", 503]]);
  });

  it("writes one line for an event, at the level of its kind", () => {
    const { log, lines } = start();
    const client = { ip: "192.0.2.7", userAgent: "Firefox" };
    log.event({ type: "login", time: 1_767_225_600, userId: "1", sessionId: "s", client });
    log.event({
      type: "refresh",
      time: 1,
      outcome: "reuse_detected",
      userId: "1",
      sessionId: "s",
      generation: 2,
      client,
    });
    log.event({ type: "feed_stale", time: 1, staleSeconds: 11, reason: "reading failed" });
    log.event({ type: "untrusted_proxy", time: 1, ip: "127.0.0.1", header: "X-Forwarded-For" });
    expect(lines()).toMatchObject([
      {
        level: "info",
        msg: "login",
        at: 1_767_225_600,
        userId: "1",
        sessionId: "s",
        ip: "192.0.2.7",
        userAgent: "Firefox",
      },
      { level: "warn", msg: "refresh", outcome: "reuse_detected", generation: 2 },
      { level: "error", msg: "feed_stale", staleSeconds: 11 },
      { level: "warn", msg: "untrusted_proxy", ip: "127.0.0.1", header: "X-Forwarded-For" },
    ]);
  });

  it("leaves out the members of an error that may quote a request", () => {
    const { log, lines } = start();
    const error = Object.assign(new Error("no URL"), { code: "ERR_INVALID_URL", input: "/?token=planted" });
    log.error(new Error("failed", { cause: error }), "a request failed");
    expect(lines()[0]).toMatchObject({ level: "error", msg: "a request failed", cause: { code: "ERR_INVALID_URL" } });
    expect(JSON.stringify(lines())).not.toContain("planted");
  });

  it("writes nothing at level silent", () => {
    const { log, lines } = start("silent");
    log.request({ ...record, status: 503 });
    log.error(new Error("x"), "y");
    expect(lines()).toEqual([]);
  });
});
