import { z } from "zod";
import type { Settings } from "../../core/settings/settings.ts";
import { authenticateRequest } from "../credentials.ts";
import { defineEndpoint } from "../endpoint.ts";
import { answerForwardAuth, noIdentity } from "../forward-auth.ts";
import { csrfFailed } from "../openapi/cookie-responses.ts";
import type { HeaderDescription, ResponseDescription } from "../openapi/description.ts";
import { notAuthenticated, unavailable } from "../openapi/responses.ts";

const meanings: Readonly<Record<keyof typeof noIdentity, string>> = {
  "X-User-Id": "The user's id.",
  "X-Session-Id": "The session's id.",
  "X-Token-Id": "The id of the access token.",
  "X-User-Epoch": "The user's epoch in the token.",
  "X-Token-Expires": "When the token expires, in whole seconds since the epoch.",
};

/** The headers of every response. */
const identity: readonly HeaderDescription[] = Object.entries(meanings).map(([name, meaning]) => ({
  name,
  description: `${meaning} Percent-encoded UTF-8. Empty in a response that names no user.`,
  schema: z.string(),
  required: true,
}));

const withIdentity = ({ headers = [], ...response }: ResponseDescription): ResponseDescription => ({
  ...response,
  headers: [...headers, ...identity],
});

const toPath = ({ authPath }: Pick<Settings, "authPath">) => `${authPath}/check`;

/** `{authPath}/check`: tells a proxy whether to let a request through, and who sent it. */
export const check = defineEndpoint({
  method: "GET",
  isCatchAll: true,
  path: toPath,
  operationId: "checkRequest",
  summary: "Tell a proxy who sent a request. Every method, and every path below this one, gets the same answer.",
  errorStyle: "resource",
  security: ["bearer", "cookie"],
  refusalHeaders: noIdentity,
  query: [
    { name: "optional", description: "`1` also lets requests without a token through.", schema: z.literal("1") },
    { name: "forms", description: "`1` also lets forms by cookie through.", schema: z.literal("1") },
  ],
  headers: [
    {
      name: "X-Forwarded-Method",
      description:
        "The method of the request. `X-Original-Method` works too. Without either, a request by cookie counts as unsafe. On a path below this one, the method of the proxy's own request counts instead.",
      schema: z.string(),
    },
    {
      name: "X-Forwarded-Host",
      description: "The host of the request. Ignored unless a trusted proxy sent it.",
      schema: z.string(),
    },
    {
      name: "X-Forwarded-Proto",
      description: "`https` or `http`. Ignored unless a trusted proxy sent it.",
      schema: z.string(),
    },
  ],
  responses: {
    200: withIdentity({ description: "The proxy may let the request through." }),
    401: withIdentity(notAuthenticated),
    403: withIdentity(csrfFailed),
    503: withIdentity(unavailable),
  },
  handle({ request, deps, isFromTrustedProxy }) {
    const { settings, readBearerToken } = deps;
    return answerForwardAuth(
      { settings, readBearerToken, authenticate: (original) => authenticateRequest(deps, original) },
      request,
      { path: toPath(settings), isFromTrustedProxy },
    );
  },
});
