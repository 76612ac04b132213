import { withNext } from "../../core/login-path.ts";
import { toBasePath } from "./paths.ts";

/** The message with which Next's router rejects an action that the proxy has refused, and the digest of a refused action. */
export const refusedAction = "tokenpair: not authenticated";

/** Returns the redirect of a document request to the login page, or `null` for any other request or refusal. */
export function toLogin(request: Request, { status }: Response, loginPath: string): Response | null {
  if (status !== 401 || !isDocument(request)) return null;
  const base = toBasePath(request);
  const { pathname, search } = new URL(request.url);
  const isPage = request.method === "GET" || request.method === "HEAD";
  const location = withNext(`${base}${loginPath}`, isPage ? `${pathname}${search}` : undefined);
  const headers = { Location: new URL(location, request.url).href, "Cache-Control": "no-store", Vary: "Cookie" };
  return new Response(null, { status: 303, headers });
}

/** Returns the refusal of a script's request. Next's router shows the text of a plain-text response to an action. */
export function toRefusal(request: Request, response: Response): Response {
  if (response.status !== 401 || !request.headers.has("next-action")) return response;
  const headers = new Headers(response.headers);
  headers.set("Content-Type", "text/plain");
  return new Response(refusedAction, { status: 401, headers });
}

/** The headers of requests of Next's router, and of requests ahead of time, whose response may be shown much later. */
const otherHeaders = ["next-action", "rsc", "x-nextjs-data", "sec-purpose", "purpose", "x-moz"];

/** Browsers without Fetch Metadata, and all at plain http, say it only with `Accept`. */
function isDocument({ headers }: Request): boolean {
  if (otherHeaders.some((name) => headers.has(name))) return false;
  const destination = headers.get("sec-fetch-dest");
  return destination === null ? (headers.get("accept") ?? "").includes("text/html") : destination === "document";
}
