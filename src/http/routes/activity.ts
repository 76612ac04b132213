import { z } from "zod";
import { authenticateRequest } from "../credentials.ts";
import { defineEndpoint } from "../endpoint.ts";
import { cookiesRefused } from "../openapi/cookie-responses.ts";
import { notAuthenticated, timeSchema, unavailable } from "../openapi/responses.ts";
import { toJsonResponse } from "../response/json.ts";

/** `GET {authPath}/activity`: what happened to the user's account, from the audit log. */
export const activity = defineEndpoint({
  method: "GET",
  path: ({ authPath }) => `${authPath}/activity`,
  operationId: "listActivity",
  summary: "List the latest events of the current user's account, newest first.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  security: ["bearer", "cookie"],
  responses: {
    200: {
      description: "At most 20 events. None if the audit log is off.",
      schema: z.object({
        events: z.array(
          z.object({
            id: z.int(),
            time: timeSchema,
            type: z.string().meta({ description: "The type of the event, such as `login`." }),
            detail: z
              .string()
              .nullable()
              .meta({ description: "The outcome, the change, or why sessions were revoked." }),
            session: z.string().nullable(),
            current: z.boolean().meta({ description: "Whether it is about the caller's own session." }),
            ip: z.string().nullable().meta({ description: "Null if another actor sent it, or may have sent it." }),
            user_agent: z
              .string()
              .nullable()
              .meta({ description: "Null if another actor sent it, or may have sent it." }),
            by_other: z
              .boolean()
              .meta({ description: "Whether another actor than the user did it, such as a member of the staff." }),
          }),
        ),
      }),
    },
    401: notAuthenticated,
    403: cookiesRefused,
    503: unavailable,
  },
  async handle({ request, deps }) {
    const { userId, sessionId: ownId } = await authenticateRequest(deps, request);
    const events = await deps.flows.listActivity(userId);
    return toJsonResponse(200, {
      events: events.map(({ id, time, type, detail, sessionId, ip, userAgent, byOther }) => ({
        id,
        time,
        type,
        detail,
        session: sessionId,
        current: sessionId === ownId,
        ip,
        user_agent: userAgent,
        by_other: byOther,
      })),
    });
  },
});
