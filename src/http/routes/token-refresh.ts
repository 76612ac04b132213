import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import { defineEndpoint, type HeaderDescription } from "../endpoint.ts";
import { throttled, tokenRefused, unavailable } from "../openapi/responses.ts";
import { tokenField } from "../request/fields.ts";
import { tokenMediaTypes } from "../request/media-types.ts";
import { toJsonResponse } from "../response/json.ts";

const idempotencyKeySchema = z.string().regex(/^[A-Za-z0-9_-]{22,128}$/);

/** What a client sends along with a refresh, for the OpenAPI document. */
export const idempotencyKeyHeader: HeaderDescription = {
  name: "Idempotency-Key",
  description: "Made at random before the first try and repeated on every retry of the same refresh.",
  schema: idempotencyKeySchema,
};

/** What the answer to a replay says, for the OpenAPI document. */
export const replayedHeader: HeaderDescription = {
  name: "Token-Replayed",
  description: "`true` where a spent token was answered with the successor that it had been given before.",
  schema: z.literal("true"),
};

/** `POST {tokenPath}/refresh`: a refresh token for the next pair. */
export const tokenRefresh = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => `${tokenPath}/refresh`,
  summary: "Exchange a refresh token for the next token pair.",
  errors: "token",
  limit: "refresh",
  headers: [idempotencyKeyHeader],
  body: { accepts: tokenMediaTypes, schema: z.object({ refresh: tokenField }) },
  responses: {
    200: {
      description: "The next pair; without rotation the access token alone.",
      headers: [replayedHeader],
      schema: z.object({ access: z.string(), refresh: z.string().optional() }),
    },
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
 * The client's attempt id, from the `Idempotency-Key` header; `undefined` where there is none.
 *
 * @throws AuthError `bad_idempotency_key`.
 */
export function readIdempotencyKey(headers: Headers): string | undefined {
  const idempotencyKey = headers.get("Idempotency-Key");
  if (idempotencyKey === null) return undefined;
  if (!idempotencyKeySchema.safeParse(idempotencyKey).success) {
    throw new AuthError("bad_idempotency_key", "Idempotency-Key is not of the form that was agreed");
  }
  return idempotencyKey;
}
