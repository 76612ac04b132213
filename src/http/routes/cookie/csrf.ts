import { z } from "zod";
import { AuthError } from "../../../core/errors.ts";
import { toBrowserCsrfToken } from "../../cookies/browser-csrf.ts";
import { requireUniqueCookies } from "../../cookies/checks.ts";
import { withCookies } from "../../cookies/cookies.ts";
import { readSessionCookies } from "../../cookies/refresh-cookie.ts";
import { isAllowedOrigin } from "../../cookies/same-origin.ts";
import { defineEndpoint, type HttpDeps } from "../../endpoint.ts";
import { csrfFailed, sessionIdSchema, setCookie } from "../../openapi/cookie-responses.ts";
import { toJsonResponse } from "../../response/json.ts";

/** `GET {authPath}/csrf`: returns the CSRF token of this browser's session, or one for a browser without a session. */
export const cookieCsrf = defineEndpoint({
  method: "GET",
  path: ({ authPath }) => `${authPath}/csrf`,
  operationId: "getCsrfToken",
  summary: "Get the browser's CSRF token.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  responses: {
    200: {
      description: "The CSRF token, and the session it belongs to. A new token is also in the CSRF cookie.",
      headers: [setCookie("Sets the CSRF cookie if the token is new, and deletes an unusable refresh cookie.")],
      schema: z.object({ csrf_token: z.string(), session: sessionIdSchema.nullable() }),
    },
    403: csrfFailed,
  },
  async handle({ request, deps }) {
    const cookies = readSessionCookies(deps, request.headers);
    requireUniqueCookies(cookies);
    requireNotCrossSite(deps, request);
    const { token, sessionId, cookies: setCookies } = toBrowserCsrfToken(deps, cookies);
    const session = sessionId === null ? null : { id: sessionId };
    return withCookies(toJsonResponse(200, { csrf_token: token, session }), setCookies);
  },
});

/**
 * Refuses a navigation that another site started. Browsers send it without the refresh cookie, which is
 * `SameSite=Strict`, so the response would replace the session's CSRF token.
 *
 * @throws AuthError `csrf_failed`.
 */
function requireNotCrossSite({ settings }: HttpDeps, request: Request): void {
  const isTyped = request.headers.get("Sec-Fetch-Site") === "none";
  if (!isTyped && !isAllowedOrigin(request, settings)) throw new AuthError("csrf_failed", "Origin checking failed.");
}
