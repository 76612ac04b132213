import type { SessionOwner } from "../../../flows/sessions/logout.ts";
import { requireAllowedOrigin, requireCsrfToken, requireUniqueSession } from "../../cookies/checks.ts";
import { findCookieSession, findSessionIds } from "../../cookies/cookie-session.ts";
import { readSessionCookies } from "../../cookies/refresh-cookie.ts";
import type { RequestContext } from "../../endpoint.ts";

/** What the cookies of a login say. */
export interface LoginRequest {
  /** The token of a known device. */
  readonly device: string | undefined;
  /** The session that the browser has. */
  readonly replaces: SessionOwner | undefined;
}

/**
 * Makes the checks of a login by cookie, in the order of the contract: cookies, origin, media type, CSRF token. The token may be
 * one from before a login, or that of the session that the browser has or had.
 *
 * @param csrfField the token that a form has sent in a field. Default: it is in the header.
 * @throws AuthError `csrf_failed`. RequestError as `requireMediaType`.
 */
export async function requireLoginRequest(
  { request, deps, requireMediaType }: RequestContext,
  csrfField?: string,
): Promise<LoginRequest> {
  const cookies = readSessionCookies(deps, request.headers);
  requireUniqueSession(deps, cookies);
  requireAllowedOrigin(deps, request);
  await requireMediaType();
  const replaces = findCookieSession(deps, cookies) ?? undefined;
  // A page without scripts can't replace the token of a session whose refresh token has expired.
  const sessionIds = [null, ...findSessionIds(deps, cookies)];
  requireCsrfToken(deps, request.headers, { field: csrfField, cookie: cookies.csrf, sessionIds });
  return { device: cookies.device, replaces };
}
