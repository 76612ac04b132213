import { z } from "zod";
import { logoutByRefreshToken } from "../../flows/logout.ts";
import { defineEndpoint } from "../endpoint.ts";
import { tokenField } from "../fields.ts";
import { toJsonResponse } from "../json-response.ts";
import { tokenMediaTypes } from "../media-types.ts";
import { emptySchema, throttled, tokenRefused, unavailable } from "../response-schemas.ts";

/** `POST {tokenPath}/blacklist`: ends the session of a refresh token. */
export const tokenBlacklist = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => `${tokenPath}/blacklist`,
  summary: "End the session of a refresh token, and with it all of its tokens.",
  errors: "token",
  limit: "blacklist",
  body: { accepts: tokenMediaTypes, schema: z.object({ refresh: tokenField }) },
  responses: {
    200: { description: "The session has ended.", schema: emptySchema },
    401: tokenRefused,
    429: throttled,
    503: unavailable,
  },
  async handle({ deps, origin, readBody }) {
    const { refresh: token } = await readBody();
    await logoutByRefreshToken(deps, token, origin);
    return toJsonResponse(200, {});
  },
});
