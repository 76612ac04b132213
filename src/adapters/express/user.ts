import { checkRequirement } from "../../core/authentication.ts";
import { checkPageOptions } from "../../core/login-path.ts";
import type {
  AnyCheck,
  AnyPageCheck,
  AuthenticationRequirement,
  AuthUser,
  CheckResult,
  PageOptions,
} from "../../index.ts";
import { sendResponse } from "../node/parts.ts";
import type { Middleware } from "./parts.ts";

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
  return toMiddleware((req) => auth.check(req, requirement));
}

/**
 * Returns a middleware for routes that answer with pages. It sets `req.auth`. A browser whose access token has expired gets a page
 * that refreshes and reloads, and one without a session is redirected to `loginPath`, with the requested page as `next`.
 *
 * @throws TypeError if `loginPath` isn't a path of this origin, or the requirement makes no sense.
 * @example
 * app.get("/orders", requirePage(auth, { loginPath: "/login" }), (req, res) => res.render("orders", ordersOf(req.auth.userId)));
 */
export function requirePage(auth: AnyPageCheck, options: PageOptions = {}): Middleware {
  checkPageOptions(options, "requirePage");
  // A router shortens `url`.
  return toMiddleware((req) => auth.checkPage(req, { ...options, url: req.originalUrl ?? req.url }));
}

type Result = CheckResult<AuthUser, object>;

function toMiddleware(check: (req: Parameters<Middleware>[0]) => Result | Promise<Result>): Middleware {
  return (req, res, next) => {
    const settle = (result: Result): unknown => {
      if (!result.ok) return sendResponse(result.response, res).catch(next);
      req.auth = result.authentication;
      return next();
    };
    const result = check(req);
    if ("ok" in result) settle(result);
    // Without an error, `next` would pass the request on.
    else result.then(settle, (error: unknown) => next(error ?? new Error("the check failed")));
  };
}
