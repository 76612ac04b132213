import { z } from "zod";
import { requireCsrfToken, requireOwnPage } from "../cookies/checks.ts";
import { readCookies, toClearedCookies, withCookies } from "../cookies/cookies.ts";
import { findPresentedSession, isPresentedLive } from "../cookies/presented-session.ts";
import { defineEndpoint } from "../endpoint.ts";
import { csrfFailed, csrfHeader } from "../openapi/cookie-responses.ts";
import { emptySchema, tokenRefused, unavailable } from "../openapi/responses.ts";
import { choiceField } from "../request/fields.ts";
import { cookieMediaTypes } from "../request/media-types.ts";
import { toJsonResponse } from "../response/json.ts";

/** `POST {authPath}/logout`: ends this session, the user's others, or all. Durable before the answer. */
export const cookieLogout = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/logout`,
  summary: "Log out here, elsewhere, or everywhere.",
  errors: "token",
  security: ["cookie", "refreshCookie"],
  headers: [csrfHeader],
  body: {
    accepts: cookieMediaTypes,
    schema: z.object({ scope: choiceField(["local", "others", "all"], "local") }),
  },
  responses: {
    200: { description: "Logged out; also where there was no session.", schema: emptySchema },
    401: tokenRefused,
    403: csrfFailed,
    503: unavailable,
  },
  async handle({ request, deps, client, requireMediaType, readBody }) {
    const cookies = readCookies(request.headers, deps.settings);
    requireOwnPage(deps, request, cookies);
    await requireMediaType();
    const session = findPresentedSession(deps, cookies);
    requireCsrfToken(deps, request, cookies, [session?.sessionId ?? null]);
    const { scope } = await readBody();

    // A token of a dead session, which may be in anybody's hands, ends no other.
    const isLive = session !== null && (scope === "local" || (await isPresentedLive(deps, cookies, session)));
    if (isLive) await deps.flows.logout(session, { scope, client });

    if (isLive && scope === "others") return toJsonResponse(200, {});
    return withCookies(toJsonResponse(200, {}, { "Clear-Site-Data": '"cache"' }), toClearedCookies(deps.settings));
  },
});
