import { toJsonResponse, withStandardHeaders } from "../../http/response/json.ts";

/** A JSON response with the contract's standard headers, for what does not pass `auth.fetch`. */
export function toPlainJson(...response: Parameters<typeof toJsonResponse>): Response {
  return withStandardHeaders(toJsonResponse(...response));
}
