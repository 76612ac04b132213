import { AuthError, StoreUnavailableError } from "../core/errors.ts";
import { trace } from "../core/tracing.ts";
import { withCors } from "./cookies/cors.ts";
import { reportCsrfRefusal } from "./cookies/csrf-report.ts";
import { isDevelopmentRequest, toDevelopmentSettings } from "./cookies/development-cookies.ts";
import type { Endpoint, HttpDeps } from "./endpoint.ts";
import { createMatcher, type Match } from "./matcher.ts";
import { createBodyReader } from "./request/body.ts";
import { toClientInfo } from "./request/client-info.ts";
import { type ConnectionInfo, createClientIpFinder, createProxyCheck } from "./request/client-ip.ts";
import type { RequestHead } from "./request/headers.ts";
import { createRateLimits } from "./request/rate-limits.ts";
import { RequestError } from "./request/request-error.ts";
import { createUnknownAddressReporter, createUntrustedProxyReporter } from "./request/untrusted-proxy.ts";
import { type ErrorStyle, toErrorResponse } from "./response/errors.ts";
import { toJsonResponse, withHeaders, withStandardHeaders } from "./response/json.ts";
import { endpoints as allEndpoints } from "./routes/index.ts";
import { createSchemaEndpoint } from "./routes/schema.ts";
import { createServiceCheck } from "./service-credentials.ts";

/** The handler of all HTTP requests. */
export interface HttpHandler {
  /** Answers a request. Answers an unknown path with a 404. Never rejects. */
  fetch(request: Request, connection?: ConnectionInfo): Promise<Response>;
  /** Returns the response of a protected resource to `error`. */
  refuse(error: unknown): Response;
  /** Returns whether there is an endpoint with this pathname, with or without a trailing slash. */
  handles(pathname: string): boolean;
}

/** A request to an endpoint that has been found. */
interface EndpointRequest extends Pick<Match, "params"> {
  readonly endpoint: Endpoint;
  readonly request: Request;
  readonly connection: ConnectionInfo;
}

/** The options of `createHttpHandler`. */
export interface HttpHandlerOptions {
  /** The endpoints. The endpoint of the OpenAPI document is always added. Default: all endpoints in `routes/`. */
  readonly endpoints?: readonly Endpoint[];
  /** The path of the OpenAPI document. Default: "/api/schema". */
  readonly schemaPath?: string;
  /** Called with every error that the client only sees as a 500 or 503. Default: emits a process warning. */
  readonly onError?: (error: unknown) => void;
  /** Whether browsers on this machine get development cookies. Default: false. */
  readonly developmentCookies?: boolean;
}

/**
 * Creates the handler of the endpoints.
 *
 * @throws TypeError if two endpoints have the same method and path, or the same path and different `cors` policies.
 */
