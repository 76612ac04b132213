import { checkRequirement } from "../../core/authentication.ts";
import type { AnyCheck, AuthenticationOf, AuthenticationRequirement } from "../../index.ts";
import { type AuthSource, toAuth } from "./auth.ts";
import { refusedAction } from "./refusals.ts";
import { toRequestLike } from "./request.ts";

/**
 * Returns a function that makes a server action of a function: the action passes who sent it as the first argument, and rejects if
 * no user is logged in. `useAction` of "tokenpair/react" and `patchFetch` repeat it once after a refresh.
 *
 * A server action can't carry the CSRF token. Instead, the browser must have stated that a page of the same origin, or of
 * `trustedOrigins`, has sent the action.
 *
 * @param requirement what else the action requires, such as `{ maxAge: minutes(10) }`. Default: nothing.
 * @throws TypeError if `requirement` is wrong.
 * @example
 * const withAuth = action(getAuth);
 * export const rename = withAuth(async ({ userId }, name: string) => renameUser(userId, name));
 */
export function action<A extends AnyCheck>(
  source: AuthSource<A>,
  requirement: AuthenticationRequirement = {},
): <P extends unknown[], R>(
  run: (authentication: AuthenticationOf<A>, ...args: P) => Promise<R>,
) => (...args: P) => Promise<R> {
  checkRequirement(requirement, "action");
  return (run) =>
    async (...args) => {
      const { headers } = await import("next/headers.js");
      const request = toRequestLike(await headers(), "POST");
      const auth = await toAuth(source);
      const checked = await auth.check(request, { ...requirement, csrf: "stated-origin" });
      if (checked.ok) return run(checked.authentication as AuthenticationOf<A>, ...args);
      const { status } = checked.response;
      const { code } = (await checked.response.json()) as { readonly code?: string };
      // Next sends nothing but the digest of an error to browsers.
      const digest = status === 401 && code !== "confirmation_required" ? refusedAction : `tokenpair: ${code}`;
      throw Object.assign(new Error(digest), { digest, code, status });
    };
}
