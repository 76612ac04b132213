import { AuthError } from "../../core/errors.ts";
import { isSameText } from "../../crypto/same-text.ts";
import type { HttpDeps } from "../endpoint.ts";
import { type HeaderSource, type RequestLike, readHeader, toLowerCase } from "../request/headers.ts";
import type { RequestCookies } from "./cookies.ts";
import { isAcceptedCsrfToken } from "./csrf-token.ts";
import { isAllowedOrigin } from "./same-origin.ts";

/** The first check of a request by cookie: no two access or CSRF cookies. @throws AuthError `csrf_failed` */
export function requireUniqueCookies({ hasDuplicates }: RequestCookies): void {
  if (hasDuplicates) throw twoCookies();
}

/**
 * The first check of a login or logout: as `requireUniqueCookies`, and of two refresh cookies one is known to be the
 * browser's own. If the CSRF token is one from before a login, none of them is, and they are ignored.
 *
 * @param cookies what `readSessionCookies` returned.
 * @throws AuthError `csrf_failed`.
 */
export function requireUniqueSession({ keys }: Pick<HttpDeps, "keys">, cookies: RequestCookies): void {
  requireUniqueCookies(cookies);
  const { refresh, refreshCandidates, csrf } = cookies;
  if (refreshCandidates === undefined || refresh !== undefined) return;
  if (csrf === undefined || !isAcceptedCsrfToken(keys.current(), csrf, null)) throw twoCookies();
}

/**
 * The first check of a refresh: as `requireUniqueCookies`, and there is one refresh cookie or, of several, one is known
 * to be the browser's own.
 *
 * @param cookies what `readSessionCookies` returned.
 * @returns the refresh token.
 * @throws AuthError `csrf_failed`; `not_authenticated` if there is no refresh cookie.
 */
export function requireRefreshCookie(cookies: RequestCookies): string {
  requireUniqueCookies(cookies);
  const { refresh, refreshCandidates } = cookies;
  if (refresh !== undefined) return refresh;
  if (refreshCandidates !== undefined) throw twoCookies();
  throw new AuthError("not_authenticated", "the request has no refresh cookie");
}

const twoCookies = () => new AuthError("csrf_failed", "Two cookies have the same name.");

/**
 * The second check of an unsafe request by cookie: its origin is the server's own or a trusted one. A request that
 * doesn't say its origin is allowed, as its CSRF token decides, but not with `insecureCookies`: any host may then have
 * set the CSRF cookie.
 *
 * @throws AuthError `csrf_failed`.
 */
export function requireAllowedOrigin(deps: Pick<HttpDeps, "settings">, request: RequestLike): void {
  if (deps.settings.insecureCookies) requireStatedOrigin(deps, request);
  else requireOwnOrTrustedOrigin(deps, request);
}

/**
 * As `requireAllowedOrigin`, for a request that no CSRF token protects: the browser must say its origin.
 *
 * @throws AuthError `csrf_failed`.
 */
export function requireStatedOrigin(deps: Pick<HttpDeps, "settings">, request: RequestLike): void {
  const { headers } = request;
  if (readHeader(headers, "origin") === undefined && readHeader(headers, "sec-fetch-site") === undefined) {
    throw new AuthError("csrf_failed", "Origin checking failed.");
  }
  requireOwnOrTrustedOrigin(deps, request);
}

function requireOwnOrTrustedOrigin({ settings }: Pick<HttpDeps, "settings">, request: RequestLike): void {
  if (!isAllowedOrigin(request, settings)) throw new AuthError("csrf_failed", "Origin checking failed.");
}

/** The CSRF tokens that a request may carry. */
export interface ExpectedCsrfToken {
  /** The token that a form has sent in a field. Default: it is in the header. */
  readonly field?: string | undefined;
  /** The value of the CSRF cookie. */
  readonly cookie: string | undefined;
  /** The sessions that the token may belong to; `null` for a token from before a login. */
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
  const token = field ?? readHeader(headers, toLowerCase(settings.csrfHeaderName));
  if (token === undefined) throw new AuthError("csrf_failed", "CSRF token missing.");
  if (cookie === undefined) throw new AuthError("csrf_failed", "CSRF cookie not set.");
  if (!isSameText(token, cookie)) throw new AuthError("csrf_failed", "CSRF token does not match the cookie.");
  if (!sessionIds.some((sessionId) => isAcceptedCsrfToken(keys.current(), token, sessionId))) {
    throw new AuthError("csrf_failed", "CSRF token does not belong to this session.");
  }
}
