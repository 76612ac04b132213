import { randomUUID } from "node:crypto";
import type { Auth } from "../../auth.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import type { FindClientIp } from "../../http/request/client-ip.ts";
import { toPlainJson } from "./plain-json.ts";

/** A part of the server: the paths that are its own, and their answers. `Auth` is one. */
export type Part = Pick<Auth, "fetch" | "handles">;

/** One answered request, as log and metrics see it. No header, query or body but the user agent. */
export interface RequestRecord {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly milliseconds: number;
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
}

export interface AppOptions {
  /** Asked in this order whose path it is. */
  readonly parts: readonly Part[];
  /** Answers what belongs to no part. */
  readonly rest: Pick<Part, "fetch">;
  readonly clock: Pick<Clock, "monotonic">;
  /** Who is behind the proxies, where any are trusted. */
  readonly findClientIp: FindClientIp;
  /** Told of every answer. */
  readonly onAnswered: (record: RequestRecord) => void;
  /** Seconds; 0 for no such header (RFC 6797). */
  readonly strictTransportSecurity: number;
  /** Told of a defect; the client gets a 500 without details. */
  readonly onError: (error: unknown) => void;
}

/** The whole server as one function, which never rejects. Every response carries an `X-Request-Id` of ours. */
export function createApp(options: AppOptions): Auth["fetch"] {
  const { parts, rest, clock, strictTransportSecurity, findClientIp, onAnswered, onError } = options;
  return async (request, connection) => {
    const startedAt = clock.monotonic();
    const id = randomUUID();
    const path = new URL(request.url).pathname;
    const part = parts.find((candidate) => candidate.handles(path)) ?? rest;
    const response = await part.fetch(request, connection).catch((error: unknown) => {
      onError(error);
      return toPlainJson(500, { detail: "Internal server error.", code: "error" });
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
