import type { IncomingMessage, ServerResponse } from "node:http";
import { checkRequirement } from "../core/authentication.ts";
import type { AnyCheck, AuthenticationOf, AuthenticationRequirement } from "../index.ts";
import { sendResponse } from "./node-parts.ts";

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
