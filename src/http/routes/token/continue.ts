import { defineEndpoint } from "../../endpoint.ts";
import { tokenMediaTypes } from "../../request/media-types.ts";
import { toJsonResponse } from "../../response/json.ts";
import { continuationRefusals, continuationSchema, continueLogin } from "../login-continuation.ts";
import { pairSchema } from "./obtain.ts";
import { idempotencyKeyHeader } from "./refresh.ts";

/** `POST {tokenPath}/continue`: completes a login that waits for a second step. */
export const tokenContinue = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => `${tokenPath}/continue`,
  operationId: "continueTokenLogin",
  summary: "Complete a login that waits for a second step, and get a token pair.",
  errorStyle: "token",
  cors: "trusted",
  rateLimit: "refresh",
  headers: [idempotencyKeyHeader],
  body: { accepts: tokenMediaTypes, schema: continuationSchema },
  responses: {
    200: {
      description:
        "The token pair of a new session. A request that is repeated with the same `Idempotency-Key` gets the same session.",
      schema: pairSchema,
    },
    ...continuationRefusals,
  },
  async handle(context) {
    const { pair } = await continueLogin(context);
    return toJsonResponse(200, { refresh: pair.refresh, access: pair.access });
  },
});
