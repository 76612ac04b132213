import type { ConnectionInfo } from "../../http/request/client-ip.ts";
import { withStandardHeaders } from "../../http/response/json.ts";
import type { Handler } from "./app.ts";
import { toStandardJson } from "./standard-json.ts";

/** Answers a GET request. */
export type Answer = (request: Request, connection?: ConnectionInfo) => Response | Promise<Response>;

const allow = { Allow: "GET, HEAD, OPTIONS" };

/**
 * Creates a handler of read-only resources. It answers GET, HEAD (without a body) and OPTIONS. It answers all other methods
 * with 405.
 *
 * @param find returns the function that answers a GET at a pathname, or `undefined` for a 404.
 */
export function createReadOnlyHandler(find: (pathname: string) => Answer | undefined): Handler {
  return Object.freeze({
    handles: (pathname: string) => find(pathname) !== undefined,
    async fetch(request: Request, connection?: ConnectionInfo): Promise<Response> {
      const { method } = request;
      const answer = find(new URL(request.url).pathname);
      if (answer === undefined) return toStandardJson(404, { detail: "Not found.", code: "not_found" });
      if (method === "OPTIONS") return withStandardHeaders(new Response(null, { status: 204, headers: allow }));
      if (method !== "GET" && method !== "HEAD") {
        return toStandardJson(405, { detail: `Method "${method}" not allowed.` }, allow);
      }
      const response = await answer(request, connection);
      return method === "HEAD" ? new Response(null, response) : response;
    },
  });
}
