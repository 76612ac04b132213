import type { Settings } from "../../core/settings/settings.ts";
import { type HeaderSource, readHeader, readHost } from "../request/headers.ts";

/** A request without its body: a Fetch `Request`, or what a framework has of one. */
export interface RequestHead {
  readonly headers: HeaderSource;
  /** Where it is missing, the request counts as unsafe. */
  readonly method?: string | undefined;
  /** Absolute; tells whether the request came by https, and its host where there is no `Host` header. */
  readonly url?: string | undefined;
}

/** Whether a request with this method asks for no change (RFC 9110 §9.2.1). */
export function isSafeMethod(method: string | undefined): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

/**
 * Whether a page of our own or of a trusted origin sent the request, as far as the browser tells: `Sec-Fetch-Site` (Fetch
 * Metadata §2.3) or, from a browser without it, `Origin` (RFC 6454 §7). Without either nothing speaks against it.
 */
export function isAllowedOrigin(request: RequestHead, { trustedOrigins }: Pick<Settings, "trustedOrigins">): boolean {
  const origin = readHeader(request.headers, "origin");
  if (origin !== undefined && isTrustedOrigin(origin, { trustedOrigins })) return true;
  const fetchSite = readHeader(request.headers, "sec-fetch-site");
  if (fetchSite !== undefined) return fetchSite === "same-origin";
  return origin === undefined || isOwnOrigin(origin, request);
}

/** Whether `origin` is on the list; `null`, which any sandboxed page sends, never is. */
export function isTrustedOrigin(origin: string, { trustedOrigins }: Pick<Settings, "trustedOrigins">): boolean {
  return origin !== "null" && trustedOrigins.includes(origin);
}

/** Whether host and port are the request's own. A proxy may have ended TLS, so https is fine where we see http. */
function isOwnOrigin(origin: string, { headers, url }: RequestHead): boolean {
  const own = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
  const host = readHost(headers) ?? own?.host;
  const [, scheme, originHost] = /^(https?):\/\/([^/?#@\\\s]+)$/.exec(origin) ?? [];
  if (scheme === undefined || originHost === undefined || host === undefined) return false;
  if (own?.protocol === "https:" && scheme !== "https") return false;
  return toHostAndPort(scheme, originHost) === toHostAndPort(scheme, host);
}

/** In one spelling, without the scheme's default port; what is no host is left as it is. */
function toHostAndPort(scheme: string, host: string): string {
  const url = `${scheme}://${host}`;
  return URL.canParse(url) ? new URL(url).host : host;
}
