import type { HttpDeps } from "../endpoint.ts";
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
  const isOfHiddenSession = cookies.csrf?.startsWith("s") === true && findCookieSession(deps, cookies) === null;
  if (!isOfHiddenSession || cookies.csrf === undefined) return toBrowserCsrfToken(deps, cookies);
  return { token: cookies.csrf, sessionId: null, cookies: [] };
}
