import { AuthError } from "../../core/errors.ts";
import { isSameText } from "../../crypto/same-text.ts";
import type { HttpDeps } from "../endpoint.ts";
import { readHeader, toLowerCase } from "../request/headers.ts";
import type { PresentedCookies } from "./cookies.ts";
import { isCsrfToken } from "./csrf-token.ts";
import { isAllowedOrigin, type RequestHead } from "./same-origin.ts";

/** Whatever cookie was set twice, the wrong one may come first. @throws AuthError `csrf_failed`. */
export function requireSingleCookies({ isDoubled }: PresentedCookies): void {
  if (isDoubled) throw new AuthError("csrf_failed", "Two cookies of one name.");
}

/**
 * The first checks of an unsafe request by cookie: no cookie of ours twice, and sent by a page of ours.
 *
 * @throws AuthError `csrf_failed`.
 */
export function requireOwnPage(deps: HttpDeps, request: RequestHead, cookies: PresentedCookies): void {
  requireSingleCookies(cookies);
  if (!isAllowedOrigin(request, deps.settings)) throw new AuthError("csrf_failed", "Origin checking failed.");
}

/**
 * As `requireOwnPage`, for requests that no CSRF token protects: the browser must name the page.
 *
 * @throws AuthError `csrf_failed`.
 */
export function requireNamedOwnPage(deps: HttpDeps, request: RequestHead, cookies: PresentedCookies): void {
  const { headers } = request;
  if (readHeader(headers, "origin") === undefined && readHeader(headers, "sec-fetch-site") === undefined) {
    throw new AuthError("csrf_failed", "Origin checking failed.");
  }
  requireOwnPage(deps, request, cookies);
}

/**
 * The last check: the header holds the CSRF cookie's token, which was made for one of `sessions` (`null`: for none).
 *
 * @throws AuthError `csrf_failed`.
 */
export function requireCsrfToken(
  { csrfKey, settings }: HttpDeps,
  { headers }: RequestHead,
  { csrf: cookie }: PresentedCookies,
  sessions: readonly (string | null)[],
): void {
  const token = readHeader(headers, toLowerCase(settings.csrfHeaderName));
  if (token === undefined) throw new AuthError("csrf_failed", "CSRF token missing.");
  if (cookie === undefined) throw new AuthError("csrf_failed", "CSRF cookie not set.");
  if (!isSameText(token, cookie)) throw new AuthError("csrf_failed", "CSRF token is not that of the cookie.");
  if (!sessions.some((sessionId) => isCsrfToken(csrfKey, token, sessionId))) {
    throw new AuthError("csrf_failed", "CSRF token is not that of the session.");
  }
}
