import { createHash } from "node:crypto";

/** A document that caches may keep: it is the same for everyone, and on every node. */
export interface CacheableDocument {
  /** The JSON text. */
  readonly body: string;
  /** The `ETag` (RFC 9110 §8.8.3), with its quotes. */
  readonly etag: string;
}

/** For how many seconds caches may keep a document without asking again. */
const maxAge = 300;

/** Returns the document with this JSON text. Its `ETag` is derived from the text alone, so every node has the same. */
export function toCacheableDocument(body: string): CacheableDocument {
  return { body, etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"` };
}

/**
 * Returns the response with a document: 304 without it if the request has its `ETag` in `If-None-Match` (RFC 9110 §13.1.2),
 * else 200.
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

/** Compares weakly, because proxies that compress make a strong `ETag` a weak one. */
function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  const known: readonly string[] = ifNoneMatch.match(/"[^"]*"/g) ?? [];
  return ifNoneMatch.trim() === "*" || known.includes(etag);
}
