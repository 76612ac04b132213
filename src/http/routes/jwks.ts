import { z } from "zod";
import { defineEndpoint, type HttpDeps } from "../endpoint.ts";
import { cachedDocument, entityTag, ifNoneMatch, unavailable } from "../openapi/responses.ts";
import { type CacheableDocument, toCacheableResponse } from "../response/cacheable.ts";

const mediaType = "application/jwk-set+json";

/** `GET /.well-known/jwks.json` (RFC 7517 §5): returns the public keys. HMAC keys have no public part. */
export const jwks = defineEndpoint({
  method: "GET",
  path: () => "/.well-known/jwks.json",
  operationId: "getJwks",
  summary: "Get the public keys that verify access tokens.",
  errorStyle: "resource",
  cors: "any",
  worksWithoutKeys: true,
  headers: [ifNoneMatch],
  responses: {
    200: {
      description: "A JWK Set. It is empty if all keys are HMAC secrets.",
      headers: [entityTag],
      mediaType,
      schema: z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string() })) }),
    },
    304: cachedDocument,
    503: unavailable,
  },
  handle: async ({ request, deps }) => toCacheableResponse(request, await findJwks(deps), mediaType),
});

/**
 * Returns the public keys that this node knows. Works even while the database is unavailable, because other services may
 * need the keys just then.
 */
async function findJwks({ keys }: Pick<HttpDeps, "keys">): Promise<CacheableDocument> {
  try {
    return keys.current().jwks;
  } catch {
    // Nothing is loaded yet.
    await keys.ready();
    return keys.current().jwks;
  }
}
