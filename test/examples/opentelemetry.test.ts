import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isInstalled, type RunningExample, startExample } from "./running.ts";

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string };
}

/** A span, as it is exported in JSON. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes?: readonly Attribute[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

const password = "correct horse battery staple";

describe.skipIf(!isInstalled("opentelemetry"))("the example of OpenTelemetry", () => {
  let collector: Server;
  let bodies: string[];
  let example: RunningExample;

  beforeEach(async () => {
    bodies = [];
    collector = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      bodies.push(Buffer.concat(chunks).toString());
      response.setHeader("Content-Type", "application/json").end("{}");
    });
    collector.listen(0, "127.0.0.1");
    await once(collector, "listening");
    example = await startExample("opentelemetry/server.ts", {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "200",
      OTEL_METRICS_EXPORTER: "none",
      OTEL_LOGS_EXPORTER: "none",
    });
  });
  afterEach(async () => {
    await example.stop();
    collector.closeAllConnections();
    collector.close();
  });

  const spans = (): readonly Span[] =>
    bodies
      .map((body) => JSON.parse(body))
      .flatMap(({ resourceSpans = [] }) => resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap(({ spans: found }) => found);

  const post = (path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${example.url}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  it("exports a login and a refresh as spans in each other, in the trace of the client, without a secret", async () => {
    const { refresh } = (await (await post("/api/token/", { username: "alice", password })).json()) as Record<
      string,
      string
    >;
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    const { access } = (await (await post("/api/token/refresh/", { refresh }, { traceparent })).json()) as Record<
      string,
      string
    >;
    await post("/api/token/", { username: "alice", password: "a wrong password" });
    await expect.poll(() => spans().filter(({ name }) => name.startsWith("POST")).length).toBe(3);

    const inTrace = spans().filter((span) => span.traceId === traceId);
    const request = inTrace.find(({ name }) => name === "POST /api/token/refresh");
    const refreshed = inTrace.find(({ name }) => name === "refresh");
    const rotated = inTrace.find(({ name }) => name === "sessions.rotate");
    expect(request?.parentSpanId).toBe("00f067aa0ba902b7");
    expect(refreshed?.parentSpanId).toBe(request?.spanId);
    expect(rotated?.parentSpanId).toBe(refreshed?.spanId);
    const outcome = refreshed?.attributes?.find(({ key }) => key === "tokenpair.outcome");
    expect(outcome?.value.stringValue).toBe("rotated");

    const failed = spans().filter(({ name, status }) => name === "login" && status?.code === 2);
    expect(failed.map(({ status }) => status?.message)).toEqual(["no_active_account"]);
    const text = bodies.join("\n");
    for (const secret of [password, "a wrong password", refresh, access, "$argon2", "eyJ"]) {
      expect(text).not.toContain(secret);
    }
    console.log("examples: opentelemetry: exports spans that are nested, in the client's trace");
  });
});
