import { z } from "zod";
import { AuthError } from "../../../core/errors.ts";
import type { Reauthenticated } from "../../../flows/reauthenticate.ts";
import { toAccessCookie, toTokenLimits, withCookies } from "../../cookies/cookies.ts";
import { authenticateRequest, readCredentials } from "../../credentials.ts";
import { defineEndpoint, type HttpDeps } from "../../endpoint.ts";
import { csrfFailedOrActor, csrfHeader, setCookie } from "../../openapi/cookie-responses.ts";
import { badRequest, errorSchema, notAuthenticated, throttled, unavailable } from "../../openapi/responses.ts";
import { passwordField } from "../../request/fields.ts";
import { cookieMediaTypes } from "../../request/media-types.ts";
import { fieldErrors, RequestError } from "../../request/request-error.ts";
import { toJsonResponse } from "../../response/json.ts";

/**
 * `POST {authPath}/confirm`: authenticates the user of the session again, by the password, and returns an access token that says
 * so.
 */
export const cookieConfirm = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/confirm`,
  operationId: "confirmSession",
  summary: "Confirm the current user with the password.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  security: ["bearer", "cookie"],
  headers: [csrfHeader],
  body: { accepts: cookieMediaTypes, schema: z.object({ password: passwordField }) },
  responses: {
    200: {
      description: "Confirmed, with a bearer token. The new access token says so; the refresh token stays the same.",
      schema: z.object({ access: z.string() }),
    },
    204: {
      description: "Confirmed, with cookies. The new access token is in its cookie.",
      headers: [{ ...setCookie("Sets the access cookie."), required: true }],
    },
    400: { ...badRequest, description: "The password is wrong, or the body can't be parsed." },
    401: notAuthenticated,
    403: csrfFailedOrActor,
    404: { description: "The application doesn't verify passwords.", schema: errorSchema },
    429: throttled,
    503: unavailable,
  },
  async handle({ request, deps, client, requireMediaType, readBody }) {
    requirePasswords(deps);
    const credentials = readCredentials(request.headers, deps);
    const { userId, sessionId } = await authenticateRequest(deps, request, { credentials, requireMediaType });
    const { password } = await readBody();
    const options = { password, client, tokenLimits: toTokenLimits(deps.settings) };
    const { session, pair } = await confirm(deps, { userId, sessionId }, options);
    if (credentials.via === "bearer") return toJsonResponse(200, { access: pair.access });
    const maxAge = session.persistent ? pair.accessExpiresIn : null;
    return withCookies(new Response(null, { status: 204 }), [toAccessCookie(deps.settings, pair.access, maxAge)]);
  },
});

/** @throws RequestError 404 if the application has its own users, and doesn't say how to verify a password. */
function requirePasswords({ settings }: HttpDeps): void {
  if (settings.findUser === undefined || settings.verifyCredentials !== undefined) return;
  throw new RequestError(404, { detail: "Not found.", code: "not_found" });
}

/** @throws RequestError 400 if the password is wrong. */
async function confirm(
  { flows }: HttpDeps,
  ...args: Parameters<HttpDeps["flows"]["reauthenticateByPassword"]>
): Promise<Reauthenticated> {
  try {
    return await flows.reauthenticateByPassword(...args);
  } catch (error) {
    if (!(error instanceof AuthError) || error.code !== "wrong_password") throw error;
    throw fieldErrors({ password: ["Invalid password."] });
  }
}
