import { z } from "zod";
import { toSessionCookies, withCookies } from "../cookies/cookies.ts";
import { createCsrfTokenOf } from "../cookies/csrf-token.ts";
import { authenticateRequest, readCredentials } from "../credentials.ts";
import { defineEndpoint } from "../endpoint.ts";
import { csrfFailed, csrfHeader } from "../openapi/cookie-responses.ts";
import { errorSchema, notAuthenticated, throttled, unavailable } from "../openapi/responses.ts";
import { passwordField } from "../request/fields.ts";
import { cookieMediaTypes } from "../request/media-types.ts";
import { RequestError } from "../request/request-error.ts";
import { toJsonResponse } from "../response/json.ts";

/** `POST {authPath}/password`: changes the caller's password; every other session ends, this one goes on. */
export const cookiePassword = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/password`,
  summary: "Change the caller's password.",
  errors: "resource",
  security: ["bearer", "cookie"],
  headers: [csrfHeader],
  body: {
    accepts: cookieMediaTypes,
    schema: z.object({ current_password: passwordField, new_password: passwordField }),
  },
  responses: {
    200: {
      description: "Changed. The new pair is in the cookies or, for a bearer token, here.",
      schema: z.object({ access: z.string().optional(), refresh: z.string().optional() }),
    },
    401: notAuthenticated,
    403: csrfFailed,
    404: { description: "Passwords are kept by the application.", schema: errorSchema },
    429: throttled,
    503: unavailable,
  },
  async handle({ request, deps, client, requireMediaType, readBody }) {
    if (deps.settings.findUser !== undefined) throw new RequestError(404, { detail: "Not found.", code: "not_found" });
    const credentials = readCredentials(request.headers, deps);
    const { userId, sessionId } = await authenticateRequest(deps, request, credentials, requireMediaType);
    const { current_password: currentPassword, new_password: newPassword } = await readBody();

    const change = { userId, sessionId, currentPassword, newPassword };
    const { session, pair } = await deps.flows.changePassword(change, client);

    if (credentials.via === "bearer") return toJsonResponse(200, { access: pair.access, refresh: pair.refresh });
    const csrfToken = createCsrfTokenOf(deps.csrfKey, session);
    return withCookies(
      toJsonResponse(200, {}),
      toSessionCookies(deps.settings, { pair, csrfToken, persistent: session.persistent }),
    );
  },
});
