import { z } from "zod";
import { AuthError } from "../../../core/errors.ts";
import type { LogoutScope } from "../../../flows/sessions/logout.ts";
import { requireAllowedOrigin, requireCsrfToken, requireUniqueSession } from "../../cookies/checks.ts";
import { findCookieSession, isCookieSessionLive } from "../../cookies/cookie-session.ts";
import { toClearedCookies, toClearedVariants, withCookies } from "../../cookies/cookies.ts";
import { readSessionCookies } from "../../cookies/refresh-cookie.ts";
import { defineEndpoint, type RequestContext } from "../../endpoint.ts";
import { csrfFailedOrActor, csrfHeader, setCookie } from "../../openapi/cookie-responses.ts";
import { emptySchema, notAuthenticated, revocationConfirmed, unavailable } from "../../openapi/responses.ts";
import { choiceField } from "../../request/fields.ts";
import { cookieMediaTypes } from "../../request/media-types.ts";
import { toErrorResponse } from "../../response/errors.ts";
import { toConfirmationHeaders, toJsonResponse } from "../../response/json.ts";
import { badRefreshRequest, idempotencyKeyHeader, readIdempotencyKey } from "../token/refresh.ts";

/**
 * `POST {authPath}/logout`: revokes this session, the user's other sessions, or all of the user's sessions. The revocation
 * is durable before the response is sent.
 */
export const cookieLogout = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/logout`,
  operationId: "logOut",
  summary: "Log out of this session, of the user's other sessions, or of all.",
  description:
    "With cookies, an expired access token doesn't matter: the refresh cookie and the CSRF header are enough. A client with a " +
    "bearer token sends its access token. If it has only a refresh token, it sends this token to the token endpoint `blacklist/`.",
  errorStyle: "token",
  cors: "trusted_with_cookies",
  security: ["bearer", "cookie", "refreshCookie"],
  headers: [csrfHeader, idempotencyKeyHeader],
  body: {
    accepts: cookieMediaTypes,
    schema: z.object({
      scope: choiceField(["local", "others", "all"], "local").meta({
        description: "Which sessions to revoke: this one (`local`), the user's others, or all.",
      }),
    }),
  },
  responses: {
    200: {
      description: "Logged out, or there was no session.",
      headers: [
        setCookie("Deletes the cookies, except with the scope `others` or with a bearer token."),
        { name: "Clear-Site-Data", description: '`"cache"` if the server is set so.', schema: z.literal('"cache"') },
        revocationConfirmed,
      ],
      schema: emptySchema,
    },
    400: badRefreshRequest,
    401: notAuthenticated,
    403: csrfFailedOrActor,
    503: unavailable,
  },
  async handle(context) {
    const { request, deps, client, requireMediaType, readBody } = context;
    const bearer = deps.readBearerToken(request.headers);
    if (bearer !== null) return logoutByBearer(bearer, context);
    const cookies = readSessionCookies(deps, request.headers);
    requireUniqueSession(deps, cookies);
    requireAllowedOrigin(deps, request);
    await requireMediaType();
    const session = findCookieSession(deps, cookies);
    requireCsrfToken(deps, request.headers, { cookie: cookies.csrf, sessionIds: [session?.sessionId ?? null] });
    const { scope } = await readBody();

    // A token of a session that is over may have been stolen, so it must not revoke any other session.
    const isAllowed =
      session !== null && (scope === "local" || (await isCookieSessionLive(deps, cookies, session.sessionId)));
    const revoked = isAllowed ? await nullIfSessionEnded(deps.flows.logout(session, { scope, client })) : null;
    const confirmed = revoked === null ? {} : toConfirmationHeaders(revoked);

    if (revoked !== null && scope === "others") return toJsonResponse(200, {}, confirmed);
    const headers = deps.settings.clearSiteData ? { ...confirmed, "Clear-Site-Data": '"cache"' } : confirmed;
    const { hostname } = new URL(request.url);
    return withCookies(toJsonResponse(200, {}, headers), [
      ...toClearedCookies(deps.settings),
      ...(cookies.refreshCandidates === undefined ? [] : toClearedVariants(deps.settings, hostname)),
    ]);
  },
});

/** Returns the result of a logout, or `null` if the session was revoked in the meantime. */
async function nullIfSessionEnded<T>(logout: Promise<T>): Promise<T | null> {
  try {
    return await logout;
  } catch (error) {
    if (error instanceof AuthError && error.sessionEnded) return null;
    throw error;
  }
}

/**
 * Logs out with an access token in the authorization header, which needs no CSRF token. If the token's session has ended,
 * the token may have been stolen, so it revokes no other session. After a lost response, the client can repeat the request:
 * if the session was revoked by a logout, the answer is still 200 for "local" and, with an idempotency key, for "all".
 */
async function logoutByBearer(
  token: string,
  { request, deps, client, readBody }: RequestContext<{ readonly scope: LogoutScope }>,
): Promise<Response> {
  const { scope } = await readBody();
  try {
    const isRetry = readIdempotencyKey(request.headers) !== undefined && scope === "all";
    if (isRetry && (await deps.flows.isLoggedOut(deps.tokens.verifyAccess(token)))) {
      // The confirmation of the first request is lost with its answer.
      const confirmation = deps.settings.confirmRevocations ? ({ confirmed: "pending" } as const) : {};
      return toJsonResponse(200, {}, toConfirmationHeaders(confirmation));
    }
    const { userId, sessionId } =
      scope === "local" ? deps.tokens.verifyAccess(token) : await deps.flows.authenticate(token);
    const revoked = await deps.flows.logout({ userId, sessionId }, { scope, client });
    return toJsonResponse(200, {}, toConfirmationHeaders(revoked));
  } catch (error) {
    if (error instanceof AuthError) return toErrorResponse(error, "resource", deps.settings);
    throw error;
  }
}
