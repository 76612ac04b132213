import { type AuthenticationRequirement, checkRequiredValues } from "./authentication.ts";
import { safeNext } from "./safe-next.ts";
import { requireOptions } from "./settings/unknown-options.ts";

/** The path of the login page, if the application names no other. */
export const defaultLoginPath = "/login";

/** A path that can't name a host, and has no space, backslash, control character or fragment. */
const pattern = /^\/(?!\/)[^\s\\#\p{Cc}]*$/u;

/**
 * Returns the path of the login page.
 *
 * @param caller the function that the application called. The error names it.
 * @throws TypeError if it isn't a path of this origin, or has a fragment.
 */
export function requireLoginPath(loginPath: unknown, caller: string): string {
  const path = loginPath === undefined ? defaultLoginPath : loginPath;
  if (typeof path === "string" && pattern.test(path)) return path;
  throw new TypeError(`${caller}: loginPath must be a path without a fragment. Example: loginPath: "/login"`);
}

/** Returns the login path, up to the value of `next` in its query. */
export function toLoginPrefix(loginPath: string): string {
  return `${loginPath}${loginPath.includes("?") ? "&" : "?"}next=`;
}

/** An origin that no page has (RFC 6761 §6.4), because only the path of `next` matters. */
const anyOrigin = "https://host.invalid";

/** Returns the login path with the page to show after the login as `next` in its query, if `next` is a safe path. */
export function withNext(loginPath: string, next: string | undefined): string {
  const path = safeNext(next, anyOrigin);
  return path === null ? loginPath : `${toLoginPrefix(loginPath)}${encodeURIComponent(path)}`;
}

/**
 * Makes sure that the options of `requirePage` make sense, and that no name in them is misspelt, which would require nothing.
 *
 * @param caller the function that the application called. The error names it.
 * @throws TypeError that says what is wrong.
 */
export function checkPageOptions(
  options: AuthenticationRequirement & { readonly loginPath?: string | undefined },
  caller: string,
): void {
  requireOptions(caller, options, ["loginPath", "maxAge", "amr"]);
  requireLoginPath(options.loginPath, caller);
  checkRequiredValues(options, caller);
}
