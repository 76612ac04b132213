import { type DestinationStream, type Logger, pino } from "pino";
import type { ClientInfo } from "../../core/client-info.ts";
import type { DeletedCounts } from "../../core/store/index.ts";
import { toEventLevel } from "../../events/catalogue.ts";
import type { AuthEvent } from "../../events/events.ts";
import type { LogLevel } from "../config/server-settings.ts";
import type { MalformedRequest } from "../listen/malformed-requests.ts";
import type { RequestRecord } from "../parts/app.ts";

/** The log of one server: one line of JSON for each request, event and defect. */
export interface ServerLog {
  readonly request: (record: RequestRecord) => void;
  readonly event: (event: AuthEvent) => void;
  readonly malformed: (request: MalformedRequest) => void;
  readonly cleanup: (deleted: DeletedCounts) => void;
  readonly error: (error: unknown, message: string) => void;
}

/** The longest segment of a path that is logged: a session's id is shorter, a token is longer. */
const maxSegmentLength = 40;
const maxPathLength = 200;
const maxUserAgentLength = 100;

/** A log that writes to `destination`. Nothing that it is given can put a header, query, body or secret into it. */
export function createLog({
  level,
  destination,
}: {
  readonly level: LogLevel;
  readonly destination: DestinationStream;
}): ServerLog {
  const log: Logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return Object.freeze({
    request(record: RequestRecord) {
      log[toRequestLevel(record)](toRequestFields(record), "request");
    },
    event(event: AuthEvent) {
      const { type, time: at, ...fields } = event;
      log[toEventLevel(event)]({ at, ...("client" in fields ? withFlatClient(fields) : fields) }, type);
    },
    malformed({ status, reason }: MalformedRequest) {
      log.info({ status, reason }, "malformed request");
    },
    cleanup(deleted: DeletedCounts) {
      log.info(deleted, "cleanup");
    },
    error(error: unknown, message: string) {
      log.error(toErrorFields(error), message);
    },
  });
}

function toRequestLevel({ status, path }: RequestRecord): "debug" | "info" | "error" {
  if (status >= 500) return "error";
  return /^\/(?:healthz|readyz)\/?$/.test(path) ? "debug" : "info";
}

function toRequestFields({ id, method, path, status, milliseconds, ip, userAgent }: RequestRecord): object {
  return {
    id,
    method: method.slice(0, maxSegmentLength),
    path: toLoggedPath(path),
    status,
    ms: Math.round(milliseconds * 10) / 10,
    ip,
    userAgent: userAgent?.slice(0, maxUserAgentLength),
  };
}

/** A client may put anything into a path, a token too: what is too long for ours is left out. */
function toLoggedPath(path: string): string {
  const segments = path.split("/").map((segment) => (segment.length > maxSegmentLength ? "…" : segment));
  return segments.join("/").slice(0, maxPathLength);
}

function withFlatClient({ client, ...fields }: { readonly client: ClientInfo }): object {
  const { ip, userAgent, actor } = client;
  return { ...fields, ip, userAgent: userAgent?.slice(0, maxUserAgentLength), actor };
}

/** Name, message, code and stack, and the same of the cause; other members of an error may quote its input. */
function toErrorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  return {
    error: error.name,
    code: "code" in error ? error.code : undefined,
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: toErrorFields(error.cause) }),
  };
}
