import type { Endpoint } from "../../http/endpoint.ts";
import { errorSchema, notAuthenticated, throttled, unavailable } from "../../http/openapi/responses.ts";

/** What all endpoints of the staff API have in common. None of them has CORS. */
export const staffEndpoint = {
  errorStyle: "resource",
  security: ["bearer", "cookie"],
} as const satisfies Partial<Endpoint>;

/** The refusals of all endpoints of the staff API. */
export const staffResponses = {
  401: notAuthenticated,
  403: {
    description: "The user has no role, or one that may not do this, or the CSRF check failed.",
    schema: errorSchema,
  },
  429: throttled,
  503: unavailable,
} as const;
