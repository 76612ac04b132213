import { z } from "zod";
import { verify } from "../../flows/verify.ts";
import { defineEndpoint } from "../endpoint.ts";
import { tokenField } from "../fields.ts";
import { toJsonResponse } from "../json-response.ts";
import { tokenMediaTypes } from "../media-types.ts";
import { emptySchema, throttled, tokenRefused, unavailable } from "../response-schemas.ts";

/** `POST {tokenPath}/verify`: whether a token of either kind is alive. */
export const tokenVerify = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => `${tokenPath}/verify`,
  summary: "Say whether an access or refresh token is valid.",
  errors: "token",
  limit: "verify",
  body: { accepts: tokenMediaTypes, schema: z.object({ token: tokenField }) },
  responses: {
    200: { description: "The token is valid.", schema: emptySchema },
    401: tokenRefused,
    429: throttled,
    503: unavailable,
  },
  async handle({ deps, readBody }) {
    const { token } = await readBody();
    await verify(deps, token);
    return toJsonResponse(200, {});
  },
});
