import type { IncomingMessage } from "node:http";
import type { ConnectionInfo } from "../../index.ts";
import { toConnection } from "./parts.ts";

/**
 * Returns whether the path of a request has "." or ".." as a segment, also percent-encoded. A `Request` has resolved them (RFC
 * 3986 §5.2.4). If a proxy appends a client's path to that of the check endpoint, such a path names a different endpoint, and
 * the proxy would take this endpoint's 200 for a yes.
 */
export function hasDotSegment({ url = "" }: Pick<IncomingMessage, "url">): boolean {
  const [path = ""] = url.split(/[?#]/, 1);
  return /[/\\](?:\.|%2e){1,2}(?=[/\\]|$)/i.test(path);
}

/** Answers a request with `answer`, but with 400 if its path has a dot segment. */
export async function answerUnlessDotted(
  req: Pick<IncomingMessage, "url" | "socket">,
  answer: (connection: ConnectionInfo) => Promise<Response>,
): Promise<Response> {
  if (!hasDotSegment(req)) return answer(toConnection(req));
  const headers = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
  };
  return Response.json({ detail: "Bad request.", code: "bad_request" }, { status: 400, headers });
}
