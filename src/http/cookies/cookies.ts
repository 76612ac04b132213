import type { TokenPair } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import { type CookieNameSettings, type CookieNames, toCookieNames } from "../../core/settings/cookie-names.ts";
import { days } from "../../core/settings/durations.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { type HeaderSource, readHeader } from "../request/headers.ts";

/** The settings that shape the cookies. */
export type CookieSettings = CookieNameSettings & Pick<Settings, "cookieSameSite" | "cookieDomain" | "authPath">;

/** Our cookies of one request. */
export interface PresentedCookies {
  readonly access: string | undefined;
  readonly refresh: string | undefined;
  readonly csrf: string | undefined;
  /** Missing where there are two: neither is worth a refusal. */
  readonly device: string | undefined;
  /** Two cookies have one of the names above it: one of them was set by somebody else, and nothing tells which. */
  readonly isDoubled: boolean;
}

/**
 * Our cookies in the `Cookie` header (RFC 6265 §5.4). A name counts only byte for byte, without the spaces and tabs
 * around it: whoever trims or decodes more finds a forged cookie under a name that the browser did not protect.
 */
export function readCookies(headers: HeaderSource, settings: CookieSettings): PresentedCookies {
  const names = toCookieNames(settings);
  const header = readHeader(headers, "cookie") ?? "";
  const found: Partial<Record<keyof CookieNames, string>> = {};
  const doubled: Partial<Record<keyof CookieNames, true>> = {};
  let equals = header.indexOf("=");
  for (let start = 0, end = 0; equals !== -1 && start < header.length; start = end + 1) {
    const semicolon = header.indexOf(";", start);
    end = semicolon === -1 ? header.length : semicolon;
    if (equals < start) equals = header.indexOf("=", start);
    if (equals === -1 || equals > end) continue;
    const kind = findKind(names, trimBlanks(header, start, equals));
    if (kind === null) continue;
    if (found[kind] === undefined) found[kind] = trimBlanks(header, equals + 1, end);
    else doubled[kind] = true;
  }
  return {
    access: found.access || undefined,
    refresh: found.refresh || undefined,
    csrf: found.csrf || undefined,
    device: doubled.device ? undefined : found.device || undefined,
    isDoubled: Boolean(doubled.access || doubled.refresh || doubled.csrf),
  };
}

function findKind(names: CookieNames, name: string): keyof CookieNames | null {
  if (name === names.access) return "access";
  if (name === names.refresh) return "refresh";
  if (name === names.csrf) return "csrf";
  return name === names.device ? "device" : null;
}

/** What a login or a refresh gives to a browser. */
export interface SessionCookies {
  /** Without `refresh`, the browser keeps the refresh cookie that it has. */
  readonly pair: Omit<TokenPair, "refresh"> & { readonly refresh?: string };
  readonly csrfToken: string;
  /** "Remember me": without it the browser drops all three when it closes. */
  readonly persistent: boolean;
}

/** The `Set-Cookie` headers of a session. The access cookie lives no longer than its token. */
export function toSessionCookies(
  settings: CookieSettings,
  { pair, csrfToken, persistent }: SessionCookies,
): readonly string[] {
  const access = toAccessCookie(settings, pair.access, persistent ? pair.accessExpiresIn : null);
  const maxAge = persistent ? pair.refreshExpiresIn : null;
  const refresh = pair.refresh === undefined ? [] : [toRefreshCookie(settings, pair.refresh, maxAge)];
  return [access, ...refresh, toCsrfCookie(settings, csrfToken, maxAge)];
}

/** The `Set-Cookie` headers that delete all three. The device cookie stays: the device has still logged in before. */
export function toClearedCookies(settings: CookieSettings): readonly string[] {
  return [toAccessCookie, toRefreshCookie, toCsrfCookie].map((toCookie) => toCookie(settings, "", 0));
}

/** Adds `Set-Cookie` headers to a response. */
export function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append("Set-Cookie", cookie);
  return response;
}

/** A cookie of our three; `maxAge` in seconds, `null` until the browser closes. */
type ToCookie = (settings: CookieSettings, value: string, maxAge: number | null) => string;

const toAccessCookie: ToCookie = (settings, value, maxAge) =>
  serializeCookie(settings, {
    name: toCookieNames(settings).access,
    value,
    maxAge,
    path: "/",
    httpOnly: true,
    sameSite: settings.cookieSameSite,
  });

/** The one that is sent to the cookie endpoints only. */
export const toRefreshCookie: ToCookie = (settings, value, maxAge) =>
  serializeCookie(settings, {
    name: toCookieNames(settings).refresh,
    value,
    maxAge,
    path: settings.authPath,
    httpOnly: true,
    sameSite: "Strict",
  });

/** The one that scripts may read, to send it back in the header. */
export const toCsrfCookie: ToCookie = (settings, value, maxAge) =>
  serializeCookie(settings, {
    name: toCookieNames(settings).csrf,
    value,
    maxAge,
    path: "/",
    httpOnly: false,
    sameSite: settings.cookieSameSite,
  });

/** As long as browsers keep a cookie (RFC 6265bis §5.5), in seconds. */
const deviceCookieLifetime = days(400);

/** The one that says that this device has logged in before; sent to the cookie endpoints only. */
export function toDeviceCookie(settings: CookieSettings, value: string, persistent: boolean): string {
  return serializeCookie(settings, {
    name: toCookieNames(settings).device,
    value,
    maxAge: persistent ? deviceCookieLifetime : null,
    path: settings.authPath,
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

/** The most that browsers keep of a name and its value together; of more they keep nothing, and say nothing. Bytes. */
const maxCookieLength = 4_096;

/**
 * RFC 6265 §4.1.1.
 *
 * @throws TypeError where the value has a character that would end it.
 * @throws AuthError `unavailable` where browsers would drop the cookie: the application's claims are too long for it.
 */
function serializeCookie(settings: CookieSettings, cookie: Cookie): string {
  if (!/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(cookie.value)) {
    throw new TypeError(`the value of the cookie ${cookie.name} is not a cookie value`);
  }
  if (cookie.name.length + cookie.value.length > maxCookieLength) {
    const cause = new TypeError(`claims: ${cookie.name} would be longer than the 4096 bytes that browsers keep`);
    throw new AuthError("unavailable", "a cookie is too long for a browser", { cause });
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

/** By hand: a regular expression for the end of a text takes a time that grows with the square of the blanks in it. */
function trimBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (start < end && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** A space or a tab. */
const isBlank = (code: number) => code === 0x20 || code === 0x09;
