import { type RequestHead, readHeader } from "../request/headers.ts";

/** A request that shows its response in a browser's tab: a page (GET or HEAD), or the answer to a form (POST). */
export type Navigation = "page" | "form";

/** The headers that mark a request of a script or of a router, which must not get a page. */
const scriptHeaders = ["rsc", "next-router-state-tree", "x-nextjs-data", "x-requested-with", "hx-request"] as const;

/** The headers of requests ahead of time. Browsers without `Sec-Purpose` send one of the others. */
const prefetchHeaders = ["sec-purpose", "purpose", "x-moz", "x-purpose", "next-router-prefetch"] as const;

/**
 * Returns which navigation of a tab a request is, or `null` if it isn't one: a script's request, a frame, an image, or a request
 * ahead of time (prefetch or prerender). Browsers say so in their Fetch Metadata. Old ones, and all at plain http, don't send
 * it: then `Accept` decides.
 *
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function findNavigation({ headers, method }: RequestHead): Navigation | null {
  const navigation = method === "GET" || method === "HEAD" ? "page" : method === "POST" ? "form" : null;
  if (navigation === null) return null;
  const has = (name: Lowercase<string>) => readHeader(headers, name) !== undefined;
  if (scriptHeaders.some(has) || prefetchHeaders.some(has)) return null;
  const destination = readHeader(headers, "sec-fetch-dest");
  const mode = readHeader(headers, "sec-fetch-mode") ?? "navigate";
  if (destination !== undefined) return destination === "document" && mode === "navigate" ? navigation : null;
  // What browsers send with navigations. Scripts that request HTML don't add "*/*".
  return /^text\/html\b.*\*\/\*/.test(readHeader(headers, "accept") ?? "") ? navigation : null;
}
