import { z } from "zod";
import { login } from "../../flows/login.ts";
import { csrfFailed, csrfHeader, lifetimesSchema } from "../cookie-descriptions.ts";
import { readCookies, toDeviceCookie, toSessionCookies, withCookies } from "../cookies.ts";
import { createCsrfTokenOf } from "../csrf.ts";
import { defineEndpoint } from "../endpoint.ts";
import { booleanField, passwordField, usernameField } from "../fields.ts";
import { toJsonResponse } from "../json-response.ts";
import { cookieMediaTypes } from "../media-types.ts";
import { findPresentedSession } from "../presented-session.ts";
import { requireCsrfToken, requireOwnPage } from "../request-checks.ts";
import { errorSchema, throttled, unavailable } from "../response-schemas.ts";

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
  async handle({ request, deps, origin, requireMediaType, readBody }) {
    const cookies = readCookies(request.headers, deps.settings);
    requireOwnPage(deps, request, cookies);
    await requireMediaType();
    const earlier = findPresentedSession(deps, cookies)?.sessionId;
    requireCsrfToken(deps, request, cookies, earlier === undefined ? [null] : [null, earlier]);
    const { username, password, remember } = await readBody();

    const { device } = cookies;
    const loggedIn = await login(deps, { username, password }, { remember, origin, replaces: earlier, device });

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
