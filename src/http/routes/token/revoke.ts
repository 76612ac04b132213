import { defineEndpoint } from "../../endpoint.ts";
import {
  badServiceRequest,
  insufficientScope,
  serviceRefused,
  throttled,
  unavailable,
} from "../../openapi/responses.ts";
import { presentedTokenBody, readPresentedToken } from "../../request/presented-token.ts";

/** `POST {tokenPath}/revoke` (RFC 7009): revokes a token for a service. */
export const tokenRevoke = defineEndpoint({
  method: "POST",
  path: ({ tokenPath }) => `${tokenPath}/revoke`,
  operationId: "revokeToken",
  summary: "Revoke a token: the session of a refresh token, or one access token.",
  errorStyle: "token",
  serviceScope: "revoke",
  security: ["serviceBasic", "serviceBearer"],
  body: presentedTokenBody,
  responses: {
    200: { description: "The token can't be used any more, or was already invalid, expired or revoked." },
    400: badServiceRequest,
    401: serviceRefused,
    403: insufficientScope,
    429: throttled,
    503: unavailable,
  },
  async handle({ deps, client, readBody }) {
    await deps.flows.revokePresented(await readPresentedToken({ readBody }), { client });
    return new Response(null);
  },
});
