import { z } from "zod";
import { AuthError, type AuthErrorCode } from "../../../core/errors.ts";
import type { PasswordChanged } from "../../../flows/passwords/repeat-change.ts";
import { requireAllowedOrigin, requireCsrfToken, requireUniqueSession } from "../../cookies/checks.ts";
import { findCookieSession } from "../../cookies/cookie-session.ts";
import { toTokenLimits, withCookies } from "../../cookies/cookies.ts";
import { prepareIssuedCookies } from "../../cookies/issued-cookies.ts";
import { readSessionCookies } from "../../cookies/refresh-cookie.ts";
import { authenticateRequest, readCredentials } from "../../credentials.ts";
import { defineEndpoint, type HttpDeps, type RequestContext } from "../../endpoint.ts";
import { csrfFailedOrActor, csrfHeader, setCookie } from "../../openapi/cookie-responses.ts";
import {
  badRequest,
  errorSchema,
  notAuthenticated,
  revocationConfirmed,
  throttled,
  unavailable,
} from "../../openapi/responses.ts";
import { passwordField } from "../../request/fields.ts";
import { cookieMediaTypes } from "../../request/media-types.ts";
import { RequestError } from "../../request/request-error.ts";
import { toConfirmationHeaders, toJsonResponse } from "../../response/json.ts";
import { idempotencyKeyHeader, readIdempotencyKey } from "../token/refresh.ts";

/** `POST {authPath}/password`: changes the user's password, revokes all other sessions and returns a new token pair. */
export const cookiePassword = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/password`,
  operationId: "changePassword",
  summary: "Change the current user's password.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  security: ["bearer", "cookie"],
  headers: [csrfHeader, idempotencyKeyHeader],
  body: {
    accepts: cookieMediaTypes,
    schema: z.object({
      current_password: passwordField.meta({ description: "The current password." }),
      new_password: passwordField.meta({ description: "The new password." }),
    }),
  },
  responses: {
    200: {
      description:
        "The password is changed. The new token pair is in the cookies or, with a bearer token, in the body. A request " +
        "that is repeated with the same `Idempotency-Key` gets the same refresh token again.",
      headers: [
        setCookie("Sets the access, refresh, CSRF and device cookies, except with a bearer token."),
        revocationConfirmed,
      ],
      schema: z.object({ access: z.string().optional(), refresh: z.string().optional() }),
    },
    400: {
      ...badRequest,
      description: "The current password is wrong, the new one is refused, or the body can't be parsed.",
    },
    401: notAuthenticated,
    403: csrfFailedOrActor,
    404: { description: "The application manages passwords itself.", schema: errorSchema },
    429: throttled,
    503: unavailable,
  },
  async handle(context) {
    const { request, deps, client, requireMediaType, readBody } = context;
    if (deps.settings.findUser !== undefined) throw new RequestError(404, { detail: "Not found.", code: "not_found" });
    const idempotencyKey = readIdempotencyKey(request.headers);
    const tokenLimits = toTokenLimits(deps.settings);
    try {
      const credentials = readCredentials(request.headers, deps);
      const { userId, sessionId } = await authenticateRequest(deps, request, { credentials, requireMediaType });
      const { current_password: currentPassword, new_password: newPassword } = await readBody();
      const change = { userId, sessionId, currentPassword, newPassword };
      const toResponse = prepareResponse(deps, credentials.via);
      return toResponse(await deps.flows.changePassword(change, { client, tokenLimits, idempotencyKey }));
    } catch (error) {
      if (idempotencyKey === undefined || !isRefusedToken(error)) throw error;
      const repeated = await repeat(context, idempotencyKey);
      if (repeated === null) throw error;
      return repeated;
    }
  },
});

/**
 * Returns whether the error says that the token was refused. When a client repeats the change, its tokens have been revoked
 * by the change, and the access token may also have expired.
 */
function isRefusedToken(error: unknown): boolean {
  const codes: readonly AuthErrorCode[] = ["token_revoked", "token_expired", "not_authenticated"];
  return error instanceof AuthError && codes.includes(error.code);
}

/**
 * Answers a request that is repeated because its answer was lost. The tokens only identify the session. The idempotency key
 * proves that it is the same request.
 *
 * @returns the response, or `null` if the session's last change had a different key.
 */
async function repeat(
  { request, deps, requireMediaType, readBody }: RequestContext,
  idempotencyKey: string,
): Promise<Response | null> {
  const bearer = deps.readBearerToken(request.headers);
  const cookies = bearer === null ? readSessionCookies(deps, request.headers) : null;
  if (cookies !== null) {
    requireUniqueSession(deps, cookies);
    requireAllowedOrigin(deps, request);
    await requireMediaType();
  }
  const owner = findCookieSession(deps, cookies ?? { access: bearer ?? undefined, refresh: undefined });
  if (owner === null) return null;
  if (cookies !== null) {
    requireCsrfToken(deps, request.headers, { cookie: cookies.csrf, sessionIds: [owner.sessionId] });
  }
  await readBody();
  const tokenLimits = toTokenLimits(deps.settings);
  const toResponse = prepareResponse(deps, bearer === null ? "cookie" : "bearer");
  const changed = await deps.flows.repeatPasswordChange(owner, { idempotencyKey, tokenLimits });
  return changed === null ? null : toResponse(changed);
}

/** Prepares the response to a password change before the change. */
function prepareResponse(deps: HttpDeps, via: "bearer" | "cookie"): (changed: PasswordChanged) => Response {
  if (via === "bearer") {
    return ({ pair: { access, refresh }, ...changed }) =>
      toJsonResponse(200, { access, refresh }, toConfirmationHeaders(changed));
  }
  const toCookies = prepareIssuedCookies(deps);
  return (changed) => withCookies(toJsonResponse(200, {}, toConfirmationHeaders(changed)), toCookies(changed));
}
