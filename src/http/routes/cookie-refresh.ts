import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import { refresh } from "../../flows/refresh.ts";
import { toDeathOf } from "../../flows/session-death.ts";
import { csrfFailed, csrfHeader, lifetimesSchema } from "../cookie-descriptions.ts";
import { readCookies, toClearedCookies, toSessionCookies, withCookies } from "../cookies.ts";
import { createCsrfTokenOf } from "../csrf.ts";
import { defineEndpoint, type HttpDeps, type RequestContext } from "../endpoint.ts";
import { toErrorResponse } from "../error-responses.ts";
import { toJsonResponse } from "../json-response.ts";
import { cookieMediaTypes } from "../media-types.ts";
import { requireCsrfToken, requireOwnPage, requireSingleCookies } from "../request-checks.ts";
import { throttled, tokenRefused, unavailable } from "../response-schemas.ts";
import { attemptIdHeader, readAttemptId, replayedHeader } from "./token-refresh.ts";

/** `POST {authPath}/refresh`: the next pair for the refresh cookie. */
export const cookieRefresh = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/refresh`,
  summary: "Exchange the refresh cookie for the next pair of cookies.",
  errors: "token",
  limit: "refresh",
  security: ["refreshCookie"],
  headers: [csrfHeader, attemptIdHeader],
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
    try {
      return await refreshByCookie(context);
    } catch (error) {
      // Only a session that is proved dead takes its cookies along: the browser may have better ones by now.
      const { deps, request } = context;
      if (!(error instanceof AuthError) || !(await isDeath(deps, error, request))) throw error;
      return withCookies(toErrorResponse(error, "token", deps.settings), toClearedCookies(deps.settings));
    }
  },
});

async function refreshByCookie({ request, deps, origin, requireMediaType }: RequestContext): Promise<Response> {
  const cookies = readCookies(request.headers, deps.settings);
  requireSingleCookies(cookies);
  if (cookies.refresh === undefined) throw new AuthError("not_authenticated", "no refresh cookie was presented");
  requireOwnPage(deps, request, cookies);
  await requireMediaType();
  const attemptId = readAttemptId(request.headers);

  const { outcome, session, pair } = await refresh(deps, cookies.refresh, {
    attemptId,
    origin,
    requireSession: (sessionId) => requireCsrfToken(deps, request, cookies, [sessionId]),
  });

  const csrfToken = createCsrfTokenOf(deps.csrfKey, session);
  const body = { access_expires_in: pair.accessExpiresIn, refresh_expires_in: pair.refreshExpiresIn };
  return withCookies(
    toJsonResponse(200, body, outcome === "replayed" ? { "Token-Replayed": "true" } : {}),
    toSessionCookies(deps.settings, { pair, csrfToken, persistent: session.persistent }),
  );
}

/** An expired token proves nothing of its session, which another tab may have refreshed in time: the store knows. */
async function isDeath(deps: HttpDeps, { code, sessionIsDead }: AuthError, { headers }: Request): Promise<boolean> {
  if (code !== "token_expired" || sessionIsDead) return sessionIsDead;
  const { refresh: token = "" } = readCookies(headers, deps.settings);
  const { sessionId } = deps.tokens.verifyRefresh(token, { mayBeExpired: true });
  return toDeathOf(await deps.store.sessions.find(sessionId))?.sessionIsDead ?? false;
}
