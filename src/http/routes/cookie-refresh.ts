import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import { refresh, verifyPresented } from "../../flows/refresh.ts";
import { csrfFailed, csrfHeader, lifetimesSchema } from "../cookie-descriptions.ts";
import { readCookies, toClearedCookies, toSessionCookies, withCookies } from "../cookies.ts";
import { createCsrfTokenOf } from "../csrf.ts";
import { defineEndpoint, type RequestContext } from "../endpoint.ts";
import { toErrorResponse } from "../error-responses.ts";
import { toJsonResponse } from "../json-response.ts";
import { cookieMediaTypes } from "../media-types.ts";
import { requireCsrfToken, requireOwnPage } from "../request-checks.ts";
import { tokenRefused, unavailable } from "../response-schemas.ts";
import { attemptIdHeader, readAttemptId } from "./token-refresh.ts";

/** `POST {authPath}/refresh`: the next pair for the refresh cookie. */
export const cookieRefresh = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/refresh`,
  summary: "Exchange the refresh cookie for the next pair of cookies.",
  errors: "token",
  security: ["cookie"],
  headers: { ...csrfHeader, ...attemptIdHeader },
  body: { accepts: cookieMediaTypes, schema: z.object({}) },
  responses: {
    200: {
      description: "The cookies are new. A replay says `Token-Replayed: true`.",
      schema: lifetimesSchema,
    },
    401: tokenRefused,
    403: csrfFailed,
    503: unavailable,
  },
  async handle(context) {
    try {
      return await refreshByCookie(context);
    } catch (error) {
      // Only a session that is proved dead takes its cookies along: the browser may have better ones by now.
      if (!(error instanceof AuthError && isDeath(error))) throw error;
      const { settings } = context.deps;
      return withCookies(toErrorResponse(error, "token", settings), toClearedCookies(settings));
    }
  },
});

async function refreshByCookie({ request, deps, origin, requireMediaType }: RequestContext): Promise<Response> {
  const cookies = readCookies(request.headers, deps.settings);
  if (cookies.refresh === undefined) throw new AuthError("not_authenticated", "no refresh cookie was presented");
  requireOwnPage(deps, request, cookies);
  await requireMediaType();
  const { sessionId } = verifyPresented(deps, cookies.refresh, { origin });
  requireCsrfToken(deps, request, cookies, [sessionId]);
  const attemptId = readAttemptId(request.headers);

  const { outcome, session, pair } = await refresh(deps, cookies.refresh, { attemptId, origin });

  const csrfToken = createCsrfTokenOf(deps.csrfKey, session);
  const body = { access_expires_in: pair.accessExpiresIn, refresh_expires_in: pair.refreshExpiresIn };
  return withCookies(
    toJsonResponse(200, body, outcome === "replayed" ? { "Token-Replayed": "true" } : {}),
    toSessionCookies(deps.settings, { pair, csrfToken, persistent: session.persistent }),
  );
}

function isDeath({ code, sessionIsDead }: AuthError): boolean {
  return sessionIsDead || code === "token_expired";
}
