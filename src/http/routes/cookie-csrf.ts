import { z } from "zod";
import { csrfFailed } from "../cookie-descriptions.ts";
import { readCookies, toCsrfCookie, withCookies } from "../cookies.ts";
import { createCsrfToken, isCsrfToken } from "../csrf.ts";
import { defineEndpoint } from "../endpoint.ts";
import { toJsonResponse } from "../json-response.ts";
import { findPresentedSession } from "../presented-session.ts";
import { requireSingleCookies } from "../request-checks.ts";

/**
 * `GET {authPath}/csrf`: the CSRF token of this browser's session, or of none. A good one is given again, so that tabs do
 * not take it from each other.
 */
export const cookieCsrf = defineEndpoint({
  method: "GET",
  path: ({ authPath }) => `${authPath}/csrf`,
  summary: "Give the browser its CSRF token.",
  errors: "resource",
  responses: {
    200: { description: "The token, also set as a cookie.", schema: z.object({ csrf_token: z.string() }) },
    403: csrfFailed,
  },
  async handle({ request, deps }) {
    const cookies = readCookies(request.headers, deps.settings);
    requireSingleCookies(cookies);
    const sessionId = findPresentedSession(deps, cookies)?.sessionId ?? null;
    const isGood = cookies.csrf !== undefined && isCsrfToken(deps.csrfKey, cookies.csrf, sessionId);
    const token = isGood ? cookies.csrf : createCsrfToken(deps.csrfKey, sessionId, deps.random);
    return withCookies(toJsonResponse(200, { csrf_token: token }), [toCsrfCookie(deps.settings, token, null)]);
  },
});
