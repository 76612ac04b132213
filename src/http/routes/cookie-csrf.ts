import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import { requireSingleCookies } from "../cookies/checks.ts";
import { readCookies, toCsrfCookie, toRefreshCookie, withCookies } from "../cookies/cookies.ts";
import { createCsrfToken, isCsrfToken } from "../cookies/csrf-token.ts";
import { findPresentedSession } from "../cookies/presented-session.ts";
import { isAllowedOrigin } from "../cookies/same-origin.ts";
import { defineEndpoint, type HttpDeps } from "../endpoint.ts";
import { csrfFailed } from "../openapi/cookie-responses.ts";
import { toJsonResponse } from "../response/json.ts";

/**
 * `GET {authPath}/csrf`: the CSRF token of this browser's session, or of none. A good one is given again and its cookie
 * left alone, so that tabs do not take it from each other.
 *
 * A new token is bound to a session on the word of the access cookie only: no other host can plant that one, while a
 * sibling domain may have planted the refresh cookie of its own session (login CSRF). A refresh cookie with neither an
 * access cookie nor a CSRF token to vouch for it can never be used again, and is deleted.
 */
export const cookieCsrf = defineEndpoint({
  method: "GET",
  path: ({ authPath }) => `${authPath}/csrf`,
  summary: "Give the browser its CSRF token.",
  errors: "resource",
  responses: {
    200: { description: "The token; also a cookie, if it is new.", schema: z.object({ csrf_token: z.string() }) },
    403: csrfFailed,
  },
  async handle({ request, deps }) {
    const { csrfKey, random, settings } = deps;
    const cookies = readCookies(request.headers, settings);
    requireSingleCookies(cookies);
    requireNotCrossSite(deps, request);
    const sessionId = findPresentedSession(deps, cookies)?.sessionId ?? null;
    if (cookies.csrf !== undefined && isCsrfToken(csrfKey, cookies.csrf, sessionId)) {
      return toJsonResponse(200, { csrf_token: cookies.csrf });
    }
    const ownSessionId = findPresentedSession(deps, { ...cookies, refresh: undefined })?.sessionId ?? null;
    const token = createCsrfToken(csrfKey, ownSessionId, random);
    // Until the next refresh renews it, a session's token must outlast the browser: without it the refresh is refused.
    const maxAge = ownSessionId === null ? null : settings.refreshTokenLifetime;
    const isUnvouched = sessionId !== null && ownSessionId === null;
    return withCookies(toJsonResponse(200, { csrf_token: token }), [
      toCsrfCookie(settings, token, maxAge),
      ...(isUnvouched ? [toRefreshCookie(settings, "", 0)] : []),
    ]);
  },
});

/**
 * Another site can send the browser here, without the cookies that are Strict: the answer would replace the session's
 * token with one of no session. @throws AuthError `csrf_failed`.
 */
function requireNotCrossSite({ settings }: HttpDeps, request: Request): void {
  const isTyped = request.headers.get("Sec-Fetch-Site") === "none";
  if (!isTyped && !isAllowedOrigin(request, settings)) throw new AuthError("csrf_failed", "Origin checking failed.");
}
