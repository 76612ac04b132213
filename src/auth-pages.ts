import type { CheckPageOptions, RequestLike, ResumeOptions } from "./auth-options.ts";
import type { CheckResult } from "./auth-results.ts";
import type { ApplicationClaims } from "./core/claims.ts";
import type { AuthUser, User } from "./core/user.ts";

/** The part of `Auth` for pages that the server renders. */
export interface AuthPages<U extends AuthUser = User, C extends object = ApplicationClaims> {
  /**
   * Returns a small page for a document request whose access token has expired although its browser has a session, or `null` for
   * any other request. The page refreshes the session at the same address, and then reloads. Browsers send the refresh token only
   * to tokenpair's own endpoints, so a page that your server renders can't do it. Works from memory.
   *
   * Scripts, prefetches and frames get `null`: answer them with the refusal of `check`.
   *
   * @param request a Fetch `Request`, Node's `IncomingMessage`, or `Headers` with `{ method, url }` as options.
   * @returns a 401 with HTML. For a form's POST, the page asks the user to send the form again.
   * @throws TypeError if `loginPath` isn't a path of this origin.
   * @example
   * const checked = await auth.check(request);
   * const refusal = checked.ok ? null : (auth.resume(request, { loginPath: "/login" }) ?? checked.response);
   */
  resume(request: RequestLike | Headers, options?: ResumeOptions): Response | null;
  /**
   * Does the same as `check`, for a route that answers with a page. A browser whose access token has expired gets the page of
   * `resume`, and one without a session is redirected to `loginPath`, with the page as `next`. Requests that aren't navigations of
   * a tab, such as those of scripts, get the refusal of `check`. The adapters' `requirePage` sends the response.
   *
   * The POST of a form needs no CSRF token: the browser must state that a page of this origin, or of `trustedOrigins`, sent it.
   *
   * With `maxAge` or `amr`, a user who must confirm who they are is redirected to `loginPath` too.
   *
   * @param request a Fetch `Request`, Node's `IncomingMessage`, or `Headers` with `{ method, url }` as options.
   * @throws TypeError if `loginPath` isn't a path of this origin, or the requirement makes no sense.
   * @example
   * const checked = await auth.checkPage(request, { loginPath: "/login" });
   * const response = checked.ok ? new Response(`Hello ${checked.authentication.userId}`) : checked.response;
   */
  checkPage(request: RequestLike | Headers, options?: CheckPageOptions): CheckResult<U, C> | Promise<CheckResult<U, C>>;
}
