import { toJsonResponse, withStandardHeaders } from "../../http/response/json.ts";

/** Returns a JSON response with the standard headers. Use it for answers that don't come from `auth.fetch`. */
export function toPlainJson(...response: Parameters<typeof toJsonResponse>): Response {
  return withStandardHeaders(toJsonResponse(...response));
}
