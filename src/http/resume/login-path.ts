import { withNext } from "../../core/login-path.ts";
import type { RequestHead } from "../request/headers.ts";

/**
 * Returns the address of the login page, with the requested page as `next` if a GET asked for it and its path is known and safe.
 *
 * @param publicPath the prefix that a proxy has removed.
 */
export function toLoginAddress(
  { method, url = "" }: RequestHead,
  { loginPath, publicPath = "" }: { readonly loginPath: string; readonly publicPath?: string | undefined },
): string {
  const target = method === "GET" || method === "HEAD" ? parseTarget(url) : null;
  return target === null ? loginPath : withNext(loginPath, `${publicPath}${target.pathname}${target.search}`);
}

/** Returns whether a request is for the login page itself, with or without a slash at the end. */
export function isLoginPage(
  { url = "" }: RequestHead,
  { loginPath, publicPath = "" }: { readonly loginPath: string; readonly publicPath?: string | undefined },
): boolean {
  const target = parseTarget(url);
  const [login = ""] = loginPath.split("?", 1);
  return target !== null && withoutSlash(`${publicPath}${target.pathname}`) === withoutSlash(login);
}

const withoutSlash = (path: string) => path.replace(/\/$/, "");

/** Returns the path and the query of a request's URL or target, or `null` if it is neither. */
function parseTarget(url: string): Pick<URL, "pathname" | "search"> | null {
  if (!url.startsWith("/")) return URL.parse(url);
  // By hand, because `new URL` would read "//host/path" as another host.
  const [withoutFragment = ""] = url.split("#", 1);
  const mark = withoutFragment.indexOf("?");
  if (mark === -1) return { pathname: withoutFragment, search: "" };
  return { pathname: withoutFragment.slice(0, mark), search: withoutFragment.slice(mark) };
}
