import { z } from "zod";
import { toTokenLimits, withCookies } from "../cookies/cookies.ts";
import { toIssuedCookies } from "../cookies/issued-cookies.ts";
import { defineEndpoint } from "../endpoint.ts";
import { csrfFailed, csrfHeader, setCookie } from "../openapi/cookie-responses.ts";
import { badRequest, errorSchema, throttled, unavailable } from "../openapi/responses.ts";
import { tokenField } from "../request/fields.ts";
import { toPlainJson } from "../request/json.ts";
import { cookieMediaTypes } from "../request/media-types.ts";
import { RequestError } from "../request/request-error.ts";
import { requireLoginRequest } from "./login-request.ts";
import { loggedInSchema, toLoginResponse } from "./login-response.ts";
import { idempotencyKeyHeader, readIdempotencyKey } from "./token-refresh.ts";

/** `POST {authPath}/login/continue`: completes a login that waits for a second step. */
export const cookieLoginContinue = defineEndpoint({
  method: "POST",
  path: ({ authPath }) => `${authPath}/login/continue`,
  operationId: "continueLogin",
  summary: "Complete a login that waits for a second step, with cookies.",
  errorStyle: "token",
  cors: "trusted_with_cookies",
  headers: [csrfHeader, idempotencyKeyHeader],
  body: {
    accepts: cookieMediaTypes,
    schema: z.looseObject({
      ticket: tokenField.meta({ description: "The ticket of the login. The other fields are the proof." }),
    }),
  },
  responses: {
    200: {
      description:
        "The user and the new session. The tokens are in the cookies. A request that is repeated with the same `Idempotency-Key` " +
        "gets the same session.",
      headers: [{ ...setCookie("Sets the access, refresh, CSRF and device cookies."), required: true }],
      schema: loggedInSchema,
    },
    400: {
      ...badRequest,
      description:
        "The proof is wrong (`second_factor_invalid`), a field or `Idempotency-Key` is invalid, or the body can't be parsed.",
    },
    401: {
      description: "The ticket was used, has expired, or had too many attempts (`ticket_invalid`). Log in again.",
      schema: errorSchema,
    },
    403: csrfFailed,
    404: { description: "The application doesn't verify second steps here.", schema: errorSchema },
    429: throttled,
    503: unavailable,
  },
  async handle(context) {
    const { request, deps, client, readBody } = context;
    const { verifySecondFactor } = deps.settings;
    if (verifySecondFactor === undefined) throw new RequestError(404, { detail: "Not found.", code: "not_found" });
    const idempotencyKey = readIdempotencyKey(request.headers);
    const browser = await requireLoginRequest(context);
    const { ticket, ...proof } = await readBody();
    const answer = { tokenLimits: toTokenLimits(deps.settings), readsPublicClaims: true };
    const options = { ...browser, proof: toPlainJson(proof), client, idempotencyKey, ...answer };
    const loggedIn = await deps.flows.continueLogin(ticket, options);
    return withCookies(toLoginResponse(loggedIn), toIssuedCookies(deps, loggedIn));
  },
});
