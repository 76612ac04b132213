import type { RequestLike } from "../request/headers.ts";
import { safeNext } from "../request/safe-next.ts";

/** An origin that no page has (RFC 6761 §6.4): only paths are of interest. */
const anyOrigin = "https://host.invalid";

/** Returns the login path, up to the value of `next` in its query. */
export function toLoginPrefix(loginPath: string): string {
  return `${loginPath}${loginPath.includes("?") ? "&" : "?"}next=`;
}

/**
 * Returns the address of the login page, with the requested page as `next` if a GET asked for it and its path is known and safe.
 *
 * @param publicPath the prefix that a proxy has removed.
 */
export function toLoginAddress(
  { method, url = "" }: RequestLike,
  { loginPath, publicPath = "" }: { readonly loginPath: string; readonly publicPath?: string | undefined },
): string {
  if (method !== "GET" && method !== "HEAD") return loginPath;
  const next = toPath(url, publicPath);
  return next === null ? loginPath : `${toLoginPrefix(loginPath)}${encodeURIComponent(next)}`;
}

/** Returns whether a request is for the login page itself, with or without a slash at the end. */
export function isLoginPage(
  { url = "" }: RequestLike,
  { loginPath, publicPath = "" }: { readonly loginPath: string; readonly publicPath?: string | undefined },
): boolean {
  if (!url.startsWith("/") && !URL.canParse(url)) return false;
  const { pathname } = url.startsWith("/") ? splitTarget(url) : new URL(url);
  const [login = ""] = loginPath.split("?", 1);
  return withoutSlash(`${publicPath}${pathname}`) === withoutSlash(login);
}

const withoutSlash = (path: string) => path.replace(/\/$/, "");

function toPath(url: string, publicPath: string): string | null {
  if (!url.startsWith("/") && !URL.canParse(url)) return null;
  const { pathname, search } = url.startsWith("/") ? splitTarget(url) : new URL(url);
  return safeNext(`${publicPath}${pathname}${search}`, anyOrigin);
}

/** Splits a request target by hand: `new URL` would read "//host/path" as another host. */
function splitTarget(target: string): { readonly pathname: string; readonly search: string } {
  const [withoutFragment = ""] = target.split("#", 1);
  const mark = withoutFragment.indexOf("?");
  if (mark === -1) return { pathname: withoutFragment, search: "" };
  return { pathname: withoutFragment.slice(0, mark), search: withoutFragment.slice(mark) };
}