export function createHttpHandler(
  deps: HttpDeps,
  { endpoints = allEndpoints, schemaPath, onError, developmentCookies = false }: HttpHandlerOptions = {},
): HttpHandler {
  const report = createErrorReporter(onError);
  const findClientIp = createClientIpFinder(deps.settings);
  const isTrustedProxy = createProxyCheck(deps.settings);
  const reportUntrustedProxy = createUntrustedProxyReporter(deps);
  const reportUnknownAddress = createUnknownAddressReporter(deps);
  const requireWithinRateLimit = createRateLimits(deps);
  const requireService = createServiceCheck(deps);
  const findDeps = createDepsFinder(deps, developmentCookies);
  const match = createMatcher([...endpoints, createSchemaEndpoint(endpoints, schemaPath)], deps.settings);

  async function answer(request: Request, connection: ConnectionInfo): Promise<Response> {
    if (hasTwoHosts(request.headers)) return toJsonResponse(400, { detail: "Bad request.", code: "bad_request" });
    const found = match(new URL(request.url).pathname);
    if (found === null) return toJsonResponse(404, { detail: "Not found.", code: "not_found" });
    const { cors, allow } = found.resource;
    const response = await answerAt(found, request, connection);
    return withCors(response, request, { policy: cors, settings: deps.settings, methods: allow });
  }

  async function answerAt(
    { resource, params }: Match,
    request: Request,
    connection: ConnectionInfo,
  ): Promise<Response> {
    const { method } = request;
    const endpoint = resource.catchAll ?? resource.endpoints.get(method === "HEAD" ? "GET" : method);
    if (method === "OPTIONS" && resource.catchAll === undefined) {
      return new Response(null, { status: 204, headers: { Allow: resource.allow } });
    }
    if (endpoint === undefined) {
      return toJsonResponse(405, { detail: `Method "${method}" not allowed.` }, { Allow: resource.allow });
    }
    return trace(
      "tokenpair:request",
      {
        method,
        route: endpoint.path(deps.settings),
        operation: endpoint.operationId,
        traceparent: request.headers.get("traceparent"),
      },
      () => answerAtEndpoint({ endpoint, params, request, connection }),
      (message, response) => {
        message.status = response.status;
      },
    );
  }

  async function answerAtEndpoint({ endpoint, params, request, connection }: EndpointRequest): Promise<Response> {
    reportUntrustedProxy(request.headers, connection);
    const ip = findClientIp(request.headers, connection);
    reportUnknownAddress(ip);
    const client = toClientInfo(request.headers, ip);
    const body = createBodyReader(request, endpoint.body);
    const requestDeps = findDeps(request, connection);
    try {
      if (endpoint.rateLimit !== undefined) await requireWithinRateLimit(endpoint.rateLimit, client);
      // Checks use the keys without waiting for them.
      if (endpoint.worksWithoutKeys !== true) await requestDeps.keys.ready();
      const { serviceScope: scope } = endpoint;
      const sender = scope === undefined ? client : await requireService({ scope, headers: request.headers, client });
      return await endpoint.handle({
        request,
        deps: requestDeps,
        params,
        client: sender,
        isFromTrustedProxy: isTrustedProxy(connection),
        ...body,
      });
    } catch (error) {
      reportCsrfRefusal(requestDeps, error, { headers: request.headers, client });
      return withHeaders(toRefusal(error, endpoint.errorStyle), endpoint.refusalHeaders);
    }
  }

  function toRefusal(error: unknown, style: ErrorStyle): Response {
    if (error instanceof RequestError) return toJsonResponse(error.status, error.body);
    if (error instanceof AuthError) {
      // The client only sees a 503.
      if (error.code === "unavailable" || error.cause !== undefined) report(error);
      return toErrorResponse(error, style, deps.settings);
    }
    report(error);
    if (error instanceof StoreUnavailableError) {
      return toErrorResponse(new AuthError("unavailable", "the store does not answer"), style, deps.settings);
    }
    return toJsonResponse(500, { detail: "Internal server error.", code: "error" });
  }

  return Object.freeze({
    async fetch(request: Request, connection: ConnectionInfo = {}): Promise<Response> {
      const response = withStandardHeaders(await answer(request, connection));
      return request.method === "HEAD" ? withoutBody(response) : response;
    },
    refuse: (error: unknown) => withStandardHeaders(toRefusal(error, "resource")),
    handles: (pathname: string) => match(pathname) !== null,
  });
}

/**
 * Creates a function that returns the dependencies for answering a request. They are `deps`, with one exception: if
 * `developmentCookies` is true and a browser on this machine sent the request, they have the settings of development
 * cookies.
 */
export function createDepsFinder(
  deps: HttpDeps,
  developmentCookies: boolean,
): (request: RequestHead, connection: ConnectionInfo) => HttpDeps {
  if (!developmentCookies) return () => deps;
  const developmentDeps = Object.freeze({ ...deps, settings: toDevelopmentSettings(deps.settings) });
  return (request, { ip }) => (isDevelopmentRequest(request, ip) ? developmentDeps : deps);
}

function withoutBody(response: Response): Response {
  // Nothing reads it: without this, a stream would stay open.
  response.body?.cancel().catch(() => {});
  return new Response(null, response);
}

/**
 * Returns whether there are two `Host` headers. Such a request must be refused (RFC 9112 §3.2). `Headers` joins the two
 * values with a comma.
 */
function hasTwoHosts(headers: Headers): boolean {
  return headers.get("Host")?.includes(",") ?? false;
}

/** Returns a function that passes errors to `onError`, and never throws. Default: it emits a process warning. */
export function createErrorReporter(onError: (error: unknown) => void = warn): (error: unknown) => void {
  return (error) => {
    try {
      onError(error);
    } catch {
      // The answer must not depend on the application's bookkeeping.
    }
  };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
