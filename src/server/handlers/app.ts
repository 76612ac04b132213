import { randomUUID } from "node:crypto";
import type { Auth } from "../../auth.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import type { FindClientIp } from "../../http/request/client-ip.ts";
import { toStandardJson } from "./standard-json.ts";

/** Answers the requests to some paths. */
export interface Handler {
  /** Answers a request. If it rejects, the client gets a 500. */
  readonly fetch: Auth["fetch"];
  /** Returns whether a pathname belongs to this handler. */
  readonly handles: (pathname: string) => boolean;
}

/** An answered request, for the log and the metrics. It contains no query, no body, and no header except the user agent. */
export interface RequestRecord {
  /** The value of the response's `X-Request-Id`. */
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The number of milliseconds from the request to the response. */
  readonly milliseconds: number;
  /** The client's address, if it is known. */
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
}

/** The options of `createApp`. */
export interface AppOptions {
  /** The handlers. The first one that handles the path answers the request. */
  readonly handlers: readonly Handler[];
  /** The handler that answers all other paths. */
  readonly fallback: Pick<Handler, "fetch">;
  readonly clock: Pick<Clock, "monotonic">;
  /** Finds the client's address, even behind trusted proxies. */
  readonly findClientIp: FindClientIp;
  /** Called after every answer. */
  readonly onAnswered: (record: RequestRecord) => void;
  /** The `max-age` of `Strict-Transport-Security` (RFC 6797), in seconds. 0 means that the header is not sent. */
  readonly strictTransportSecurity: number;
  /** Called with every unexpected error. The client gets a 500 without details. */
  readonly onError: (error: unknown) => void;
}

/** Creates the function that answers every request. It never rejects. Every response has an `X-Request-Id`. */
export function createApp(options: AppOptions): Auth["fetch"] {
  const { handlers, fallback, clock, strictTransportSecurity, findClientIp, onAnswered, onError } = options;
  return async (request, connection) => {
    const startedAt = clock.monotonic();
    const id = randomUUID();
    const path = new URL(request.url).pathname;
    const handler = handlers.find((candidate) => candidate.handles(path)) ?? fallback;
    const response = await handler.fetch(request, connection).catch((error: unknown) => {
      onError(error);
      return toStandardJson(500, { detail: "Internal server error.", code: "error" });
    });
    response.headers.set("X-Request-Id", id);
    if (strictTransportSecurity > 0) {
      response.headers.set("Strict-Transport-Security", `max-age=${strictTransportSecurity}`);
    }
    onAnswered({
      id,
      method: request.method,
      path,
      status: response.status,
      milliseconds: clock.monotonic() - startedAt,
      ip: findClientIp(request.headers, connection),
      userAgent: request.headers.get("User-Agent") ?? undefined,
    });
    return response;
  };
}
