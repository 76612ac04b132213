import { type DestinationStream, type Logger, pino } from "pino";
import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError, StoreUnavailableError } from "../../core/errors.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { DeletedCounts } from "../../core/store/index.ts";
import { toEventLevel } from "../../events/catalogue/catalogue.ts";
import type { AuthEvent } from "../../events/events.ts";
import type { LogLevel } from "../config/server-settings.ts";
import type { RequestRecord } from "../handlers/app.ts";
import type { MalformedRequest } from "../listen/malformed-requests.ts";
import { toRouteGroup } from "./route-groups.ts";
import type { PublicPathFault } from "./stripped-prefix.ts";

/** The log of a server. Every method writes one line of JSON. */
export interface ServerLog {
  /** Logs an answered request. */
  readonly request: (record: RequestRecord) => void;
  /** Logs an event, using the level in the event catalogue. */
  readonly event: (event: AuthEvent) => void;
  /** Logs a request that was refused before it reached the routes. */
  readonly malformed: (request: MalformedRequest) => void;
  /** Logs a finished cleanup. */
  readonly cleanup: (deleted: DeletedCounts) => void;
  /** Logs that browsers don't keep the cookies, and what the operator should do. */
  readonly lostCookies: () => void;
  /** Logs that `publicPath` seems to be wrong, and what the operator should do. */
  readonly publicPath: (fault: PublicPathFault) => void;
  /** Logs a sentence for the operator. */
  readonly notice: (level: "info" | "warn" | "error", sentence: string) => void;
  /** Logs how many lines could not be written before this one. */
  readonly linesLost: (lines: number) => void;
  /** Logs an unexpected error. */
  readonly error: (error: unknown, message: string) => void;
}

/** The options of `createLog`. */
export interface LogOptions {
  readonly settings: Pick<Settings, "tokenPath" | "authPath">;
  /** The lowest level that is logged. */
  readonly level: LogLevel;
  /** The stream to which the lines are written. */
  readonly destination: DestinationStream;
  /** The number of the worker, which every line then names. */
  readonly worker?: number | undefined;
}

/** The maximum length of a segment of a logged path, in characters. A session id is shorter, and a token is longer. */
const maxSegmentLength = 40;

/** The maximum length of a logged path, in characters. */
const maxPathLength = 200;

/** The maximum length of a logged user agent, in characters. */
const maxUserAgentLength = 100;

/** Creates a log. It never writes a query, a body, a secret, or a header other than the user agent. */
export function createLog({ settings, level, destination, worker }: LogOptions): ServerLog {
  const log: Logger = pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return Object.freeze({
    request(record: RequestRecord) {
      log[toRequestLevel(record, settings)](toRequestFields(record), "request");
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
    lostCookies() {
      log.warn(
        "A page was loaded over plain http, where browsers don't keep secure cookies, so no user can log in there. " +
          "Use https or, for development only, set insecureCookies.",
      );
    },
    publicPath(fault: PublicPathFault) {
      log.warn(toPublicPathWarning(fault));
    },
    notice(level: "info" | "warn" | "error", sentence: string) {
      log[level](sentence);
    },
    linesLost(lines: number) {
      log.warn({ lines }, "lines of this log were lost: they could not be written");
    },
    error(error: unknown, message: string) {
      log.error(toErrorFields(error), message);
    },
  });
}

function toPublicPathWarning(found: PublicPathFault): string {
  switch (found.fault) {
    case "prefix":
      return (
        `A proxy removes ${found.prefix} from the path (X-Forwarded-Prefix), so browsers don't send the refresh cookie, and ` +
        `users are logged out at the first refresh. Set publicPath to "${found.prefix}".`
      );
    case "no-refresh-cookie":
      return (
        "A browser with a session sent no refresh cookie, so its user is logged out. If a proxy removes a prefix from the " +
        "path, set publicPath to that prefix."
      );
    case "not-removed":
      return (
        "A request had publicPath in its path. Let the proxy remove it, or move the endpoints there with authPath and " +
        "tokenPath, and remove publicPath."
      );
  }
}

/** Requests of machines, of which there are many: the proxy logs the requests that it has checked. */
const quietRoutes = new Set(["health", "auth/check", "auth/revocations"]);

function toRequestLevel({ status, path }: RequestRecord, settings: LogOptions["settings"]): "debug" | "info" | "error" {
  if (status >= 500) return "error";
  return quietRoutes.has(toRouteGroup(path, settings)) ? "debug" : "info";
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

/**
 * Returns the path without segments that are too long for tokenpair's routes. A client can put anything there, even a
 * token.
 */
function toLoggedPath(path: string): string {
  const segments = path.split("/").map((segment) => (segment.length > maxSegmentLength ? "…" : segment));
  return segments.join("/").slice(0, maxPathLength);
}

function withFlatClient({ client, ...fields }: { readonly client: ClientInfo }): object {
  const { ip, userAgent, actor } = client;
  return { ...fields, ip, userAgent: userAgent?.slice(0, maxUserAgentLength), actor };
}

/**
 * Returns the error's name, code and stack (which includes the message). For a refusal, returns only the message. Also
 * returns the same for the error's cause. Other members are left out, because they may quote the input.
 */
function toErrorFields(error: unknown, isWithStack = true): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = "code" in error ? error.code : undefined;
  const isOfStore = error instanceof StoreUnavailableError;
  return {
    error: error.name,
    code,
    // A refusal says enough by its message, and there is one for every request while the database is away.
    ...(isOfStore || error instanceof AuthError || !isWithStack ? { reason: error.message } : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: toErrorFields(error.cause, !isOfStore) }),
  };
}
