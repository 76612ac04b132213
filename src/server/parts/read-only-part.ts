import { withStandardHeaders } from "../../http/response/json.ts";
import type { Part } from "./app.ts";
import { toPlainJson } from "./plain-json.ts";

/** Answers a GET. */
export type Answer = (request: Request) => Response | Promise<Response>;

const allow = { Allow: "GET, HEAD, OPTIONS" };

/**
 * A part whose resources can only be read: GET, HEAD without the body, OPTIONS, and 405 for any other method. `find`
 * says what answers at a pathname; `undefined` is a 404.
 */
export function createReadOnlyPart(find: (pathname: string) => Answer | undefined): Part {
  return Object.freeze({
    handles: (pathname: string) => find(pathname) !== undefined,
    async fetch(request: Request): Promise<Response> {
      const { method } = request;
      const answer = find(new URL(request.url).pathname);
      if (answer === undefined) return toPlainJson(404, { detail: "Not found.", code: "not_found" });
      if (method === "OPTIONS") return withStandardHeaders(new Response(null, { status: 204, headers: allow }));
      if (method !== "GET" && method !== "HEAD") {
        return toPlainJson(405, { detail: `Method "${method}" not allowed.` }, allow);
      }
      const response = await answer(request);
      return method === "HEAD" ? new Response(null, response) : response;
    },
  });
}
