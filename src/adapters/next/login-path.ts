import { requireLoginPath } from "../../core/login-path.ts";
import { requireOptions } from "../../core/settings/unknown-options.ts";

/**
 * Returns the login path of the options of `caller`, after checking them.
 *
 * @throws TypeError that says what is wrong.
 */
export function readLoginPath(
  options: { readonly loginPath?: string },
  caller: string,
  others: readonly string[],
): string {
  requireOptions(caller, options, [...others, "loginPath"]);
  return requireLoginPath(options.loginPath, caller);
}
