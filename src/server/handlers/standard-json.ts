import { toJsonResponse, withStandardHeaders } from "../../http/response/json.ts";

/** Returns a JSON response with the standard headers. Use it for answers that don't come from `auth.fetch`. */
export function toStandardJson(status: number, body: unknown, headers?: Readonly<Record<string, string>>): Response {
  return withStandardHeaders(toJsonResponse(status, body, headers));
}
