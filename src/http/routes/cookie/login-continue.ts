import { toTokenLimits, withCookies } from "../../cookies/cookies.ts";
import { prepareIssuedCookies } from "../../cookies/issued-cookies.ts";
import { defineEndpoint } from "../../endpoint.ts";
import { csrfFailed, csrfHeader, setCookie } from "../../openapi/cookie-responses.ts";
import { cookieMediaTypes } from "../../request/media-types.ts";
import { continuationRefusals, continuationSchema, continueLogin } from "../login-continuation.ts";
import { idempotencyKeyHeader } from "../token/refresh.ts";
import { requireLoginRequest } from "./login-request.ts";
import { loggedInSchema, toLoginResponse } from "./login-response.ts";

/** `POST {authPath}/login/continue`: completes a login that waits for a second step. */
export const cookieLoginContinue = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/login/continue`,
  operationId: "continueLogin",
  summary: "Complete a login that waits for a second step, with cookies.",
  errorStyle: "token",
  cors: "trusted_with_cookies",
  headers: [csrfHeader, idempotencyKeyHeader],
  body: { accepts: cookieMediaTypes, schema: continuationSchema },
  responses: {
    200: {
      description:
        "The user and the new session. The tokens are in the cookies. A request that is repeated with the same `Idempotency-Key` " +
        "gets the same session.",
      headers: [{ ...setCookie("Sets the access, refresh, CSRF and device cookies."), required: true }],
      schema: loggedInSchema,
    },
    403: csrfFailed,
    ...continuationRefusals,
  },
  async handle(context) {
    const { deps } = context;
    const toCookies = prepareIssuedCookies(deps);
    const loggedIn = await continueLogin(context, async () => ({
      ...(await requireLoginRequest(context)),
      tokenLimits: toTokenLimits(deps.settings),
      readsPublicClaims: true,
    }));
    return withCookies(toLoginResponse(loggedIn), toCookies(loggedIn));
  },
});
