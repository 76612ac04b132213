import { AuthError, StoreUnavailableError } from "../core/errors.ts";
import { withCors } from "./cookies/cors.ts";
import { reportCsrfRefusal } from "./cookies/csrf-report.ts";
import type { Endpoint, ErrorStyle, HttpDeps } from "./endpoint.ts";
import { createMatcher } from "./matcher.ts";
import { createBodyReader } from "./request/body.ts";
import { toClientInfo } from "./request/client-info.ts";
import { createClientIpFinder } from "./request/client-ip.ts";
import { createRateLimits } from "./request/rate-limits.ts";
import { RequestError } from "./request/request-error.ts";
import { createProxyWatch } from "./request/untrusted-proxy.ts";
import { toErrorResponse } from "./response/errors.ts";
import { toJsonResponse } from "./response/json.ts";
import { withStandardHeaders } from "./response/standard-headers.ts";
import { endpoints as allEndpoints } from "./routes/index.ts";
import { createSchemaEndpoint } from "./routes/schema.ts";

/** What only the server knows of a connection. */
export interface ConnectionInfo {
  /** The address at the other end of the socket: the client's or, with `trustedProxies`, that of the last proxy. */
  readonly ip?: string | undefined;
}

/** The whole HTTP side: `Request` in, `Response` out. */
export interface HttpHandler {
  /** Answers every request, also those to paths that are not ours (404). Never rejects. */
  fetch(request: Request, connection?: ConnectionInfo): Promise<Response>;
  /** The response to a protected resource's request that `error` refuses: what `fetch` would answer. */
  refuse(error: unknown): Response;
  /** Whether a URL's pathname is one of ours, with or without its trailing slash. */
  handles(pathname: string): boolean;
}

export interface HttpHandlerOptions {
  /** Default: all of `endpoints.ts`. The OpenAPI document's own is added. */
  readonly endpoints?: readonly Endpoint[];
  /**
   * Told of a defect: of an application's hook (the client gets a 503), or ours (a 500 without details). Default: a warning
   * of the process.
   */
  readonly onError?: (error: unknown) => void;
}

/** The handler of the endpoints over `deps`. */
export function createHttpHandler(
  deps: HttpDeps,
  { endpoints = allEndpoints, onError = warn }: HttpHandlerOptions = {},
): HttpHandler {
  const findClientIp = createClientIpFinder(deps.settings);
  const watchProxies = createProxyWatch(deps);
  const requireWithinRateLimit = createRateLimits(deps);
  const match = createMatcher([...endpoints, createSchemaEndpoint(endpoints)], deps.settings);

  async function answer(request: Request, connection: ConnectionInfo): Promise<Response> {
    const found = match(new URL(request.url).pathname);
    if (found === null) return toJsonResponse(404, { detail: "Not found.", code: "not_found" });
    const { resource, params } = found;
    const { method } = request;
    if (method === "OPTIONS") return new Response(null, { status: 204, headers: { Allow: resource.allow } });
    const endpoint = resource.endpoints.get(method);
    if (endpoint === undefined) {
      return toJsonResponse(405, { detail: `Method "${method}" not allowed.` }, { Allow: resource.allow });
    }
    watchProxies(request.headers, connection.ip);
    const client = toClientInfo(request.headers, { ip: findClientIp(request.headers, connection.ip) });
    const body = createBodyReader(request, endpoint.body);
    try {
      if (endpoint.limit !== undefined) await requireWithinRateLimit(endpoint.limit, client);
      return await endpoint.handle({ request, deps, params, client, ...body });
    } catch (error) {
      reportCsrfRefusal(deps, error, request.headers, client);
      return toRefusal(error, endpoint.errors);
    }
  }

  function toRefusal(error: unknown, style: ErrorStyle): Response {
    if (error instanceof RequestError) return toJsonResponse(error.status, error.body);
    if (error instanceof AuthError) {
      if (error.cause !== undefined) onError(error);
      return toErrorResponse(error, style, deps.settings);
    }
    if (error instanceof StoreUnavailableError) {
      return toErrorResponse(new AuthError("unavailable", "the store does not answer"), style, deps.settings);
    }
    onError(error);
    return toJsonResponse(500, { detail: "Internal server error.", code: "error" });
  }

  return Object.freeze({
    async fetch(request: Request, connection: ConnectionInfo = {}): Promise<Response> {
      return withStandardHeaders(withCors(await answer(request, connection), request, deps.settings));
    },
    refuse: (error: unknown) => withStandardHeaders(toRefusal(error, "resource")),
    handles: (pathname: string) => match(pathname) !== null,
  });
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
