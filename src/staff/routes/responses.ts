import { z } from "zod";
import type { Endpoint } from "../../http/endpoint.ts";
import { errorSchema, notAuthenticated, throttled, unavailable } from "../../http/openapi/responses.ts";
import { JsonNumber } from "../../http/request/json.ts";
import { RequestError } from "../../http/request/request-error.ts";

/** What all endpoints of the staff API have in common. None of them has CORS. */
export const staffEndpoint = {
  errorStyle: "resource",
  security: ["bearer", "cookie"],
} as const satisfies Partial<Endpoint>;

/** The refusals of all endpoints of the staff API. */
export const staffResponses = {
  400: { description: "A parameter is wrong.", schema: z.record(z.string(), z.array(z.string())) },
  401: notAuthenticated,
  403: {
    description: "The user has no role, or one that may not do this, or the CSRF check failed.",
    schema: errorSchema,
  },
  429: throttled,
  503: unavailable,
} as const;

/** The 404 response. */
export const notFound = { description: "There is no user with this id.", schema: errorSchema } as const;

/** Returns the error of a user that doesn't exist. */
export const userNotFound = () => new RequestError(404, { detail: "Not found.", code: "not_found" });

/** The schema of a permission. */
export const permissionSchema = z.enum([
  "read",
  "users.write",
  "users.delete",
  "sessions.revoke",
  "sessions.revoke-many",
  "audit.export",
  "staff.write",
  "keys.write",
]);

/** Returns the schema of a page of a list. */
export const pageSchema = <S extends z.ZodType>(row: S) =>
  z.object({
    results: z.array(row),
    next: z.string().nullable(),
    previous: z.string().nullable(),
    count: z.int().optional(),
  });

/** Returns the schema of a time in a query: whole seconds since the epoch, or ISO 8601. */
export function timeFilter(description: string) {
  const toText = (value: unknown) => (value instanceof JsonNumber ? value.text : value);
  return z
    .preprocess(toText, z.string())
    .transform((text, context) => {
      const seconds = /^\d{1,12}$/.test(text) ? Number(text) : Math.floor(Date.parse(text) / 1_000);
      if (Number.isSafeInteger(seconds)) return seconds;
      context.addIssue({ code: "custom", message: 'Give a time such as "2026-01-31T12:00:00Z"' });
      return z.NEVER;
    })
    .optional()
    .meta({ description });
}
