import { z } from "zod";
import { defineEndpoint } from "../endpoint.ts";
import { toJsonResponse } from "../response/json.ts";

/** `GET /.well-known/jwks.json` (RFC 7517 §5): returns the public keys. HMAC has none. */
export const jwks = defineEndpoint({
  method: "GET",
  path: () => "/.well-known/jwks.json",
  operationId: "getJwks",
  summary: "Get the public keys that verify access tokens.",
  errorStyle: "resource",
  cors: "any",
  responses: {
    200: {
      description: "A JWK Set. It is empty if the signing key is an HMAC secret.",
      schema: z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }),
    },
  },
  handle: async () => toJsonResponse(200, { keys: [] }, { "Cache-Control": "public, max-age=300" }),
});
