import { z } from "zod";
import { requireAllowedOrigin, requireCsrfToken, requireUniqueSession } from "../cookies/checks.ts";
import { findCookieSession } from "../cookies/cookie-session.ts";
import { toDeviceCookie, toSessionCookies, toTokenLimits, withCookies } from "../cookies/cookies.ts";
import { deriveCsrfToken } from "../cookies/csrf-token.ts";
import { readSessionCookies } from "../cookies/refresh-cookie.ts";
import { defineEndpoint } from "../endpoint.ts";
import {
  csrfFailed,
  csrfHeader,
  lifetimesSchema,
  sessionIdSchema,
  setCookie,
  userSchema,
} from "../openapi/cookie-responses.ts";
import { loginRefused, throttled, unavailable } from "../openapi/responses.ts";
import { booleanField, passwordField, usernameField } from "../request/fields.ts";
import { cookieMediaTypes } from "../request/media-types.ts";
import { toJsonResponse } from "../response/json.ts";

/** `POST {authPath}/login`: starts a session for this browser and revokes the session that it had. */
export const cookieLogin = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/login`,
  operationId: "logIn",
  summary: "Log in with cookies.",
  errorStyle: "token",
  cors: "trusted_with_cookies",
  headers: [csrfHeader],
  body: {
    accepts: cookieMediaTypes,
    schema: z.object({ username: usernameField, password: passwordField, remember: booleanField(true) }),
  },
  responses: {
    200: {
      description: "The user and the new session. The tokens are in the cookies.",
      headers: [{ ...setCookie("Sets the access, refresh, CSRF and device cookies."), required: true }],
      schema: lifetimesSchema.extend({
        user: userSchema,
        session: sessionIdSchema,
      }),
    },
    401: loginRefused,
    403: csrfFailed,
    429: throttled,
    503: unavailable,
  },
  async handle({ request, deps, client, requireMediaType, readBody }) {
    const cookies = readSessionCookies(deps, request.headers);
    requireUniqueSession(deps, cookies);
    requireAllowedOrigin(deps, request);
    await requireMediaType();
    const replaces = findCookieSession(deps, cookies) ?? undefined;
    const sessionIds = replaces === undefined ? [null] : [null, replaces.sessionId];
    requireCsrfToken(deps, request.headers, { cookie: cookies.csrf, sessionIds });
    const { username, password, remember } = await readBody();

    const tokenLimits = toTokenLimits(deps.settings);
    const options = { remember, client, replaces, device: cookies.device, tokenLimits };
    const { user, session, pair, device } = await deps.flows.login({ username, password }, options);

    const csrfToken = deriveCsrfToken(deps.keys.current().csrfKeys[0], session);
    const body = {
      user: { id: user.id, username: user.username },
      session: { id: session.id },
      access_expires_in: pair.accessExpiresIn,
      refresh_expires_in: pair.refreshExpiresIn,
    };
    return withCookies(toJsonResponse(200, body), [
      ...toSessionCookies(deps.settings, { pair, csrfToken, persistent: session.persistent }),
      toDeviceCookie(deps.settings, device, session.persistent),
    ]);
  },
});
