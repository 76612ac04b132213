import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import { requireCsrfToken, requireOwnPage, requireSingleCookies } from "../cookies/checks.ts";
import {
  type PresentedCookies,
  readCookies,
  toClearedCookies,
  toSessionCookies,
  withCookies,
} from "../cookies/cookies.ts";
import { createCsrfTokenOf } from "../cookies/csrf-token.ts";
import { defineEndpoint, type HttpDeps, type RequestContext } from "../endpoint.ts";
import { csrfFailed, csrfHeader, lifetimesSchema } from "../openapi/cookie-responses.ts";
import { throttled, tokenRefused, unavailable } from "../openapi/responses.ts";
import { cookieMediaTypes } from "../request/media-types.ts";
import { toErrorResponse } from "../response/errors.ts";
import { toJsonResponse } from "../response/json.ts";
import { idempotencyKeyHeader, readIdempotencyKey, replayedHeader } from "./token-refresh.ts";

/** `POST {authPath}/refresh`: the next pair for the refresh cookie. */
export const cookieRefresh = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/refresh`,
  summary: "Exchange the refresh cookie for the next pair of cookies.",
  errors: "token",
  limit: "refresh",
  security: ["refreshCookie"],
  headers: [csrfHeader, idempotencyKeyHeader],
  body: { accepts: cookieMediaTypes, schema: z.object({}) },
  responses: {
    200: {
      description: "The cookies are new.",
      headers: [replayedHeader],
      schema: lifetimesSchema,
    },
    401: tokenRefused,
    403: csrfFailed,
    429: throttled,
    503: unavailable,
  },
  async handle(context) {
    const { deps, request } = context;
    const cookies = readCookies(request.headers, deps.settings);
    requireSingleCookies(cookies);
    if (cookies.refresh === undefined) throw new AuthError("not_authenticated", "no refresh cookie was presented");
    requireOwnPage(deps, request, cookies);
    await context.requireMediaType();
    try {
      return await refreshByCookie(context, { ...cookies, refresh: cookies.refresh });
    } catch (error) {
      // Cookies go only if their session is proved to be over: the browser may have newer ones by now.
      if (!(error instanceof AuthError) || !(await isSessionOver(deps, error, cookies.refresh))) throw error;
      return withCookies(toErrorResponse(error, "token", deps.settings), toClearedCookies(deps.settings));
    }
  },
});

async function refreshByCookie(
  { deps, request, client }: RequestContext,
  cookies: PresentedCookies & { readonly refresh: string },
): Promise<Response> {
  const { flows, settings, csrfKey } = deps;
  const options = { idempotencyKey: readIdempotencyKey(request.headers), client };
  const presented = flows.verifyRefreshToken(cookies.refresh, options);
  requireCsrfToken(deps, request, cookies, [presented.sessionId]);
  const { outcome, session, pair } = await flows.refreshVerified(presented, options);

  const body = { access_expires_in: pair.accessExpiresIn, refresh_expires_in: pair.refreshExpiresIn };
  return withCookies(
    toJsonResponse(200, body, outcome === "replayed" ? { "Token-Replayed": "true" } : {}),
    toSessionCookies(settings, {
      pair,
      csrfToken: createCsrfTokenOf(csrfKey, session),
      persistent: session.persistent,
    }),
  );
}

/** An expired token does not say whether its session is over: another tab may have refreshed it in time. */
async function isSessionOver({ flows }: HttpDeps, { code, sessionEnded }: AuthError, token: string): Promise<boolean> {
  if (code !== "token_expired" || sessionEnded) return sessionEnded;
  return flows.isSessionOfExpiredTokenOver(token);
}
