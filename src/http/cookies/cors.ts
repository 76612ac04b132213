import type { Settings } from "../../core/settings/settings.ts";
import type { CorsPolicy } from "../endpoint.ts";
import { type HeaderSource, readHeader } from "../request/headers.ts";
import { isAppOrigin, isTrustedOrigin } from "./same-origin.ts";

/** The settings that CORS depends on. */
export type CorsSettings = Pick<Settings, "trustedOrigins" | "csrfHeaderName" | "authHeaderName">;

/** The part of a request that CORS depends on. */
export interface CorsRequest {
  readonly headers: HeaderSource;
  /** The HTTP method. A preflight has the method OPTIONS. */
  readonly method?: string | undefined;
}

/** What a response to a page of another origin allows in addition to its policy. */
export interface CorsGrant {
  /** The methods, in the form of an `Allow` header. */
  readonly methods: string;
  /** Further request headers that scripts may send, in addition to tokenpair's. Default: none. */
  readonly allowHeaders?: readonly string[];
  /** Further response headers that scripts may read, in addition to tokenpair's. Default: none. */
  readonly exposeHeaders?: readonly string[];
}

/** How long a browser may cache the response to a preflight, in seconds. */
const preflightMaxAge = "600";

/** The response headers that a page of another origin may read. */
const exposedHeaders: readonly string[] = [
  "Token-Replayed",
  "Session-Ended",
  "Revocation-Confirmed",
  "Retry-After",
  "WWW-Authenticate",
];

/**
 * Returns whether the request is a CORS preflight: the browser finds out whether a page of another origin may send a
 * request (Fetch §3.3.2).
 */
export function isPreflight({ method, headers }: CorsRequest): boolean {
  return method === "OPTIONS" && readHeader(headers, "access-control-request-method") !== undefined;
}

/**
 * Returns the CORS headers of the response to a request. For an origin that may not use the endpoint, it returns only
 * `Vary`. This header keeps caches from giving that origin the response for a different origin. If the response already has
 * a `Vary` header, append this one to it.
 */
export function toCorsHeaders(
  policy: CorsPolicy,
  settings: CorsSettings,
  request: CorsRequest,
  grant: CorsGrant,
): Readonly<Record<string, string>> {
  if (policy === "any") return { "Access-Control-Allow-Origin": "*", ...toGrantHeaders(settings, request, grant) };
  if (settings.trustedOrigins.length === 0) return {};
  const vary = { Vary: request.method === "OPTIONS" ? "Origin, Access-Control-Request-Method" : "Origin" };
  const origin = readHeader(request.headers, "origin");
  if (origin === undefined || !isTrustedOrigin(origin, settings)) return vary;
  const allowsCookies = policy === "trusted_with_cookies" && !isAppOrigin(origin);
  return {
    ...vary,
    "Access-Control-Allow-Origin": origin,
    ...(allowsCookies ? { "Access-Control-Allow-Credentials": "true" } : {}),
    ...toGrantHeaders(settings, request, grant),
  };
}

function toGrantHeaders(
  { csrfHeaderName, authHeaderName }: CorsSettings,
  request: CorsRequest,
  { methods, allowHeaders = [], exposeHeaders = [] }: CorsGrant,
): Readonly<Record<string, string>> {
  if (!isPreflight(request)) {
    return { "Access-Control-Expose-Headers": [...exposedHeaders, ...exposeHeaders].join(", ") };
  }
  const own = ["Content-Type", csrfHeaderName, "Idempotency-Key", authHeaderName];
  return {
    "Access-Control-Allow-Methods": methods,
    "Access-Control-Allow-Headers": [...own, ...allowHeaders].join(", "),
    "Access-Control-Max-Age": preflightMaxAge,
  };
}

/** Adds the CORS headers of an endpoint to a response, and returns the response. Without a policy, it adds nothing. */
export function withCors(
  response: Response,
  request: Request,
  {
    policy,
    settings,
    methods,
  }: { readonly policy: CorsPolicy | undefined; readonly settings: CorsSettings; readonly methods: string },
): Response {
  if (policy === undefined) return response;
  for (const [name, value] of Object.entries(toCorsHeaders(policy, settings, request, { methods }))) {
    if (name === "Vary") response.headers.append(name, value);
    else response.headers.set(name, value);
  }
  return response;
}
