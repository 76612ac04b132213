import { isLoopbackAddress, isLoopbackHostname, parseAddress } from "../../core/addresses.ts";
import { toCookieNames } from "../../core/settings/cookie-names.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { type RequestHead, readHeader, readHeaderNames, readHost } from "../request/headers.ts";

/**
 * Returns the settings for requests with development cookies. WebKit refuses secure cookies at http://localhost, so
 * development cookies have no `Secure` attribute and no name prefixes. Returns the settings unchanged if two cookies would
 * have the same name without their prefixes.
 */
export function toDevelopmentSettings(settings: Settings<AuthUser>): Settings<AuthUser> {
  const { cookieSameSite } = settings;
  const changed = Object.freeze<Settings<AuthUser>>({
    ...settings,
    insecureCookies: true,
    cookieDomain: undefined,
    // Browsers refuse None without Secure. All ports of localhost are one site, so Lax does.
    cookieSameSite: cookieSameSite === "None" ? "Lax" : cookieSameSite,
  });
  const names = Object.values(toCookieNames(changed));
  return new Set(names).size === names.length ? changed : settings;
}

/**
 * Returns whether a request was certainly sent by a browser on this machine. Its host, its origin (if it has one) and its
 * socket must be loopback addresses, and no proxy may have forwarded it.
 *
 * @param ip the address of the other end of the socket, or `undefined` if it isn't known.
 */
export function isDevelopmentRequest({ headers, url }: RequestHead, ip: string | undefined): boolean {
  const address = ip === undefined ? null : parseAddress(ip);
  if (address === null || !isLoopbackAddress(address)) return false;
  const host = readHost(headers);
  const origin = readHeader(headers, "origin");
  return (
    isLoopbackUrl(host === undefined ? (url ?? "") : `http://${host}`) &&
    (origin === undefined || isLoopbackUrl(origin)) &&
    !readHeaderNames(headers).some((name) => /^(?:forwarded|via|x-forwarded-.*)$/i.test(name))
  );
}

function isLoopbackUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return (protocol === "http:" || protocol === "https:") && isLoopbackHostname(hostname);
}
