import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import { refresh } from "../../flows/refresh.ts";
import { defineEndpoint, type HeaderDescription } from "../endpoint.ts";
import { tokenField } from "../fields.ts";
import { toJsonResponse } from "../json-response.ts";
import { tokenMediaTypes } from "../media-types.ts";
import { throttled, tokenRefused, unavailable } from "../response-schemas.ts";

const attemptIdSchema = z.string().regex(/^[A-Za-z0-9_-]{22,128}$/);

/** What a client sends along with a refresh, for the OpenAPI document. */
export const attemptIdHeader: HeaderDescription = {
  name: "Idempotency-Key",
  description: "Made at random before the first try and repeated on every retry of the same refresh.",
  schema: attemptIdSchema,
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
  headers: [attemptIdHeader],
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
  async handle({ request, deps, origin, readBody }) {
    const attemptId = readAttemptId(request.headers);
    const { refresh: token } = await readBody();
    const { outcome, pair } = await refresh(deps, token, { attemptId, origin });
    const headers = outcome === "replayed" ? { "Token-Replayed": "true" } : {};
    return toJsonResponse(200, { access: pair.access, refresh: pair.refresh }, headers);
  },
});

/**
 * The client's attempt id, from the `Idempotency-Key` header; `undefined` where there is none.
 *
 * @throws AuthError `bad_idempotency_key`.
 */
export function readAttemptId(headers: Headers): string | undefined {
  const attemptId = headers.get("Idempotency-Key");
  if (attemptId === null) return undefined;
  if (!attemptIdSchema.safeParse(attemptId).success) {
    throw new AuthError("bad_idempotency_key", "Idempotency-Key is not of the form that was agreed");
  }
  return attemptId;
}
