import type { IncomingMessage, ServerResponse } from "node:http";
import { checkRequirement } from "../../core/authentication.ts";
import { checkPageOptions } from "../../core/login-path.ts";
import type { AnyCheck, AnyPageCheck, AuthenticationOf, AuthenticationRequirement, PageOptions } from "../../index.ts";
import { sendResponse } from "./parts.ts";

/**
 * Returns a function that authenticates a request. If the request is refused, the function sends the response and returns
 * `null`.
 *
 * @param requirement what else the request requires, such as `{ maxAge: minutes(10) }`. Default: nothing.
 * @throws TypeError if `requirement` is wrong.
 * @example
 * const authenticate = requireUser(auth);
 * createServer(async (req, res) => {
 *   const authentication = await authenticate(req, res);
 *   if (authentication !== null) res.end(`Hello ${authentication.userId}`);
 * });
 */
export function requireUser<A extends AnyCheck>(
  auth: A,
  requirement: AuthenticationRequirement = {},
): (req: IncomingMessage, res: ServerResponse) => Promise<AuthenticationOf<A> | null> {
  checkRequirement(requirement, "requireUser");
  return async (req, res) => {
    const result = await auth.check(req, requirement);
    if (result.ok) return result.authentication as AuthenticationOf<A>;
    await sendResponse(result.response, res);
    return null;
  };
}

/**
 * Returns a function that authenticates a request for a page. If it returns `null`, it has sent the response: a page that refreshes and
 * reloads, for a browser whose access token has expired, or a redirect to `loginPath`, for one without a session.
 *
 * @throws TypeError if `loginPath` isn't a path of this origin, or the requirement makes no sense.
 * @example
 * const authenticatePage = requirePage(auth, { loginPath: "/login" });
 * createServer(async (req, res) => {
 *   const authentication = await authenticatePage(req, res);
 *   if (authentication !== null) res.end(`<p>Hello ${authentication.userId}</p>`);
 * });
 */
export function requirePage<A extends AnyCheck & AnyPageCheck>(
  auth: A,
  options: PageOptions = {},
): (req: IncomingMessage, res: ServerResponse) => Promise<AuthenticationOf<A> | null> {
  checkPageOptions(options, "requirePage");
  return async (req, res) => {
    const result = await auth.checkPage(req, { ...options });
    if (result.ok) return result.authentication as AuthenticationOf<A>;
    await sendResponse(result.response, res);
    return null;
  };
}
