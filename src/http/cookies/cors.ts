import type { Settings } from "../../core/settings/settings.ts";
import { isTrustedOrigin } from "./same-origin.ts";

type CorsSettings = Pick<Settings, "trustedOrigins" | "authPath" | "csrfHeaderName" | "authHeaderName">;

/** How long a browser may cache the response to a preflight, in seconds. */
const preflightMaxAge = "600";

/** The response headers that a page of a trusted origin may read. */
const exposedHeaders = "Token-Replayed, Session-Ended, Revocation-Confirmed, Retry-After, WWW-Authenticate";

/**
 * Adds the headers that let pages of trusted origins, and only those, send requests with cookies to the auth paths and
 * read the responses (Fetch §3.3, "CORS protocol").
 */
export function withCors(response: Response, request: Request, settings: CorsSettings): Response {
  const { headers } = response;
  if (settings.trustedOrigins.length === 0 || !isAuthPath(new URL(request.url).pathname, settings)) return response;
  headers.append("Vary", "Origin");
  const origin = request.headers.get("Origin");
  if (origin === null || !isTrustedOrigin(origin, settings)) return response;
  headers.set("Access-Control-Allow-Origin", origin);
  headers.set("Access-Control-Allow-Credentials", "true");
  if (isPreflight(request)) {
    headers.set("Access-Control-Allow-Methods", headers.get("Allow") ?? "");
    headers.set("Access-Control-Allow-Headers", toAllowedHeaders(settings));
    headers.set("Access-Control-Max-Age", preflightMaxAge);
  } else {
    headers.set("Access-Control-Expose-Headers", exposedHeaders);
  }
  return response;
}

function isAuthPath(pathname: string, { authPath }: CorsSettings): boolean {
  return pathname === authPath || pathname.startsWith(`${authPath}/`);
}

function isPreflight({ method, headers }: Request): boolean {
  return method === "OPTIONS" && headers.has("Access-Control-Request-Method");
}

function toAllowedHeaders({ csrfHeaderName, authHeaderName }: CorsSettings): string {
  return ["Content-Type", csrfHeaderName, "Idempotency-Key", authHeaderName].join(", ");
}
