import { AsyncLocalStorage } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import {
  type Context,
  context,
  defaultTextMapGetter,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { type RequestTrace, type StoreTrace, type TraceMessage, type TraceName, traceNames } from "tokenpair";

/** The context with the span of what is going on, so that spans become children of the one around them. */
const around = new AsyncLocalStorage<Context>();

/**
 * Makes a span of everything that tokenpair publishes on its tracing channels. Call it once, after the tracer provider is
 * registered.
 */
export function traceTokenpair(): void {
  const tracer = trace.getTracer("tokenpair");
  for (const name of traceNames) {
    const spans = new WeakMap<object, Span>();
    const channel = tracingChannel(name);
    channel.start.bindStore(around, (published) => {
      const message = published as TraceMessage;
      const parent = toParent(name, message);
      const span = tracer.startSpan(toSpanName(name, message), { kind: toKind(name) }, parent);
      spans.set(message, span);
      return trace.setSpan(parent, span);
    });
    channel.asyncEnd.subscribe((message) => {
      const span = spans.get(message as object);
      if (span === undefined) return;
      const { error, traceparent: _, ...attributes } = message as TraceMessage & Record<string, string | number>;
      for (const [key, value] of Object.entries(attributes)) span.setAttribute(`tokenpair.${key}`, value);
      if (error !== undefined) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.code ?? error.name });
        span.setAttribute("error.type", error.code ?? error.name);
      }
      span.end();
    });
  }
}

/** Returns the span around this one: of the caller, of the application, or of the client that sent a `traceparent`. */
function toParent(name: TraceName, message: TraceMessage): Context {
  const active = around.getStore() ?? context.active();
  if (name !== "tokenpair:request" || trace.getSpan(active) !== undefined) return active;
  const { traceparent } = message as RequestTrace;
  return traceparent === null ? active : propagation.extract(active, { traceparent }, defaultTextMapGetter);
}

function toSpanName(name: TraceName, message: TraceMessage): string {
  if (name === "tokenpair:request") return `${(message as RequestTrace).method} ${(message as RequestTrace).route}`;
  if (name === "tokenpair:store") return (message as StoreTrace).operation;
  return name.replace("tokenpair:", "");
}

function toKind(name: TraceName): SpanKind {
  if (name === "tokenpair:request") return SpanKind.SERVER;
  return name === "tokenpair:store" ? SpanKind.CLIENT : SpanKind.INTERNAL;
}
