import { isLoopbackHostname } from "../../core/addresses.ts";
import { AuthError } from "../../core/errors.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { isSameText } from "../../crypto/same-text.ts";
import type { HttpDeps } from "../endpoint.ts";
import { type HeaderSource, type RequestHead, readHeader, toLowerCase } from "../request/headers.ts";
import type { RequestCookies } from "./cookies.ts";
import { isAcceptedCsrfToken } from "./csrf-token.ts";
import { isAllowedOrigin, isTrustedOrigin } from "./same-origin.ts";

/**
 * Does the first check of a request by cookie: there must not be two access cookies or two CSRF cookies.
 *
 * @throws AuthError `csrf_failed`.
 */
export function requireUniqueCookies({ hasDuplicates }: RequestCookies): void {
  if (hasDuplicates) throw twoCookies();
}

/**
 * Does the first check of a login or logout. In addition to the check of `requireUniqueCookies`, if there are several
 * refresh cookies, one of them must be known to be the browser's own. There is one exception: if the CSRF token is from
 * before a login, the browser has no session, and all refresh cookies are ignored.
 *
 * @param cookies the result of `readSessionCookies`.
 * @throws AuthError `csrf_failed`.
 */
export function requireUniqueSession({ keys }: Pick<HttpDeps, "keys">, cookies: RequestCookies): void {
  requireUniqueCookies(cookies);
  const { refresh, refreshCandidates, csrf } = cookies;
  if (refreshCandidates === undefined || refresh !== undefined) return;
  if (csrf === undefined || !isAcceptedCsrfToken(keys.current(), csrf, null)) throw twoCookies();
}

/**
 * Does the first check of a refresh. In addition to the check of `requireUniqueCookies`, there must be a refresh cookie. If
 * there are several, one of them must be known to be the browser's own.
 *
 * @param cookies the result of `readSessionCookies`.
 * @returns the refresh token.
 * @throws AuthError `csrf_failed`, or `not_authenticated` if there is no refresh cookie.
 */
export function requireRefreshCookie(cookies: RequestCookies): string {
  requireUniqueCookies(cookies);
  const { refresh, refreshCandidates } = cookies;
  if (refresh !== undefined) return refresh;
  if (refreshCandidates !== undefined) throw twoCookies();
  throw new AuthError("not_authenticated", "the request has no refresh cookie");
}

/** What the checks of an origin need. */
export interface OriginDeps {
  readonly settings: Pick<Settings, "insecureCookies" | "trustedOrigins">;
}

const twoCookies = () => new AuthError("csrf_failed", "Two cookies have the same name.");

/**
 * Does the second check of an unsafe request by cookie: its origin must be the server's own or a trusted one. A request
 * that doesn't state its origin is allowed, because its CSRF token decides. With `insecureCookies`, such a request is
 * refused, because any host could have set the CSRF cookie.
 *
 * @throws AuthError `csrf_failed`.
 */
export function requireAllowedOrigin(deps: OriginDeps, request: RequestHead): void {
  if (deps.settings.insecureCookies) requireStatedOrigin(deps, request);
  else requireOwnOrTrustedOrigin(deps, request);
}

/**
 * Does the same as `requireAllowedOrigin`, for a request without a CSRF token. The request must state its origin.
 *
 * @throws AuthError `csrf_failed`.
 */
export function requireStatedOrigin(deps: OriginDeps, request: RequestHead): void {
  const [origin, site] = [readHeader(request.headers, "origin"), readHeader(request.headers, "sec-fetch-site")];
  const isStated = origin !== undefined || site !== undefined;
  if (!isStated || (site === undefined && isDowngraded(deps, origin))) {
    throw new AuthError("csrf_failed", "Origin checking failed.");
  }
  requireOwnOrTrustedOrigin(deps, request);
}

/**
 * Returns whether an origin is one of http although the cookies are secure: an attacker on the network can answer for it. A proxy may
 * hide from the server that the request came by https. Browsers send secure cookies to this machine without it.
 */
function isDowngraded({ settings }: OriginDeps, origin: string | undefined): boolean {
  if (settings.insecureCookies || origin === undefined || !URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  return protocol === "http:" && !isLoopbackHostname(hostname) && !isTrustedOrigin(origin, settings);
}

function requireOwnOrTrustedOrigin({ settings }: OriginDeps, request: RequestHead): void {
  if (!isAllowedOrigin(request, settings)) throw new AuthError("csrf_failed", "Origin checking failed.");
}

/** A client that never asked for the token gets the same answer as a browser that keeps no cookies. */
const cookieNotSet =
  "CSRF cookie not set. Get it from csrf/ first. If you did, the browser blocks this site's cookies.";

/** The CSRF tokens that a request may have. */
export interface ExpectedCsrfToken {
  /** The token that a form has sent in a field. Default: it is in the header. */
  readonly field?: string | undefined;
  /** The value of the CSRF cookie. */
  readonly cookie: string | undefined;
  /** The sessions that the token may belong to. `null` is for a token from before a login. */
  readonly sessionIds: readonly (string | null)[];
}

/**
 * The last check of an unsafe request by cookie: the CSRF header, or a form's field, has the token of the CSRF cookie, and that
 * token was made for one of `sessionIds`.
 *
 * @throws AuthError `csrf_failed`.
 */
export function requireCsrfToken(
  { keys, settings }: Pick<HttpDeps, "keys" | "settings">,
  headers: HeaderSource,
  { field, cookie, sessionIds }: ExpectedCsrfToken,
): void {
  const token = requireRepeatedCsrfToken(settings, headers, { cookie, field });
  if (!sessionIds.some((sessionId) => isAcceptedCsrfToken(keys.current(), token, sessionId))) {
    throw new AuthError("csrf_failed", "CSRF token does not belong to this session.");
  }
}

/**
 * Requires that the CSRF header, or a form's field, has the token of the CSRF cookie.
 *
 * @param sent.cookie the value of the CSRF cookie.
 * @param sent.field the value of the form's field, if the request is a form.
 * @returns the token. Nothing says yet that it was made by this installation.
 * @throws AuthError `csrf_failed`.
 */
export function requireRepeatedCsrfToken(
  { csrfHeaderName }: Pick<Settings, "csrfHeaderName">,
  headers: HeaderSource,
  { cookie, field }: Pick<ExpectedCsrfToken, "cookie" | "field">,
): string {
  const token = field ?? readHeader(headers, toLowerCase(csrfHeaderName));
  if (token === undefined) throw new AuthError("csrf_failed", "CSRF token missing.");
  if (cookie === undefined) throw new AuthError("csrf_failed", cookieNotSet);
  if (!isSameText(token, cookie)) throw new AuthError("csrf_failed", "CSRF token does not match the cookie.");
  return token;
}
