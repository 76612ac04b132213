/** Returns the path of an absolute URL or of a request target (RFC 9112 §3.2), without its query. */
export function toPathname(url: string): string {
  if (!url.startsWith("/") && URL.canParse(url)) return new URL(url).pathname;
  return url.split(/[?#]/, 1)[0] ?? "/";
}
