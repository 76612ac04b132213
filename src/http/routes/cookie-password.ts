import { z } from "zod";
import { changePassword } from "../../flows/password.ts";
import { csrfFailed, csrfHeader } from "../cookie-descriptions.ts";
import { toSessionCookies, withCookies } from "../cookies.ts";
import { authenticateCaller } from "../credentials.ts";
import { createCsrfTokenOf } from "../csrf.ts";
import { defineEndpoint } from "../endpoint.ts";
import { passwordField } from "../fields.ts";
import { toJsonResponse } from "../json-response.ts";
import { cookieMediaTypes } from "../media-types.ts";
import { RequestError } from "../request-error.ts";
import { errorSchema, notAuthenticated, throttled, unavailable } from "../response-schemas.ts";

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
  async handle({ request, deps, origin, requireMediaType, readBody }) {
    if (!deps.users.isOwn) throw new RequestError(404, { detail: "Not found.", code: "not_found" });
    const { authentication, via } = await authenticateCaller(deps, request, requireMediaType);
    const { userId, sessionId } = authentication;
    const { current_password: currentPassword, new_password: newPassword } = await readBody();

    const change = { userId, sessionId, currentPassword, newPassword, origin };
    const { session, pair } = await changePassword(deps, change);

    if (via === "bearer") return toJsonResponse(200, { access: pair.access, refresh: pair.refresh });
    const csrfToken = createCsrfTokenOf(deps.csrfKey, session);
    return withCookies(
      toJsonResponse(200, {}),
      toSessionCookies(deps.settings, { pair, csrfToken, persistent: session.persistent }),
    );
  },
});
