import { z } from "zod";
import { defineEndpoint } from "../endpoint.ts";
import { errorSchema, throttled, unavailable } from "../openapi/responses.ts";
import { passwordField, usernameField } from "../request/fields.ts";
import { tokenMediaTypes } from "../request/media-types.ts";
import { toJsonResponse } from "../response/json.ts";

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
  async handle({ deps, client, readBody }) {
    const credentials = await readBody();
    const { pair } = await deps.flows.login(credentials, { client });
    return toJsonResponse(200, { refresh: pair.refresh, access: pair.access });
  },
});
