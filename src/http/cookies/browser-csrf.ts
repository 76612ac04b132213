import type { HttpDeps } from "../endpoint.ts";
import type { RequestHead } from "../request/headers.ts";
import {
  requireAllowedOrigin,
  requireCsrfToken,
  requireRepeatedCsrfToken,
  requireStatedOrigin,
  requireUniqueCookies,
} from "./checks.ts";
import { findCookieSession } from "./cookie-session.ts";
import { type RequestCookies, toCsrfCookie, toRefreshCookie } from "./cookies.ts";
import { createCsrfToken, isAcceptedCsrfToken } from "./csrf-token.ts";

type CsrfDeps = Pick<HttpDeps, "settings" | "tokens" | "keys" | "random">;

/** A browser's CSRF token. */
export interface BrowserCsrfToken {
  /** The token. */
  readonly token: string;
  /** The session that it belongs to; `null`: it was made before a login. */
  readonly sessionId: string | null;
  /** The `Set-Cookie` headers; none if the browser has the token already. */
  readonly cookies: readonly string[];
}

/**
 * Returns the CSRF token of a browser's session, or one for a browser without a session. A valid token is returned again without
 * a new cookie, so that tabs don't replace each other's.
 *
 * Only the access cookie can bind a new token to a session: no other host can set it. A sibling domain can set the
 * refresh cookie, for its own session (login CSRF). A refresh cookie without an access cookie or a CSRF token of
 * its session is therefore unusable, and is deleted.
 */
export function toBrowserCsrfToken(deps: CsrfDeps, cookies: RequestCookies): BrowserCsrfToken {
  const { keys, random, settings } = deps;
  const sessionId = findCookieSession(deps, cookies)?.sessionId ?? null;
  if (cookies.csrf !== undefined && isAcceptedCsrfToken(keys.current(), cookies.csrf, sessionId)) {
    return { token: cookies.csrf, sessionId, cookies: [] };
  }
  const ownSessionId = findCookieSession(deps, { ...cookies, refresh: undefined })?.sessionId ?? null;
  const token = createCsrfToken(keys.current().csrfKeys[0], ownSessionId, random);
  // Without this token the session's next refresh would be refused, so it must be kept when the browser closes.
  const maxAge = ownSessionId === null ? null : settings.refreshTokenLifetime;
  const isRefreshCookieUnusable = sessionId !== null && ownSessionId === null;
  return {
    token,
    sessionId: ownSessionId,
    cookies: [
      toCsrfCookie(settings, token, maxAge),
      ...(isRefreshCookieUnusable ? [toRefreshCookie(settings, "", 0)] : []),
    ],
  };
}

/**
 * Returns the CSRF token for a form of a page of the application's own. Such a page doesn't get the refresh cookie, so it can't
 * tell which session a token of a session belongs to. It must not replace that token either: the session's next refresh needs it.
 */
export function toFormCsrfToken(deps: CsrfDeps, cookies: RequestCookies): BrowserCsrfToken {
  if (!isOfHiddenSession(deps, cookies) || cookies.csrf === undefined) return toBrowserCsrfToken(deps, cookies);
  return { token: cookies.csrf, sessionId: null, cookies: [] };
}

/** A request that a form or a script of the application's own has sent. */
export interface FormRequest {
  readonly request: RequestHead;
  readonly cookies: RequestCookies;
  /** The token that a form has sent in a field. Default: it is in the header. */
  readonly field: string | undefined;
}

/**
 * Makes the checks of an unsafe request to a page of the application's own that needs no session: two cookies, origin, CSRF token.
 * The token may be one from before a login, or that of the session that the browser has. The token of a session that such a page
 * can't see can't be verified, so the browser must also say that a page of this origin has sent the request.
 *
 * @throws AuthError `csrf_failed`.
 */
export function requireFormCsrfToken(deps: CsrfDeps, { request, cookies, field }: FormRequest): void {
  const { headers } = request;
  requireUniqueCookies(cookies);
  requireAllowedOrigin(deps, request);
  if (isOfHiddenSession(deps, cookies)) {
    requireRepeatedCsrfToken(deps.settings, headers, { cookie: cookies.csrf, field });
    requireStatedOrigin(deps, request);
    return;
  }
  const session = findCookieSession(deps, cookies);
  const sessionIds = session === null ? [null] : [null, session.sessionId];
  requireCsrfToken(deps, headers, { field, cookie: cookies.csrf, sessionIds });
}

/** Returns whether a CSRF token says that it belongs to a session, which the other cookies don't show. */
function isOfHiddenSession(deps: CsrfDeps, cookies: RequestCookies): boolean {
  return cookies.csrf?.startsWith("s") === true && findCookieSession(deps, cookies) === null;
}
