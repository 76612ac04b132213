/** The longest address that is accepted, in characters. */
const maxLength = 2_048;

/** Control characters, spaces and backslashes: browsers drop some of them from an address, and read `\` as `/`. */
const forbidden = /[\p{Cc}\p{Zs}\\]/u;

/**
 * Returns the path of an address that a client has sent, such as the page to show after a login, if it is one of `origin`.
 * Otherwise an address in a link to your login page could lead the user to another site (an open redirect).
 *
 * @param next a path that begins with one slash, or an absolute URL of `origin`. It may have a query and a fragment.
 * @param origin the origin of your pages, such as "https://app.example.com".
 * @returns the path with query and fragment; `null` for any other address: of another origin, such as "//evil.example" or
 * "/\evil.example", with another scheme, such as "javascript:", or with control characters, spaces or a second slash at the
 * start, encoded or not.
 * @throws TypeError if `origin` isn't an origin.
 * @example
 * const path = safeNext(request.url.searchParams.get("next"), "https://app.example.com") ?? "/";
 */
export function safeNext(next: unknown, origin: string): string | null {
  const own = toOrigin(origin);
  if (typeof next !== "string" || next === "" || next.length > maxLength || forbidden.test(next)) return null;
  const isPath = next.startsWith("/");
  if (!isPath && !/^https?:\/\//i.test(next)) return null;
  if (!URL.canParse(next, own)) return null;
  const { origin: target, username, password, pathname, search, hash } = new URL(next, own);
  if (target !== own || username !== "" || password !== "" || beginsAnotherHost(pathname)) return null;
  return `${pathname}${search}${hash}`;
}

function toOrigin(origin: string): string {
  const parsed = URL.canParse(origin) ? new URL(origin).origin : "null";
  if (parsed !== "null") return parsed;
  throw new TypeError('safeNext: origin must be an origin. Example: "https://app.example.com"');
}

/**
 * Returns whether a path, as it is or decoded any number of times, begins with two slashes: it would name a host. Browsers drop tabs
 * and line breaks between them.
 */
function beginsAnotherHost(pathname: string): boolean {
  for (let path = pathname, before = ""; path !== before; ) {
    if (/^\/[\t\n\r]*[/\\]/.test(path)) return true;
    before = path;
    path = path.replaceAll(/%(?:25|2f|5c|09|0a|0d)/gi, (encoded) => decodeURIComponent(encoded));
  }
  return false;
}
