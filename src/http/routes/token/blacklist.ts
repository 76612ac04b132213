import { z } from "zod";
import { defineEndpoint } from "../../endpoint.ts";
import { emptySchema, throttled, tokenRefused, unavailable } from "../../openapi/responses.ts";
import { tokenField } from "../../request/fields.ts";
import { tokenMediaTypes } from "../../request/media-types.ts";
import { toJsonResponse } from "../../response/json.ts";

/** `POST {tokenPath}/blacklist`: revokes the session of a refresh token. */
export const tokenBlacklist = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => `${tokenPath}/blacklist`,
  operationId: "revokeTokenPair",
  summary: "Revoke the session of a refresh token, and all its tokens.",
  description:
    "This is the logout of a client without cookies. It needs no access token, and the session's access tokens are revoked " +
    "too. A spent refresh token of a live session works as well.",
  errorStyle: "token",
  cors: "trusted",
  rateLimit: "blacklist",
  body: {
    accepts: tokenMediaTypes,
    schema: z.object({ refresh: tokenField.meta({ description: "The refresh token." }) }),
  },
  responses: {
    200: { description: "The session is revoked.", schema: emptySchema },
    401: tokenRefused,
    429: throttled,
    503: unavailable,
  },
  async handle({ deps, client, readBody }) {
    const { refresh: token } = await readBody();
    await deps.flows.logoutByRefreshToken(token, { client });
    return toJsonResponse(200, {});
  },
});
