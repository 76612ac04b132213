import { z } from "zod";
import { defineEndpoint } from "../../endpoint.ts";
import { loginRefused, throttled, unavailable } from "../../openapi/responses.ts";
import { passwordField, usernameField } from "../../request/fields.ts";
import { tokenMediaTypes } from "../../request/media-types.ts";
import { toJsonResponse } from "../../response/json.ts";

/** The answer to a login by token. */
export const pairSchema = z.object({ refresh: z.string(), access: z.string() });

/** `POST {tokenPath}`: starts a session and returns its token pair. */
export const tokenObtain = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => tokenPath,
  operationId: "obtainTokenPair",
  summary: "Log in and get a token pair.",
  errorStyle: "token",
  cors: "trusted",
  body: { accepts: tokenMediaTypes, schema: z.object({ username: usernameField, password: passwordField }) },
  responses: {
    200: {
      description: "The token pair of a new session.",
      schema: pairSchema,
    },
    401: loginRefused,
    429: throttled,
    503: unavailable,
  },
  async handle({ deps, client, readBody }) {
    const credentials = await readBody();
    const { pair } = await deps.flows.login(credentials, { client });
    return toJsonResponse(200, { refresh: pair.refresh, access: pair.access });
  },
});
