import type { TokenPair } from "../../core/claims.ts";
import { type CookieNameSettings, type CookieNames, toCookieNames } from "../../core/settings/cookie-names.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { deviceTokenLifetime } from "../../crypto/device-tokens.ts";
import type { TokenLimits } from "../../flows/token-pair.ts";
import { type HeaderSource, readHeader } from "../request/headers.ts";

/** The settings that shape the cookies. */
export type CookieSettings = CookieNameSettings &
  Pick<Settings, "cookieSameSite" | "cookieDomain" | "authPath" | "publicPath">;

/** The values of tokenpair's cookies in one request. */
export interface RequestCookies {
  /** The access token. */
  readonly access: string | undefined;
  /** The refresh token. Missing if there are two: see `refreshCandidates`. */
  readonly refresh: string | undefined;
  /**
   * The values of all refresh cookies if there are two or more: a host of the same site can plant one, which must not lock
   * the user out. `readSessionCookies` finds the browser's own.
   */
  readonly refreshCandidates: readonly string[] | undefined;
  /** The CSRF token. */
  readonly csrf: string | undefined;
  /** The device token. Missing if there are two, as the request then counts as one from an unknown device. */
  readonly device: string | undefined;
  /** Whether there are two access or CSRF cookies. Another site set one of them, and nothing says which. */
  readonly hasDuplicates: boolean;
}

/** Returns the longest tokens that browsers keep in the cookies. */
export function toTokenLimits(settings: CookieSettings): TokenLimits {
  const { access, refresh } = toCookieNames(settings);
  return { access: maxCookieLength - access.length, refresh: maxCookieLength - refresh.length };
}

/**
 * Reads tokenpair's cookies from the `Cookie` header (RFC 6265 §5.4). Names are compared byte by byte, without the
 * spaces and tabs around them. A reader that trims or decodes more would accept names that the browser does not
 * protect.
 */
export function readCookies(headers: HeaderSource, settings: CookieSettings): RequestCookies {
  const names = toCookieNames(settings);
  const header = readHeader(headers, "cookie") ?? "";
  const found: Partial<Record<keyof CookieNames, string>> = {};
  const duplicated: Partial<Record<keyof CookieNames, true>> = {};
  let refreshCandidates: string[] | undefined;
  let equals = header.indexOf("=");
  for (let start = 0, end = 0; equals !== -1 && start < header.length; start = end + 1) {
    const semicolon = header.indexOf(";", start);
    end = semicolon === -1 ? header.length : semicolon;
    if (equals < start) equals = header.indexOf("=", start);
    if (equals === -1 || equals > end) continue;
    const kind = findKind(names, trimBlanks(header, start, equals));
    if (kind === null) continue;
    const value = trimBlanks(header, equals + 1, end);
    if (found[kind] === undefined) found[kind] = value;
    else if (kind !== "refresh") duplicated[kind] = true;
    else if (refreshCandidates === undefined) refreshCandidates = [found[kind], value];
    else refreshCandidates.push(value);
  }
  return {
    access: found.access || undefined,
    refresh: refreshCandidates === undefined ? found.refresh || undefined : undefined,
    refreshCandidates,
    csrf: found.csrf || undefined,
    device: duplicated.device ? undefined : found.device || undefined,
    hasDuplicates: Boolean(duplicated.access || duplicated.csrf),
  };
}

function findKind(names: CookieNames, name: string): keyof CookieNames | null {
  if (name === names.access) return "access";
  if (name === names.refresh) return "refresh";
  if (name === names.csrf) return "csrf";
  return name === names.device ? "device" : null;
}

/** What the cookies of a session hold. */
export interface SessionCookies {
  /** The tokens. Without `refresh`, the browser keeps the refresh cookie that it has. */
  readonly pair: Omit<TokenPair, "refresh"> & { readonly refresh?: string };
  /** The CSRF token. */
  readonly csrfToken: string;
  /** "Remember me". If false, the browser deletes the three cookies when it closes. */
  readonly persistent: boolean;
}

/** Returns the `Set-Cookie` headers of a session. The access cookie expires together with its token. */
export function toSessionCookies(
  settings: CookieSettings,
  { pair, csrfToken, persistent }: SessionCookies,
): readonly string[] {
  const access = toAccessCookie(settings, pair.access, persistent ? pair.accessExpiresIn : null);
  const maxAge = persistent ? pair.refreshExpiresIn : null;
  const refresh = pair.refresh === undefined ? [] : [toRefreshCookie(settings, pair.refresh, maxAge)];
  return [access, ...refresh, toCsrfCookie(settings, csrfToken, maxAge)];
}

