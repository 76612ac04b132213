import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import type { SessionView } from "../../flows/sessions/sessions.ts";
import { authenticateRequest } from "../credentials.ts";
import { defineEndpoint, type HttpDeps } from "../endpoint.ts";
import { cookiesRefused, publicClaimsSchema } from "../openapi/cookie-responses.ts";
import { notAuthenticated, timeSchema, unavailable } from "../openapi/responses.ts";
import { toJsonResponse } from "../response/json.ts";

/** `GET {authPath}/me`: returns the user and the session of the access token. */
export const me = defineEndpoint({
  method: "GET",
  path: ({ authPath }) => `${authPath}/me`,
  operationId: "getCurrentUser",
  summary: "Get the current user and session.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  security: ["bearer", "cookie"],
  responses: {
    200: {
      description: "The user and the session.",
      schema: z.object({
        id: z.string(),
        username: z.string(),
        claims: publicClaimsSchema,
        session: z.object({
          id: z.string(),
          created_at: timeSchema,
          expires_at: timeSchema,
          actor: z.string().nullable().meta({ description: "Who acts for the user in this session; null: the user." }),
        }),
      }),
    },
    401: notAuthenticated,
    403: cookiesRefused,
    503: unavailable,
  },
  async handle({ request, deps }) {
    const { userId, sessionId, user } = await authenticateRequest(deps, request);
    const found = user ?? (await deps.flows.findCurrentUser(userId));
    if (found === null) throw new AuthError("user_not_found", "no such user");
    const session = await findOwnSession(deps, sessionId);
    return toJsonResponse(200, {
      id: userId,
      username: found.username,
      claims: await deps.flows.readPublicClaims(found),
      session: {
        id: session.id,
        created_at: session.createdAt,
        expires_at: session.expiresAt,
        actor: session.actor,
      },
    });
  },
});

/** Returns the caller's session. If the session no longer exists, the access token counts as revoked. */
async function findOwnSession(deps: HttpDeps, sessionId: string): Promise<SessionView> {
  try {
    return await deps.flows.findSession(sessionId);
  } catch (error) {
    const isGone = error instanceof AuthError && error.code === "session_not_found";
    throw isGone ? new AuthError("token_revoked", "the session is over") : error;
  }
}
