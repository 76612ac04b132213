import type { Confirmed } from "../../flows/commit.ts";
/**
 * The headers that every response gets unless it sets them itself. OWASP's REST Security Cheat Sheet recommends them for
 * JSON.
 */
export const standardHeaders: Readonly<Record<string, string>> = Object.freeze({
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "same-origin",
  "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Resource-Policy": "same-origin",
});

/** Adds the standard headers that `response` doesn't have yet. */
export function withStandardHeaders(response: Response): Response {
  return withHeaders(response, standardHeaders);
}

/** Adds those of `headers` that `response` does not have, and returns it. */
export function withHeaders(response: Response, headers: Readonly<Record<string, string>> = {}): Response {
  for (const [name, value] of Object.entries(headers)) {
    if (!response.headers.has(name)) response.headers.set(name, value);
  }
  return response;
}

/** Returns a JSON response without the standard headers, which the router adds to every response. */
export function toJsonResponse(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
}

/** Returns the header that says how a revocation was confirmed. Returns no header if no confirmation was requested. */
export function toConfirmationHeaders({ confirmed }: Confirmed): Readonly<Record<string, string>> {
  return confirmed === undefined ? {} : { "Revocation-Confirmed": confirmed };
}
