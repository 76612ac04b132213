import { z } from "zod";
import { type Actor, impersonated, withActor } from "../../../flows/sessions/actor.ts";
import type { SessionView } from "../../../flows/sessions/sessions.ts";
import { toClearedCookies, withCookies } from "../../cookies/cookies.ts";
import { authenticateRequest, readCredentials } from "../../credentials.ts";
import { defineEndpoint } from "../../endpoint.ts";
import { cookiesRefused, csrfFailedOrActor, csrfHeader, setCookie } from "../../openapi/cookie-responses.ts";
import { errorSchema, notAuthenticated, timeSchema, unavailable } from "../../openapi/responses.ts";
import { textField } from "../../request/fields.ts";
import { cookieMediaTypes } from "../../request/media-types.ts";
import { toJsonResponse } from "../../response/json.ts";

const sessionSchema = z.object({
  id: z.string(),
  current: z.boolean(),
  created_at: timeSchema,
  last_used_at: timeSchema,
  expires_at: timeSchema,
  user_agent: z.string().nullable().meta({ description: "Null in the session of an `actor`." }),
  ip: z.string().nullable().meta({ description: "Null in the session of an `actor`." }),
  label: z.string().nullable(),
  actor: z.string().nullable().meta({ description: "Who acts for the user in this session; null: the user." }),
});

const notFound = { description: "The user has no live session with this id.", schema: errorSchema };

/** `GET {authPath}/sessions`: lists the user's live sessions. */
export const cookieSessionsList = defineEndpoint({
  method: "GET",
  path: ({ authPath }) => `${authPath}/sessions`,
  operationId: "listSessions",
  summary: "List the current user's sessions, newest first.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  security: ["bearer", "cookie"],
  responses: {
    200: { description: "The live sessions.", schema: z.object({ sessions: z.array(sessionSchema) }) },
    401: notAuthenticated,
    403: cookiesRefused,
    503: unavailable,
  },
  async handle({ request, deps }) {
    const { userId, sessionId } = await authenticateRequest(deps, request);
    const sessions = await deps.flows.listSessions(userId);
    return toJsonResponse(200, { sessions: sessions.map((session) => toSessionBody(session, sessionId)) });
  },
});

/** `PATCH {authPath}/sessions/{id}`: sets the label of one of the user's sessions, or removes it with `null`. */
export const cookieSessionsLabel = defineEndpoint({
  method: "PATCH",
  path: ({ authPath }) => `${authPath}/sessions/{id}`,
  operationId: "labelSession",
  summary: "Label one of the current user's sessions.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  security: ["bearer", "cookie"],
  headers: [csrfHeader],
  body: {
    accepts: cookieMediaTypes,
    schema: z.object({
      label: textField({ keepSpace: false, maxLength: 100, storable: true })
        .nullable()
        .meta({ description: "The name, or null to remove it." }),
    }),
  },
  responses: {
    200: { description: "The session.", schema: sessionSchema },
    401: notAuthenticated,
    403: csrfFailedOrActor,
    404: notFound,
    503: unavailable,
  },
  async handle({ request, deps, params, requireMediaType, readBody }) {
    const credentials = readCredentials(request.headers, deps);
    const { userId, sessionId, actor } = await authenticateRequest(deps, request, { credentials, requireMediaType });
    const { label } = await readBody();
    const id = params["id"] ?? "";
    requireOwnSession(actor, id === sessionId);
    const session = await deps.flows.labelSession({ sessionId: id, userId }, label);
    return toJsonResponse(200, toSessionBody(session, sessionId));
  },
});

/**
 * `DELETE {authPath}/sessions/{id}`: revokes one of the user's sessions. If it is this browser's, clears the cookies.
 */
export const cookieSessionsDelete = defineEndpoint({
  method: "DELETE",
  path: ({ authPath }) => `${authPath}/sessions/{id}`,
  operationId: "revokeSession",
  summary: "Revoke one of the current user's sessions.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  security: ["bearer", "cookie"],
  headers: [csrfHeader],
  body: { accepts: cookieMediaTypes, schema: z.object({}) },
  responses: {
    204: {
      description: "The session is revoked.",
      headers: [setCookie("Deletes this browser's cookies if the session was its own.")],
    },
    401: notAuthenticated,
    403: csrfFailedOrActor,
    404: notFound,
    503: unavailable,
  },
  async handle({ request, deps, params, client, requireMediaType }) {
    const credentials = readCredentials(request.headers, deps);
    const { userId, sessionId, actor } = await authenticateRequest(deps, request, { credentials, requireMediaType });
    const id = params["id"] ?? "";
    requireOwnSession(actor, id === sessionId);
    await deps.flows.revokeSession(id, { userId, client: withActor(client, actor) });
    const isOwnBrowser = credentials.via === "cookie" && id === sessionId;
    return withCookies(new Response(null, { status: 204 }), isOwnBrowser ? toClearedCookies(deps.settings) : []);
  },
});

/** Requires that an actor changes only the session in which it acts. @throws AuthError `impersonated`. */
function requireOwnSession(actor: Actor, isOwn: boolean): void {
  if (actor !== null && !isOwn) throw impersonated();
}

function toSessionBody(session: SessionView, currentId: string): z.infer<typeof sessionSchema> {
  return {
    id: session.id,
    current: session.id === currentId,
    created_at: session.createdAt,
    last_used_at: session.lastUsedAt,
    expires_at: session.expiresAt,
    // The user must not learn where the staff work.
    user_agent: session.actor === null ? session.userAgent : null,
    ip: session.actor === null ? session.ip : null,
    label: session.label,
    actor: session.actor,
  };
}
