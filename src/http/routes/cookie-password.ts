import { z } from "zod";
import { toSessionCookies, toTokenLimits, withCookies } from "../cookies/cookies.ts";
import { deriveCsrfToken } from "../cookies/csrf-token.ts";
import { authenticateRequest, readCredentials } from "../credentials.ts";
import { defineEndpoint } from "../endpoint.ts";
import { csrfFailed, csrfHeader } from "../openapi/cookie-responses.ts";
import { badRequest, errorSchema, notAuthenticated, throttled, unavailable } from "../openapi/responses.ts";
import { passwordField } from "../request/fields.ts";
import { cookieMediaTypes } from "../request/media-types.ts";
import { RequestError } from "../request/request-error.ts";
import { toJsonResponse } from "../response/json.ts";

/** `POST {authPath}/password`: changes the user's password, revokes all other sessions and returns a new token pair. */
export const cookiePassword = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/password`,
  summary: "Change the current user's password.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  security: ["bearer", "cookie"],
  headers: [csrfHeader],
  body: {
    accepts: cookieMediaTypes,
    schema: z.object({ current_password: passwordField, new_password: passwordField }),
  },
  responses: {
    200: {
      description:
        "The password is changed. The new token pair is in the cookies or, with a bearer token, in the body.",
      schema: z.object({ access: z.string().optional(), refresh: z.string().optional() }),
    },
    400: {
      ...badRequest,
      description: "The current password is wrong, the new one is refused, or the body can't be parsed.",
    },
    401: notAuthenticated,
    403: csrfFailed,
    404: { description: "The application manages passwords itself.", schema: errorSchema },
    429: throttled,
    503: unavailable,
  },
  async handle({ request, deps, client, requireMediaType, readBody }) {
    if (deps.settings.findUser !== undefined) throw new RequestError(404, { detail: "Not found.", code: "not_found" });
    const credentials = readCredentials(request.headers, deps);
    const { userId, sessionId } = await authenticateRequest(deps, request, { credentials, requireMediaType });
    const { current_password: currentPassword, new_password: newPassword } = await readBody();

    const change = { userId, sessionId, currentPassword, newPassword };
    const { session, pair } = await deps.flows.changePassword(change, {
      client,
      tokenLimits: toTokenLimits(deps.settings),
    });

    if (credentials.via === "bearer") return toJsonResponse(200, { access: pair.access, refresh: pair.refresh });
    const csrfToken = deriveCsrfToken(deps.csrfKey, session);
    return withCookies(
      toJsonResponse(200, {}),
      toSessionCookies(deps.settings, { pair, csrfToken, persistent: session.persistent }),
    );
  },
});
