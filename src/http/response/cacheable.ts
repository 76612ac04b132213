import { createHash } from "node:crypto";

/** A document that caches may store, because it is the same for all clients and on all nodes. */
export interface CacheableDocument {
  /** The JSON text. */
  readonly body: string;
  /** The `ETag` header (RFC 9110 §8.8.3), including its quotes. */
  readonly etag: string;
}

/** How long caches may use a document before they check for a new one, in seconds. */
const maxAge = 300;

/** Returns the document with this JSON text. Its `ETag` depends only on the text, so it is the same on every node. */
export function toCacheableDocument(body: string): CacheableDocument {
  return { body, etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"` };
}

/**
 * Returns the response for a document. If the request has the document's `ETag` in `If-None-Match` (RFC 9110 §13.1.2), it
 * is a 304 without the document, otherwise a 200.
 */
export function toCacheableResponse(
  { headers }: Pick<Request, "headers">,
  { body, etag }: CacheableDocument,
  mediaType = "application/json",
): Response {
  const caching = { "Cache-Control": `public, max-age=${maxAge}`, ETag: etag };
  if (isKnown(headers.get("If-None-Match"), etag)) return new Response(null, { status: 304, headers: caching });
  return new Response(body, { headers: { "Content-Type": mediaType, ...caching } });
}

/**
 * Returns whether `If-None-Match` contains the `ETag`. The comparison is weak, because proxies that compress responses turn
 * a strong `ETag` into a weak one.
 */
function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  const known: readonly string[] = ifNoneMatch.match(/"[^"]*"/g) ?? [];
  return ifNoneMatch.trim() === "*" || known.includes(etag);
}
