import { z } from "zod";
import { requireCsrfToken, requireOwnPage } from "../cookies/checks.ts";
import { readCookies, toDeviceCookie, toSessionCookies, withCookies } from "../cookies/cookies.ts";
import { createCsrfTokenOf } from "../cookies/csrf-token.ts";
import { findPresentedSession } from "../cookies/presented-session.ts";
import { defineEndpoint } from "../endpoint.ts";
import { csrfFailed, csrfHeader, lifetimesSchema } from "../openapi/cookie-responses.ts";
import { errorSchema, throttled, unavailable } from "../openapi/responses.ts";
import { booleanField, passwordField, usernameField } from "../request/fields.ts";
import { cookieMediaTypes } from "../request/media-types.ts";
import { toJsonResponse } from "../response/json.ts";

/** `POST {authPath}/login`: starts this browser's session and ends the one it had. */
export const cookieLogin = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/login`,
  summary: "Log this browser in.",
  errors: "token",
  headers: [csrfHeader],
  body: {
    accepts: cookieMediaTypes,
    schema: z.object({ username: usernameField, password: passwordField, remember: booleanField(true) }),
  },
  responses: {
    200: {
      description: "Logged in; the tokens are in cookies.",
      schema: lifetimesSchema.extend({
        user: z.object({ id: z.string(), username: z.string() }),
        session: z.object({ id: z.string() }),
      }),
    },
    401: { description: "Wrong credentials, or an inactive user.", schema: errorSchema },
    403: csrfFailed,
    429: throttled,
    503: unavailable,
  },
  async handle({ request, deps, client, requireMediaType, readBody }) {
    const cookies = readCookies(request.headers, deps.settings);
    requireOwnPage(deps, request, cookies);
    await requireMediaType();
    const earlier = findPresentedSession(deps, cookies)?.sessionId;
    requireCsrfToken(deps, request, cookies, earlier === undefined ? [null] : [null, earlier]);
    const { username, password, remember } = await readBody();

    const { device } = cookies;
    const loggedIn = await deps.flows.login({ username, password }, { remember, client, replaces: earlier, device });

    const { user, session, pair } = loggedIn;
    const csrfToken = createCsrfTokenOf(deps.csrfKey, session);
    const body = {
      user: { id: user.id, username: user.username },
      session: { id: session.id },
      access_expires_in: pair.accessExpiresIn,
      refresh_expires_in: pair.refreshExpiresIn,
    };
    return withCookies(toJsonResponse(200, body), [
      ...toSessionCookies(deps.settings, { pair, csrfToken, persistent: session.persistent }),
      toDeviceCookie(deps.settings, loggedIn.device, session.persistent),
    ]);
  },
});
