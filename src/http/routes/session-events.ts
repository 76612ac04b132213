import { z } from "zod";
import { authenticateRequest } from "../credentials.ts";
import { defineEndpoint } from "../endpoint.ts";
import { cookiesRefused } from "../openapi/cookie-responses.ts";
import { errorSchema, notAuthenticated, throttled, unavailable } from "../openapi/responses.ts";
import { RequestError } from "../request/request-error.ts";

/**
 * `GET {authPath}/session/events`: a stream of server-sent events. It begins with the event `session`, whose data has the session's
 * `id`, and ends with the event `closed` when the session ends. Its data has the `code` `token_revoked` (with the `reason`, if the node knows it), `token_expired`, or `unavailable`, after which
 * the page connects again.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const sessionEvents = defineEndpoint({
  method: "GET",
  path: ({ authPath }) => `${authPath}/session/events`,
  operationId: "followSession",
  summary: "Follow the current session until it ends, with server-sent events.",
  errorStyle: "resource",
  cors: "trusted_with_cookies",
  security: ["bearer", "cookie"],
  responses: {
    200: {
      description:
        'A stream. Its first event is `session`, with `{"id"}`, and its last is `closed`, with `{"code", "reason"}`.',
      headers: [
        { name: "X-Accel-Buffering", description: "`no`: nginx forwards events at once.", schema: z.literal("no") },
      ],
      binary: "text/event-stream; charset=utf-8",
    },
    401: notAuthenticated,
    403: cookiesRefused,
    404: { description: "The server has no such streams.", schema: errorSchema },
    429: throttled,
    503: unavailable,
  },
  async handle({ request, deps }) {
    if (deps.settings.maxSessionStreams === 0) {
      throw new RequestError(404, { detail: "Not found.", code: "not_found" });
    }
    return deps.sessionStreams.open(await authenticateRequest(deps, request));
  },
});
