import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import { requireUniqueCookies } from "../cookies/checks.ts";
import { findCookieSession } from "../cookies/cookie-session.ts";
import { toCsrfCookie, toRefreshCookie, withCookies } from "../cookies/cookies.ts";
import { createCsrfToken, isAcceptedCsrfToken } from "../cookies/csrf-token.ts";
import { readSessionCookies } from "../cookies/refresh-cookie.ts";
import { isAllowedOrigin } from "../cookies/same-origin.ts";
import { defineEndpoint, type HttpDeps } from "../endpoint.ts";
import { csrfFailed, sessionIdSchema, setCookie } from "../openapi/cookie-responses.ts";
import { toJsonResponse } from "../response/json.ts";

/**
 * `GET {authPath}/csrf`: returns the CSRF token of this browser's session, or a token for a browser without a session. If
 * the browser already has a valid token, it is returned again and no new cookie is set, so that tabs don't replace each
 * other's tokens.
 *
 * Only the access cookie can bind a new token to a session, because no other host can set that cookie. A sibling domain
 * could set a refresh cookie for a session of an attacker (login CSRF). Therefore, a refresh cookie is unusable without an access
 * cookie or a CSRF token of the same session, and is deleted.
 */
export const cookieCsrf = defineEndpoint({
  method: "GET",
  path: ({ authPath }) => `${authPath}/csrf`,
  operationId: "getCsrfToken",
  summary: "Get the browser's CSRF token.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  responses: {
    200: {
      description: "The CSRF token, and the session it belongs to. A new token is also in the CSRF cookie.",
      headers: [setCookie("Sets the CSRF cookie if the token is new, and deletes an unusable refresh cookie.")],
      schema: z.object({ csrf_token: z.string(), session: sessionIdSchema.nullable() }),
    },
    403: csrfFailed,
  },
  async handle({ request, deps }) {
    const { keys, random, settings } = deps;
    const cookies = readSessionCookies(deps, request.headers);
    requireUniqueCookies(cookies);
    requireNotCrossSite(deps, request);
    const sessionId = findCookieSession(deps, cookies)?.sessionId ?? null;
    if (cookies.csrf !== undefined && isAcceptedCsrfToken(keys.current(), cookies.csrf, sessionId)) {
      return toCsrfResponse(cookies.csrf, sessionId);
    }
    const ownSessionId = findCookieSession(deps, { ...cookies, refresh: undefined })?.sessionId ?? null;
    const token = createCsrfToken(keys.current().csrfKeys[0], ownSessionId, random);
    // Without this token the session's next refresh would be refused, so it must be kept when the browser closes.
    const maxAge = ownSessionId === null ? null : settings.refreshTokenLifetime;
    const isRefreshCookieUnusable = sessionId !== null && ownSessionId === null;
    return withCookies(toCsrfResponse(token, ownSessionId), [
      toCsrfCookie(settings, token, maxAge),
      ...(isRefreshCookieUnusable ? [toRefreshCookie(settings, "", 0)] : []),
    ]);
  },
});

function toCsrfResponse(token: string, sessionId: string | null): Response {
  return toJsonResponse(200, { csrf_token: token, session: sessionId === null ? null : { id: sessionId } });
}

/**
 * Refuses a navigation that another site started. Browsers send it without the refresh cookie, which is
 * `SameSite=Strict`, so the response would replace the session's CSRF token.
 *
 * @throws AuthError `csrf_failed`.
 */
function requireNotCrossSite({ settings }: HttpDeps, request: Request): void {
  const isTyped = request.headers.get("Sec-Fetch-Site") === "none";
  if (!isTyped && !isAllowedOrigin(request, settings)) throw new AuthError("csrf_failed", "Origin checking failed.");
}
