import { toJsonResponse } from "../http/json-response.ts";
import { withStandardHeaders } from "../http/standard-headers.ts";

/** A JSON response with the contract's standard headers, for what does not pass `auth.fetch`. */
export function toPlainJson(...response: Parameters<typeof toJsonResponse>): Response {
  return withStandardHeaders(toJsonResponse(...response));
}
