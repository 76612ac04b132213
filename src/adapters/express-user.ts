import { checkRequirement } from "../core/authentication.ts";
import type { AnyCheck, AuthenticationRequirement, AuthUser, CheckResult } from "../index.ts";
import type { Middleware } from "./express-parts.ts";
import { sendResponse } from "./node-parts.ts";

/**
 * Returns a middleware that sets `req.auth`, and refuses requests that are not authenticated, or not as `requirement` says.
 *
 * @throws TypeError if `requirement` is wrong.
 * @example
 * app.get("/api/orders", requireUser(auth), (req, res) => res.json(ordersOf(req.auth.userId)));
 * app.delete("/api/account", requireUser(auth, { maxAge: minutes(10) }), (req, res) => deleteAccount(req.auth.userId, res));
 */
export function requireUser(auth: AnyCheck, requirement: AuthenticationRequirement = {}): Middleware {
  checkRequirement(requirement, "requireUser");
  return (req, res, next) => {
    const settle = (result: CheckResult<AuthUser, object>): unknown => {
      if (!result.ok) return sendResponse(result.response, res).catch(next);
      req.auth = result.authentication;
      return next();
    };
    const result = auth.check(req, requirement);
    if ("ok" in result) settle(result);
    // Without an error, `next` would pass the request on.
    else result.then(settle, (error: unknown) => next(error ?? new Error("the check failed")));
  };
}
