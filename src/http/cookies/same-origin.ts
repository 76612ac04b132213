import type { Settings } from "../../core/settings/settings.ts";
import { type RequestHead, readHeader, readHost } from "../request/headers.ts";

type OriginSettings = Pick<Settings, "trustedOrigins">;

/** Returns whether the method is safe. A request with a safe method changes nothing (RFC 9110 §9.2.1). */
export function isSafeMethod(method: string | undefined): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

/**
 * Returns whether the request comes from the server's own origin or from a trusted one. Browsers send this information in
 * `Sec-Fetch-Site` (Fetch Metadata §2.3) or, if they are older, in `Origin` (RFC 6454 §7). A request with neither header is
 * allowed. A request from a page of an app, whose origin has its own scheme, is never allowed.
 */
export function isAllowedOrigin(request: RequestHead, settings: OriginSettings): boolean {
  const origin = readHeader(request.headers, "origin");
  if (origin !== undefined && isAppOrigin(origin)) return false;
  if (origin !== undefined && isTrustedOrigin(origin, settings)) return true;
  const fetchSite = readHeader(request.headers, "sec-fetch-site");
  if (fetchSite !== undefined) return fetchSite === "same-origin";
  return origin === undefined || isOwnOrigin(origin, request);
}

/**
 * Returns whether `trustedOrigins` contains `origin` or a pattern that matches it. The origin `null`, which every sandboxed
 * page sends, is never trusted.
 */
export function isTrustedOrigin(origin: string, { trustedOrigins }: OriginSettings): boolean {
  return origin !== "null" && trustedOrigins.some((trusted) => isMatch(origin, trusted));
}

/**
 * Returns whether the scheme of `origin` belongs to an app, as in `capacitor://localhost`. Any app on the device can use
 * such a scheme, so its pages never get or use cookies.
 */
export function isAppOrigin(origin: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(origin) && !/^https?:/i.test(origin);
}

const wildcard = "https://*";

/** Matches one or more labels of a host name. */
const subdomains = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

function isMatch(origin: string, trusted: string): boolean {
  if (!trusted.startsWith(wildcard)) return origin === trusted;
  const end = trusted.slice(wildcard.length); // ".example.com"
  if (!origin.startsWith("https://") || !origin.endsWith(end)) return false;
  return subdomains.test(origin.slice("https://".length, -end.length));
}

/**
 * Compares host and port with those of the request. An https origin also matches an http request, because a proxy may
 * terminate TLS.
 */
function isOwnOrigin(origin: string, { headers, url }: RequestHead): boolean {
  const own = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
  const host = readHost(headers) ?? own?.host;
  const [, scheme, originHost] = /^(https?):\/\/([^/?#@\\\s]+)$/.exec(origin) ?? [];
  if (scheme === undefined || originHost === undefined || host === undefined) return false;
  if (own?.protocol === "https:" && scheme !== "https") return false;
  return toHostAndPort(scheme, originHost) === toHostAndPort(scheme, host);
}

/** Normalizes a host and removes the default port of the scheme. Returns a text that is not a host unchanged. */
function toHostAndPort(scheme: string, host: string): string {
  const url = `${scheme}://${host}`;
  return URL.canParse(url) ? new URL(url).host : host;
}
