import { z } from "zod";
import { login } from "../../flows/login.ts";
import { defineEndpoint } from "../endpoint.ts";
import { passwordField, usernameField } from "../fields.ts";
import { toJsonResponse } from "../json-response.ts";
import { tokenMediaTypes } from "../media-types.ts";
import { errorSchema, throttled, unavailable } from "../response-schemas.ts";

/** `POST {tokenPath}`: a username and a password for a token pair. */
export const tokenObtain = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => tokenPath,
  summary: "Obtain a token pair for a username and a password.",
  errors: "token",
  body: { accepts: tokenMediaTypes, schema: z.object({ username: usernameField, password: passwordField }) },
  responses: {
    200: { description: "A new session's token pair.", schema: z.object({ refresh: z.string(), access: z.string() }) },
    401: { description: "Wrong credentials, or an inactive user.", schema: errorSchema },
    429: throttled,
    503: unavailable,
  },
  async handle({ deps, origin, readBody }) {
    const credentials = await readBody();
    const { pair } = await login(deps, credentials, { origin });
    return toJsonResponse(200, { refresh: pair.refresh, access: pair.access });
  },
});
