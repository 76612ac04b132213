import { isLoopbackHostname } from "../addresses.ts";

/**
 * Returns the setting `issuer` as the URL at which other services find this installation (RFC 8414 §2): https, or http on
 * this machine, without user, query and fragment. Returns `null` for any other text.
 */
export function parseIssuerUrl(issuer: string | undefined): URL | null {
  // A URL parser drops white space and an empty query, but `iss` is compared as text.
  if (issuer === undefined || !/^https?:\/\/[^\s?#@\\]+$/.test(issuer)) return null;
  const url = URL.parse(issuer);
  if (url === null) return null;
  return url.protocol === "https:" || isLoopbackHostname(url.hostname) ? url : null;
}
