import { z } from "zod";
import { AuthError } from "../../../core/errors.ts";
import { requireAllowedOrigin, requireCsrfToken, requireRefreshCookie } from "../../cookies/checks.ts";
import { type RequestCookies, toClearedCookies, toTokenLimits, withCookies } from "../../cookies/cookies.ts";
import { prepareIssuedCookies } from "../../cookies/issued-cookies.ts";
import { readSessionCookies } from "../../cookies/refresh-cookie.ts";
import { defineEndpoint, type HttpDeps, type RequestContext } from "../../endpoint.ts";
import {
  csrfFailed,
  csrfHeader,
  lifetimesSchema,
  publicClaimsSchema,
  sessionIdSchema,
  setCookie,
  userSchema,
} from "../../openapi/cookie-responses.ts";
import { throttled, tokenRefused, unavailable } from "../../openapi/responses.ts";
import { cookieMediaTypes } from "../../request/media-types.ts";
import { sessionEndedHeader, toErrorResponse } from "../../response/errors.ts";
import { toJsonResponse } from "../../response/json.ts";
import { badRefreshRequest, idempotencyKeyHeader, readIdempotencyKey, replayedHeader } from "../token/refresh.ts";

/** `POST {authPath}/refresh`: refreshes the session of the refresh cookie and sets new cookies. */
export const cookieRefresh = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/refresh`,
  operationId: "refreshCookies",
  summary: "Refresh the cookies.",
  errorStyle: "token",
  cors: "trusted_with_cookies",
  rateLimit: "refresh",
  security: ["refreshCookie"],
  headers: [csrfHeader, idempotencyKeyHeader],
  body: { accepts: cookieMediaTypes, schema: z.object({}) },
  responses: {
    200: {
      description: "The session, its user, and the lifetimes of the new tokens, which are in the cookies.",
      headers: [replayedHeader, { ...setCookie("Sets the access, refresh and CSRF cookies."), required: true }],
      schema: lifetimesSchema.extend({ session: sessionIdSchema, user: userSchema, claims: publicClaimsSchema }),
    },
    400: badRefreshRequest,
    401: {
      ...tokenRefused,
      headers: [...(tokenRefused.headers ?? []), setCookie("Deletes the cookies, together with `Session-Ended`.")],
    },
    403: csrfFailed,
    429: throttled,
    503: unavailable,
  },
  async handle(context) {
    const { deps, request } = context;
    const cookies = readSessionCookies(deps, request.headers);
    const refresh = requireRefreshCookie(cookies);
    requireAllowedOrigin(deps, request);
    await context.requireMediaType();
    try {
      return await refreshByCookie(context, { ...cookies, refresh });
    } catch (error) {
      // The browser may have newer cookies by now, so they are deleted only if their session is proved to be over.
      if (!(error instanceof AuthError) || !(await isSessionOver(deps, error, refresh))) throw error;
      const response = toErrorResponse(error, "token", deps.settings);
      for (const [name, value] of Object.entries(sessionEndedHeader)) response.headers.set(name, value);
      return withCookies(response, toClearedCookies(deps.settings));
    }
  },
});

async function refreshByCookie(
  { deps, request, client }: RequestContext,
  cookies: RequestCookies & { readonly refresh: string },
): Promise<Response> {
  const { flows, settings } = deps;
  const idempotencyKey = readIdempotencyKey(request.headers);
  const options = { idempotencyKey, client, tokenLimits: toTokenLimits(settings), readsUser: true };
  const claims = flows.verifyRefreshToken(cookies.refresh, options);
  requireCsrfToken(deps, request.headers, { cookie: cookies.csrf, sessionIds: [claims.sessionId] });
  const toCookies = prepareIssuedCookies(deps);
  const { outcome, session, pair, user, publicClaims } = await flows.refreshVerified(claims, options);

  const body = {
    session: { id: session.id },
    // A refresh of a user who is gone is refused, so there is a name.
    user: { id: session.userId, username: user?.username ?? "" },
    access_expires_in: pair.accessExpiresIn,
    refresh_expires_in: pair.refreshExpiresIn,
    claims: publicClaims,
  };
  return withCookies(
    toJsonResponse(200, body, outcome === "replayed" ? { "Token-Replayed": "true" } : {}),
    toCookies({ session, pair }),
  );
}

/**
 * Returns whether the session has ended. An expired token alone doesn't prove this, because another tab may have refreshed
 * the session in time.
 */
async function isSessionOver({ flows }: HttpDeps, { code, sessionEnded }: AuthError, token: string): Promise<boolean> {
  if (code !== "token_expired" || sessionEnded) return sessionEnded;
  return flows.isSessionOfExpiredTokenOver(token);
}
