import { type AuthenticationRequirement, checkRequiredValues } from "./authentication.ts";
import { requireOptions } from "./settings/unknown-options.ts";

/** The path of the login page, if the application names no other. */
export const defaultLoginPath = "/login";

/** A path that can't name a host, and has no space, backslash, control character or fragment. */
const pattern = /^\/(?!\/)[^\s\\#\p{Cc}]*$/u;

/**
 * Returns the path of the login page.
 *
 * @param taker the function that takes the path.
 * @throws TypeError if it isn't a path of this origin, or has a fragment.
 */
export function toLoginPath(loginPath: unknown, taker: string): string {
  const path = loginPath === undefined ? defaultLoginPath : loginPath;
  if (typeof path === "string" && pattern.test(path)) return path;
  throw new TypeError(`${taker}: loginPath must be a path without a fragment. Example: loginPath: "/login"`);
}

/**
 * Makes sure that the options of `requirePage` make sense, and that no name in them is misspelt, which would require nothing.
 *
 * @param taker the function that takes the options.
 * @throws TypeError that says what is wrong.
 */
export function checkPageOptions(
  options: AuthenticationRequirement & { readonly loginPath?: string | undefined },
  taker: string,
): void {
  requireOptions(taker, options, ["loginPath", "maxAge", "amr"]);
  toLoginPath(options.loginPath, taker);
  checkRequiredValues(options, taker);
}
