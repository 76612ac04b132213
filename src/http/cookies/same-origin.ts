import type { Settings } from "../../core/settings/settings.ts";
import { type RequestLike, readHeader, readHost } from "../request/headers.ts";

/** Returns whether the method is safe: a request with it changes nothing (RFC 9110 §9.2.1). */
export function isSafeMethod(method: string | undefined): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

/**
 * Returns whether the request comes from the server's own origin or a trusted one. The browser says so in
 * `Sec-Fetch-Site` (Fetch Metadata §2.3) or, if it is an older one, in `Origin` (RFC 6454 §7). A request without either
 * is allowed.
 */
export function isAllowedOrigin(request: RequestLike, { trustedOrigins }: Pick<Settings, "trustedOrigins">): boolean {
  const origin = readHeader(request.headers, "origin");
  if (origin !== undefined && isTrustedOrigin(origin, { trustedOrigins })) return true;
  const fetchSite = readHeader(request.headers, "sec-fetch-site");
  if (fetchSite !== undefined) return fetchSite === "same-origin";
  return origin === undefined || isOwnOrigin(origin, request);
}

/** Returns whether `origin` is in `trustedOrigins`. `null`, which every sandboxed page sends, is never trusted. */
export function isTrustedOrigin(origin: string, { trustedOrigins }: Pick<Settings, "trustedOrigins">): boolean {
  return origin !== "null" && trustedOrigins.includes(origin);
}

/** Compares host and port with the request's own. https matches an http request, as a proxy may terminate TLS. */
function isOwnOrigin(origin: string, { headers, url }: RequestLike): boolean {
  const own = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
  const host = readHost(headers) ?? own?.host;
  const [, scheme, originHost] = /^(https?):\/\/([^/?#@\\\s]+)$/.exec(origin) ?? [];
  if (scheme === undefined || originHost === undefined || host === undefined) return false;
  if (own?.protocol === "https:" && scheme !== "https") return false;
  return toHostAndPort(scheme, originHost) === toHostAndPort(scheme, host);
}

/** Normalizes a host and drops the scheme's default port. Returns a text that is not a host unchanged. */
function toHostAndPort(scheme: string, host: string): string {
  const url = `${scheme}://${host}`;
  return URL.canParse(url) ? new URL(url).host : host;
}
