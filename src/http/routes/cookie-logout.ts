import { z } from "zod";
import { requireAllowedOrigin, requireCsrfToken, requireUniqueSession } from "../cookies/checks.ts";
import { findCookieSession, isCookieSessionLive } from "../cookies/cookie-session.ts";
import { toClearedCookies, toClearedVariants, withCookies } from "../cookies/cookies.ts";
import { readSessionCookies } from "../cookies/refresh-cookie.ts";
import { defineEndpoint } from "../endpoint.ts";
import { csrfFailed, csrfHeader } from "../openapi/cookie-responses.ts";
import { emptySchema, tokenRefused, unavailable } from "../openapi/responses.ts";
import { choiceField } from "../request/fields.ts";
import { cookieMediaTypes } from "../request/media-types.ts";
import { toJsonResponse } from "../response/json.ts";

/**
 * `POST {authPath}/logout`: revokes this session, the user's others, or all. The revocation is durable before the
 * response.
 */
export const cookieLogout = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/logout`,
  summary: "Log out of this session, of the user's other sessions, or of all.",
  errorStyle: "token",
  cors: "trusted_with_cookies",
  security: ["cookie", "refreshCookie"],
  headers: [csrfHeader],
  body: {
    accepts: cookieMediaTypes,
    schema: z.object({ scope: choiceField(["local", "others", "all"], "local") }),
  },
  responses: {
    200: { description: "Logged out, or there was no session.", schema: emptySchema },
    401: tokenRefused,
    403: csrfFailed,
    503: unavailable,
  },
  async handle({ request, deps, client, requireMediaType, readBody }) {
    const cookies = readSessionCookies(deps, request.headers);
    requireUniqueSession(deps, cookies);
    requireAllowedOrigin(deps, request);
    await requireMediaType();
    const session = findCookieSession(deps, cookies);
    requireCsrfToken(deps, request.headers, { cookie: cookies.csrf, sessionIds: [session?.sessionId ?? null] });
    const { scope } = await readBody();

    // A token of a session that is over may have been stolen, so it must not revoke any other session.
    const isAllowed =
      session !== null && (scope === "local" || (await isCookieSessionLive(deps, cookies, session.sessionId)));
    if (isAllowed) await deps.flows.logout(session, { scope, client });

    if (isAllowed && scope === "others") return toJsonResponse(200, {});
    const headers = deps.settings.clearSiteData ? { "Clear-Site-Data": '"cache"' } : {};
    const { hostname } = new URL(request.url);
    return withCookies(toJsonResponse(200, {}, headers), [
      ...toClearedCookies(deps.settings),
      ...(cookies.refreshCandidates === undefined ? [] : toClearedVariants(deps.settings, hostname)),
    ]);
  },
});
