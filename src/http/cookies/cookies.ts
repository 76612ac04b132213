import type { TokenPair } from "../../core/claims.ts";
import { type CookieNameSettings, type CookieNames, toCookieNames } from "../../core/settings/cookie-names.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { deviceTokenLifetime } from "../../crypto/device-tokens.ts";
import type { TokenLimits } from "../../flows/sessions/token-pair.ts";
import { type HeaderSource, readHeader } from "../request/headers.ts";

/** The settings that the cookies depend on. */
export type CookieHeaderSettings = CookieNameSettings &
  Pick<Settings, "cookieSameSite" | "cookieDomain" | "authPath" | "publicPath">;

/** The values of tokenpair's cookies in a request. */
export interface RequestCookies {
  /** The access token. */
  readonly access: string | undefined;
  /** The refresh token. Missing if there are two or more. In that case, see `refreshCandidates`. */
  readonly refresh: string | undefined;
  /**
   * The values of all refresh cookies, if there are two or more. A host of the same site can plant a second cookie, which
   * must not lock the user out. `readSessionCookies` finds the browser's own cookie.
   */
  readonly refreshCandidates: readonly string[] | undefined;
  /** The CSRF token. */
  readonly csrf: string | undefined;
  /** The device token. Missing if there are two. In that case, the device counts as unknown. */
  readonly device: string | undefined;
  /**
   * Whether there are two access cookies or two CSRF cookies. Another site has set one of them, and it isn't possible to
   * tell which.
   */
  readonly hasDuplicates: boolean;
}

/** Returns the maximum length of tokens that browsers store in the cookies. */
export function toTokenLimits(settings: CookieHeaderSettings): TokenLimits {
  const { access, refresh } = toCookieNames(settings);
  return { access: maxCookieLength - access.length, refresh: maxCookieLength - refresh.length };
}

/**
 * Reads tokenpair's cookies from the `Cookie` header (RFC 6265 §5.4). Spaces and tabs around names are removed, and names
 * are compared byte by byte. A reader that trims or decodes more would accept names that the browser does not protect.
 */
export function readCookies(headers: HeaderSource, settings: CookieNameSettings): RequestCookies {
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

/** The values for the cookies of a session. */
export interface SessionCookies {
  /** The tokens. If `refresh` is missing, the browser keeps its current refresh cookie. */
  readonly pair: Omit<TokenPair, "refresh"> & { readonly refresh?: string };
  /** The CSRF token. */
  readonly csrfToken: string;
  /** Whether the browser keeps the three cookies after it is closed ("remember me"). */
  readonly persistent: boolean;
}

/** Returns the `Set-Cookie` headers of a session. The access cookie expires together with its token. */
export function toSessionCookies(
  settings: CookieHeaderSettings,
  { pair, csrfToken, persistent }: SessionCookies,
): readonly string[] {
  const access = toAccessCookie(settings, pair.access, persistent ? pair.accessExpiresIn : null);
  const maxAge = persistent ? pair.refreshExpiresIn : null;
  const refresh = pair.refresh === undefined ? [] : [toRefreshCookie(settings, pair.refresh, maxAge)];
  return [access, ...refresh, toCsrfCookie(settings, csrfToken, maxAge)];
}

/**
 * Returns the `Set-Cookie` headers that delete a session's cookies. They don't delete the device cookie, because the device
 * stays known.
 */
export function toClearedCookies(settings: CookieHeaderSettings): readonly string[] {
  return [toAccessCookie, toRefreshCookie, toCsrfCookie].map((toCookie) => toCookie(settings, "", 0));
}

/**
 * The maximum number of domains for which cookies are deleted. It is limited because a client can send a host with many
 * labels.
 */
const maxVariantDomains = 6;

/**
 * Returns the `Set-Cookie` headers that delete refresh cookies that other hosts of the same site may have planted. They
 * cover the host and each of its parent domains, at each path above the cookie endpoints.
 *
 * @param hostname the host of the request, without its port.
 */
export function toClearedVariants(settings: CookieHeaderSettings, hostname: string): readonly string[] {
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

/** Adds `Set-Cookie` headers to a response, and returns the response. */
export function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append("Set-Cookie", cookie);
  return response;
}

/** Returns the path of the cookie endpoints as browsers see it. It differs from `authPath` if a proxy removes a prefix. */
function toAuthCookiePath({ publicPath = "", authPath }: CookieHeaderSettings): string {
  return `${publicPath}${authPath}`;
}

/** Returns a `Set-Cookie` header. `maxAge` is in seconds. `null` means until the browser is closed. */
type ToCookie = (settings: CookieHeaderSettings, value: string, maxAge: number | null) => string;

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

/** Returns the refresh cookie. Browsers send it only to the cookie endpoints. */
export const toRefreshCookie: ToCookie = (settings, value, maxAge) =>
  serializeCookie(settings, {
    name: toCookieNames(settings).refresh,
    value,
    maxAge,
    path: toAuthCookiePath(settings),
    httpOnly: true,
    sameSite: "Strict",
  });

/** Returns the CSRF cookie. Scripts read it and send its value in the CSRF header. */
export const toCsrfCookie: ToCookie = (settings, value, maxAge) =>
  serializeCookie(settings, {
    name: toCookieNames(settings).csrf,
    value,
    maxAge,
    path: "/",
    httpOnly: false,
    sameSite: settings.cookieSameSite,
  });

/** Returns the cookie that marks a known device. Browsers send it only to the cookie endpoints. */
export function toDeviceCookie(settings: CookieHeaderSettings, value: string, persistent: boolean): string {
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

/** The maximum number of bytes of a cookie's name and value together. Browsers ignore a longer cookie without a message. */
const maxCookieLength = 4_096;

/**
 * Returns a `Set-Cookie` header (RFC 6265 §4.1.1).
 *
 * @throws TypeError if the value has a character that is not allowed in a cookie.
 */
function serializeCookie(settings: CookieHeaderSettings, cookie: Cookie): string {
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

/**
 * Trims without a regular expression. A regular expression for the end of a text would take quadratic time in the number of
 * blanks.
 */
function trimBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (start < end && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Returns whether the character is a space or a tab. */
const isBlank = (code: number) => code === 0x20 || code === 0x09;
