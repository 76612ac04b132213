import { z } from "zod";
import type { AccessClaims } from "../../../core/claims.ts";
import type { ActiveToken } from "../../../flows/tokens/introspect.ts";
import { defineEndpoint } from "../../endpoint.ts";
import {
  badServiceRequest,
  insufficientScope,
  serviceRefused,
  throttled,
  timeSchema,
  unavailable,
} from "../../openapi/responses.ts";
import { presentedTokenBody, readPresentedToken } from "../../request/presented-token.ts";
import { toJsonResponse } from "../../response/json.ts";

/** `POST {tokenPath}/introspect` (RFC 7662): returns to a service whether a token is live, and the token's claims. */
export const tokenIntrospect = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => `${tokenPath}/introspect`,
  operationId: "introspectToken",
  summary: "Find out whether a token is live, and whose it is.",
  errorStyle: "token",
  serviceScope: "introspect",
  security: ["serviceBasic", "serviceBearer"],
  body: presentedTokenBody,
  responses: {
    200: {
      description:
        "The token's claims, or only `active: false` if it is invalid, expired, revoked or spent. A refresh token may be active " +
        'too: a resource server must require the `tokenpair_type` "access".',
      schema: z.object({
        active: z.boolean(),
        token_type: z.literal("Bearer").optional(),
        tokenpair_type: z.enum(["access", "refresh"]).optional(),
        iss: z.string().optional(),
        aud: z.union([z.string(), z.array(z.string())]).optional(),
        sub: z.string().optional(),
        client_id: z.string().optional(),
        username: z.string().optional(),
        exp: timeSchema.optional(),
        iat: timeSchema.optional(),
        jti: z.string().optional(),
        sid: z.string().optional(),
        auth_time: timeSchema.optional(),
        amr: z.array(z.string()).optional(),
        act: z.object({ sub: z.string() }).optional(),
      }),
    },
    400: badServiceRequest,
    401: serviceRefused,
    403: insufficientScope,
    429: throttled,
    503: unavailable,
  },
  async handle({ deps, readBody }) {
    const active = await deps.flows.introspect(await readPresentedToken({ readBody }));
    return toJsonResponse(200, active === null ? { active: false } : toIntrospection(active, deps.settings));
  },
});

/**
 * Returns the response for a live token. Each member is listed by name, so that nothing else of a token is returned. JSON
 * omits the members that the token doesn't have.
 */
function toIntrospection({ claims, username }: ActiveToken, { issuer }: { readonly issuer: string | undefined }) {
  const { type, userId, sessionId, tokenId, issuedAt, expiresAt } = claims;
  const payload: Readonly<Record<string, unknown>> = claims.type === "access" ? claims.payload : {};
  const { iss = issuer, aud, client_id } = payload;
  return {
    active: true,
    token_type: "Bearer",
    tokenpair_type: type,
    iss,
    aud,
    sub: userId,
    client_id: typeof client_id === "string" ? client_id : undefined,
    username,
    exp: expiresAt,
    iat: issuedAt,
    jti: tokenId,
    sid: sessionId,
    ...(claims.type === "access" ? toAuthentication(claims) : {}),
  };
}

/** Returns when, how and by whom the user was authenticated (RFC 9470 §6.2, RFC 8693 §4.1). */
function toAuthentication({ authTime, amr, actor }: AccessClaims) {
  return {
    auth_time: authTime ?? undefined,
    amr: amr.length === 0 ? undefined : amr,
    act: actor === null ? undefined : { sub: actor },
  };
}