/** Returns the `Set-Cookie` headers that delete a session's cookies. The device cookie stays: the device is known. */
export function toClearedCookies(settings: CookieSettings): readonly string[] {
  return [toAccessCookie, toRefreshCookie, toCsrfCookie].map((toCookie) => toCookie(settings, "", 0));
}

/** The maximum number of domains whose variants are deleted: a client can send a host with many labels. */
const maxVariantDomains = 6;

/**
 * Returns the `Set-Cookie` headers that delete the refresh cookies that other hosts of the same site may have planted:
 * for the host and each of its parent domains, at each path above the cookie endpoints.
 *
 * @param hostname the host of the request, without its port.
 */
export function toClearedVariants(settings: CookieSettings, hostname: string): readonly string[] {
  if (!/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.[a-z][a-z0-9-]*$/.test(hostname)) return [];
  const domains = hostname
    .split(".")
    .map((_, i, labels) => labels.slice(i).join("."))
    .slice(0, -1)
    .slice(-maxVariantDomains);
  const paths = toAuthCookiePath(settings)
    .split("/")
    .map((_, i, parts) => parts.slice(0, i + 1).join("/") || "/");
  return domains.flatMap((cookieDomain) =>
    paths.map((authPath) => toRefreshCookie({ ...settings, publicPath: undefined, cookieDomain, authPath }, "", 0)),
  );
}

/** Adds `Set-Cookie` headers to a response, and returns it. */
export function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append("Set-Cookie", cookie);
  return response;
}

/** Returns the path of the cookie endpoints as browsers see it: a proxy may remove a prefix from it. */
function toAuthCookiePath({ publicPath = "", authPath }: CookieSettings): string {
  return `${publicPath}${authPath}`;
}

/** Returns a `Set-Cookie` header. `maxAge` is in seconds; `null` means until the browser closes. */
type ToCookie = (settings: CookieSettings, value: string, maxAge: number | null) => string;

/** Returns the access cookie, which browsers send to every path. */
export const toAccessCookie: ToCookie = (settings, value, maxAge) =>
  serializeCookie(settings, {
    name: toCookieNames(settings).access,
    value,
    maxAge,
    path: "/",
    httpOnly: true,
    sameSite: settings.cookieSameSite,
  });

/** Returns the refresh cookie, which browsers send to the cookie endpoints only. */
export const toRefreshCookie: ToCookie = (settings, value, maxAge) =>
  serializeCookie(settings, {
    name: toCookieNames(settings).refresh,
    value,
    maxAge,
    path: toAuthCookiePath(settings),
    httpOnly: true,
    sameSite: "Strict",
  });

/** Returns the CSRF cookie, which scripts can read to send its value in the CSRF header. */
export const toCsrfCookie: ToCookie = (settings, value, maxAge) =>
  serializeCookie(settings, {
    name: toCookieNames(settings).csrf,
    value,
    maxAge,
    path: "/",
    httpOnly: false,
    sameSite: settings.cookieSameSite,
  });

/** Returns the cookie of a known device, which browsers send to the cookie endpoints only. */
export function toDeviceCookie(settings: CookieSettings, value: string, persistent: boolean): string {
  return serializeCookie(settings, {
    name: toCookieNames(settings).device,
    value,
    maxAge: persistent ? deviceTokenLifetime : null,
    path: toAuthCookiePath(settings),
    httpOnly: true,
    sameSite: "Strict",
  });
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly maxAge: number | null;
  readonly path: string;
  readonly httpOnly: boolean;
  readonly sameSite: Settings["cookieSameSite"];
}

/** The maximum number of bytes that browsers accept for a name and its value. They ignore a longer cookie without a message. */
const maxCookieLength = 4_096;

/**
 * Returns a `Set-Cookie` header (RFC 6265 §4.1.1).
 *
 * @throws TypeError if the value has a character that is not allowed in a cookie.
 */
function serializeCookie(settings: CookieSettings, cookie: Cookie): string {
  if (!/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(cookie.value)) {
    throw new TypeError(`the value of the cookie ${cookie.name} has a character that is not allowed in a cookie`);
  }
  return [
    `${cookie.name}=${cookie.value}`,
    ...(cookie.maxAge === null ? [] : [`Max-Age=${cookie.maxAge}`]),
    ...(settings.cookieDomain === undefined ? [] : [`Domain=${settings.cookieDomain}`]),
    `Path=${cookie.path}`,
    ...(settings.insecureCookies ? [] : ["Secure"]),
    ...(cookie.httpOnly ? ["HttpOnly"] : []),
    `SameSite=${cookie.sameSite}`,
  ].join("; ");
}

/** Trims without a regular expression: one for the end of a text takes quadratic time in the number of blanks. */
function trimBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (start < end && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** A space or a tab. */
const isBlank = (code: number) => code === 0x20 || code === 0x09;
