import { z } from "zod";
import { logout } from "../../flows/logout.ts";
import { csrfFailed, csrfHeader } from "../cookie-descriptions.ts";
import { readCookies, toClearedCookies, withCookies } from "../cookies.ts";
import { defineEndpoint } from "../endpoint.ts";
import { choiceField } from "../fields.ts";
import { toJsonResponse } from "../json-response.ts";
import { cookieMediaTypes } from "../media-types.ts";
import { findPresentedSession, isPresentedLive } from "../presented-session.ts";
import { requireCsrfToken, requireOwnPage } from "../request-checks.ts";
import { emptySchema, tokenRefused, unavailable } from "../response-schemas.ts";

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
  async handle({ request, deps, origin, requireMediaType, readBody }) {
    const cookies = readCookies(request.headers, deps.settings);
    requireOwnPage(deps, request, cookies);
    await requireMediaType();
    const session = findPresentedSession(deps, cookies);
    requireCsrfToken(deps, request, cookies, [session?.sessionId ?? null]);
    const { scope } = await readBody();

    // A token of a dead session, which may be in anybody's hands, ends no other.
    const mayEnd = session !== null && (scope === "local" || (await isPresentedLive(deps, cookies, session)));
    if (mayEnd) await logout(deps, session, scope, origin);

    if (mayEnd && scope === "others") return toJsonResponse(200, {});
    return withCookies(toJsonResponse(200, {}, { "Clear-Site-Data": '"cache"' }), toClearedCookies(deps.settings));
  },
});
