import { z } from "zod";
import { AuthError } from "../../../core/errors.ts";
import { defineEndpoint } from "../../endpoint.ts";
import type { HeaderDescription, ResponseDescription } from "../../openapi/description.ts";
import { badRequest, throttled, tokenRefused, unavailable } from "../../openapi/responses.ts";
import { tokenField } from "../../request/fields.ts";
import { tokenMediaTypes } from "../../request/media-types.ts";
import { toJsonResponse } from "../../response/json.ts";

const idempotencyKeySchema = z.string().regex(/^[A-Za-z0-9_-]{22,128}$/);

/** Describes the request header of a refresh, for the OpenAPI document. */
export const idempotencyKeyHeader: HeaderDescription = {
  name: "Idempotency-Key",
  description: "A random value that the client creates before the first try and repeats with every retry.",
  schema: idempotencyKeySchema,
};

/** Describes the response header of a refresh, for the OpenAPI document. */
export const replayedHeader: HeaderDescription = {
  name: "Token-Replayed",
  description: "`true` if the token had been used before, and the response has the same new refresh token as then.",
  schema: z.literal("true"),
};

/** Describes the 400 response of a refresh, for the OpenAPI document. */
export const badRefreshRequest: ResponseDescription = {
  ...badRequest,
  description: "`Idempotency-Key` or a field is invalid, or the body can't be parsed.",
};

/** `POST {tokenPath}/refresh`: returns the next token pair for a refresh token. */
export const tokenRefresh = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => `${tokenPath}/refresh`,
  operationId: "refreshTokenPair",
  summary: "Refresh a token pair.",
  errorStyle: "token",
  cors: "trusted",
  rateLimit: "refresh",
  headers: [idempotencyKeyHeader],
  body: {
    accepts: tokenMediaTypes,
    schema: z.object({ refresh: tokenField.meta({ description: "The refresh token." }) }),
  },
  responses: {
    200: {
      description: "The next token pair or, if the server does not rotate refresh tokens, only an access token.",
      headers: [replayedHeader],
      schema: z.object({ access: z.string(), refresh: z.string().optional() }),
    },
    400: badRefreshRequest,
    401: tokenRefused,
    429: throttled,
    503: unavailable,
  },
  async handle({ request, deps, client, readBody }) {
    const idempotencyKey = readIdempotencyKey(request.headers);
    const { refresh: token } = await readBody();
    const { outcome, pair } = await deps.flows.refresh(token, { idempotencyKey, client });
    const headers = outcome === "replayed" ? { "Token-Replayed": "true" } : {};
    return toJsonResponse(200, { access: pair.access, refresh: pair.refresh }, headers);
  },
});

/**
 * Returns the `Idempotency-Key` header, or `undefined` if there is none.
 *
 * @throws AuthError `bad_idempotency_key` if it is malformed.
 */
export function readIdempotencyKey(headers: Headers): string | undefined {
  const idempotencyKey = headers.get("Idempotency-Key");
  if (idempotencyKey === null) return undefined;
  if (!idempotencyKeySchema.safeParse(idempotencyKey).success) {
    throw new AuthError("bad_idempotency_key", "Idempotency-Key must be 22 to 128 characters of A-Z a-z 0-9 - _");
  }
  return idempotencyKey;
}
