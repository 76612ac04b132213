import { z } from "zod";
import { defineEndpoint } from "../../endpoint.ts";
import { emptySchema, throttled, tokenRefused, unavailable } from "../../openapi/responses.ts";
import { tokenField } from "../../request/fields.ts";
import { tokenMediaTypes } from "../../request/media-types.ts";
import { toJsonResponse } from "../../response/json.ts";

/** `POST {tokenPath}/verify`: says whether an access or refresh token is valid. */
export const tokenVerify = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => `${tokenPath}/verify`,
  operationId: "verifyToken",
  summary: "Verify an access or refresh token.",
  description:
    "A refresh token is valid only until it is spent: after a rotation, the old one is refused, even within the reuse " +
    "interval. Access tokens are checked in memory, refresh tokens in the database. Verifying spends nothing.",
  errorStyle: "token",
  cors: "trusted",
  rateLimit: "verify",
  worksWithoutKeys: true,
  body: {
    accepts: tokenMediaTypes,
    schema: z.object({ token: tokenField.meta({ description: "The access or refresh token." }) }),
  },
  responses: {
    200: { description: "The token is valid.", schema: emptySchema },
    401: tokenRefused,
    429: throttled,
    503: unavailable,
  },
  async handle({ deps, readBody }) {
    const { token } = await readBody();
    await deps.flows.verify(token);
    return toJsonResponse(200, {});
  },
});
